"""A program whose processes run one job, one after the other, and may be killed or stopped.

`python -m tests.reliability.mortal` makes a process for each line of JSON that it reads. The process's
number comes, what it has to say, and its exit status. The number stays its own until the next line is read,
so nobody else is ever killed.
"""

import json
import logging
import os
import signal
import sys
import time
import traceback
from functools import partial
from importlib import import_module
from threading import Event

from routilux_core import (
    ClaimLost,
    ClaimRefused,
    InvalidTransition,
    JobManager,
    JobState,
    hookimpl,
    journal,
    stored_job,
)
from routilux_core.testing.executor_contract.meeting import Visit
from routilux_plugins.executors import pooled, process, sequential
from routilux_plugins.stores import files, postgres, redis, sqlite
from tests.reliability import crashed
from tests.reliability.bugs import BUGS
from tests.reliability.keeping import check_kept

JOB = "job"
MIXED = "tests.reliability.crashed:mixed"
INTERRUPTED = 130
"""The exit status of a process that ended by Ctrl-C."""
PLUGINS = (pooled, process, sequential, files, postgres, redis, sqlite)
SETTINGS = {"scan_seconds": None, "max_workers": 3}
SECONDS = 0.001
"""How long a handler takes."""
MOMENT = 0.01
"""Seconds between two looks at a job that somebody else has."""


def witness(file, what, context):
    """Write down what a handler does, outside of the process; a kill may tear the line."""
    one = context.activation
    os.write(file, f"\n{what} {context.idempotency_key} {one.attempt} {one.items} .".encode())
    if what == "start":
        time.sleep(SECONDS)


class Listener:
    """A plugin that says when the process gets a job."""

    def __init__(self):
        self.states = []

    @hookimpl
    def job_starting(self, job):
        self.states.append(job.job_state)
        say("has it")


def begin(manager, _, flow, entry):
    """Start the job, or take it up where the store has it, and let it go on to its end."""
    if any(job.job_id == JOB for job in manager.jobs()):
        manager.recover()
        manager.wait_for_all_jobs()
    else:
        manager.execute(flow, "source", entry, job_state=JobState(flow.flow_id, JOB))


def go_on(manager, _, flow, entry):
    """Do the same with a job that may be paused."""
    if "paused" in [job.status for job in manager.jobs()]:
        manager.resume(JOB)
        manager.wait_for_all_jobs()
    else:
        begin(manager, _, flow, entry)


def lose(*given):
    """Do the same, and say at the end whether the claim was lost."""
    try:
        begin(*given)
    except ClaimLost:
        say("lost")
    else:
        say("kept")


def take_over(manager, listener, *_):
    """Wait for the end of the job; if that was here, see that the store has it as it was here."""
    while not manager.load(JOB).status.final:
        Event().wait(MOMENT)  # nobody is told when a claim ends
    for state in listener.states:
        check_kept(manager, state)


def resume_with_others(manager, _, flow, entry):
    """Resume a paused job when told to, and say what came of it."""
    state = manager.load(JOB)
    with Visit(entry["meeting"], manager.keeping.owner) as visit:
        visit.stay()
    try:
        flow.resume(state)
    except (ClaimRefused, InvalidTransition) as error:
        say(f"{type(error).__name__}: {error}")
    else:
        say("resumed")
        manager.wait_for_all_jobs()


ROLES = {role.__name__: role for role in (begin, go_on, lose, take_over, resume_with_others)}


def be(url, options, entry, *, flow=MIXED, note=None, role="begin", bug="none", often=False, **settings):
    """Be one process; with `often` a snapshot is written as often as can be."""
    module, _, make = flow.partition(":")
    if note is not None:
        file = os.open(note, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        crashed.WATCHES[:] = [partial(witness, file)]
    if often:
        journal.LEAST = journal.GROWTH = stored_job.SHORT = 0
    BUGS[bug](setattr)
    listener = Listener()
    plugins = [*PLUGINS, listener] if role in {"lose", "take_over"} else PLUGINS
    with JobManager(
        store=url, plugins=plugins, discover=False, settings={**SETTINGS, **settings}, **options
    ) as manager:
        say("begun")
        ROLES[role](manager, listener, getattr(import_module(module), make)(), entry)


def say(what):
    print(what, flush=True)  # noqa: T201 - what it is for


def expected(record):
    """Tell whether a line of the log is of what fails on purpose."""
    return "flaky.trigger" in record.getMessage()


def main():
    logging.getLogger("routilux").addFilter(lambda record: not expected(record))
    child = 0
    for line in sys.stdin:
        if child:
            os.waitpid(child, 0)
        child = os.fork()
        if not child:
            be_and_end(json.loads(line))
        ended = os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
        status = ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status
        say(status)


def be_and_end(what):
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have had it ignored
    say(os.getpid())
    status = 1
    try:
        be(**what)
        status = 0
    except KeyboardInterrupt:
        status = INTERRUPTED
    except BaseException:  # noqa: BLE001 - the process ends by it, whatever it is
        traceback.print_exc()
    finally:
        os._exit(status)


if __name__ == "__main__":
    main()
