"""A program that is interrupted again and again, by real signals, and tells what came of it.

`python -m tests.core.interrupted SCENE ROUNDS SEED` prints one line of JSON for each interrupt.
"""

import asyncio
import faulthandler
import json
import os
import random
import signal
import sys
import threading
import time

from routilux_core import ErrorHandler, Flow, JobManager, JobState, get_execution_context, routine
from routilux_plugins.executors import sequential

THERE = []
"""Of this round alone: an interrupt may break into an Event and leave its lock taken for ever."""
INNER = []


def there():
    if not THERE[0].is_set():
        THERE[0].set()


@routine
def stuck():
    there()
    threading.Event().wait()


@routine
def busy():
    there()
    n = 0
    while True:
        n += 1


@routine
def forward(n):
    there()
    return {"n": n + 1}


@routine
def count():
    n = 0
    while True:
        there()
        yield {"n": n}
        n += 1


@routine
async def loose():
    there()
    await asyncio.Event().wait()


@routine
def failing():
    there()
    raise OSError("no disk")


@routine
def nesting():
    INNER.append(JobState())
    around().execute("a", {"n": 0}, job_state=INNER[-1])


@routine
def waiting():
    inner = alone(loose())
    INNER.append(inner.start("a"))
    get_execution_context().manager.get_job(INNER[-1].job_id).wait()


def alone(made):
    flow = Flow()
    flow.add_routine(made, "a")
    return flow


def around():
    """Tight: nothing but the engine's own work."""
    flow = alone(forward())
    flow.connect("a.output", "a.trigger")
    return flow


def retrying():
    flow = alone(failing())
    flow.set_error_handler(ErrorHandler("retry", retry_delay=3600))
    return flow


SCENES = {
    "stuck": (lambda: alone(stuck()), None),
    "busy": (lambda: alone(busy()), None),
    "engine": (around, {"n": 0}),
    "watched": (around, {"n": 0}),
    "generator": (lambda: alone(count()), None),
    "async": (lambda: alone(loose()), None),
    "retry": (retrying, None),
    "nested": (lambda: alone(nesting()), None),
    "waiting": (lambda: alone(waiting()), None),
}


def interrupt(delay, sent):
    THERE[0].wait()
    time.sleep(delay)
    sent.append(time.monotonic())
    os.kill(os.getpid(), signal.SIGINT)


def one(scene, delay):
    flow, params = SCENES[scene][0](), SCENES[scene][1]
    THERE[:] = [threading.Event()]
    INNER.clear()
    state, sent = JobState(), []
    killer = threading.Thread(target=interrupt, args=(delay, sent))
    killer.start()
    try:
        monitors = [lambda job, fact: job.explain()] if scene == "watched" else ()
        flow.execute("a", params, job_state=state, monitors=monitors)
        raised = "nothing"
    except KeyboardInterrupt:
        raised = "KeyboardInterrupt"
    late = time.monotonic() - sent[0]
    killer.join()
    return {
        "raised": raised,
        "late": late,
        "status": str(state.status),
        "pending": [task.routine_id for task in state.pending_tasks],
        "errors": len(state.errors),
        "inner": [(str(inner.status), len(inner.pending_tasks)) for inner in INNER],
    }


def main(scene, rounds, seed):
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have had it ignored
    faulthandler.dump_traceback_later(15, exit=True)  # says where it hangs
    chance = random.Random(int(seed))  # noqa: S311 - moments, not secrets
    other = JobManager(plugins=[sequential], discover=False)  # it has the signal first
    THERE[:] = [threading.Event()]
    other.execute(alone(count()), "a", timeout=0.01)
    with JobManager(plugins=[sequential], discover=False) as manager:
        for _ in range(int(rounds)):
            result = one(scene, chance.random() * 0.01)
            result["running"] = len(manager.running_jobs)
            print(json.dumps(result))  # noqa: T201 - what it is for
        after = around().execute("a", {"n": 0}, timeout=0.01)
    print(json.dumps(str(after.status)))  # noqa: T201 - what it is for
    try:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(5)
    except KeyboardInterrupt:
        print(json.dumps("as usual"))  # noqa: T201 - what it is for
    faulthandler.cancel_dump_traceback_later()


if __name__ == "__main__":
    main(*sys.argv[1:])
