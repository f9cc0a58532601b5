"""A program whose processes run one job, one after the other, and may be killed.

`python -m tests.reliability.mortal` makes a process for each line of JSON that it reads, and three lines
come: the process's number, `begun` when it has a manager, and its exit status. The number stays its own until
the next line is read, so nobody else is ever killed.
"""

import json
import os
import sys
import time
import traceback
from functools import partial

from routilux_core import JobManager, JobState, UnknownJob, journal, stored_job
from routilux_plugins.executors import pooled, sequential
from routilux_plugins.stores import files, postgres, redis, sqlite
from tests.reliability import crashed
from tests.reliability.bugs import BUGS

JOB = "job"
PLUGINS = (pooled, sequential, files, postgres, redis, sqlite)
SETTINGS = {"scan_seconds": None, "max_workers": 3}
SECONDS = 0.001
"""How long a handler takes."""


def witness(file, what, context):
    """Write down what a handler does, outside of the process."""
    one = context.activation
    os.write(file, f"{what} {context.idempotency_key} {one.attempt} {one.items}\n".encode())
    if what == "start":
        time.sleep(SECONDS)


def live(manager, make, width):
    """Start the job, or take it up where the store has it, and let it go on to its end."""
    flow = make()
    try:
        manager.load(JOB)
    except UnknownJob:
        manager.execute(flow, "source", {"width": width}, job_state=JobState(flow.flow_id, JOB))
    else:
        manager.recover()
        manager.wait_for_all_jobs()


def be(url, options, width, note, bug, often):
    """Be one process; with `often` a snapshot is written as often as can be."""
    file = os.open(note, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    crashed.WATCHES[:] = [partial(witness, file)]
    if often:
        journal.LEAST = journal.GROWTH = stored_job.SHORT = 0
    BUGS[bug](setattr)
    with JobManager(store=url, plugins=PLUGINS, discover=False, settings=SETTINGS, **options) as manager:
        print("begun", flush=True)  # noqa: T201 - what it is for
        live(manager, crashed.mixed, width)


def main():
    child = 0
    for line in sys.stdin:
        if child:
            os.waitpid(child, 0)
        child = os.fork()
        if not child:
            be_and_end(json.loads(line))
        ended = os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
        status = ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status
        print(status, flush=True)  # noqa: T201 - what it is for


def be_and_end(what):
    print(os.getpid(), flush=True)  # noqa: T201 - as above
    status = 1
    try:
        be(**what)
        status = 0
    except BaseException:  # noqa: BLE001 - the process ends by it, whatever it is
        traceback.print_exc()
    finally:
        os._exit(status)


if __name__ == "__main__":
    main()
