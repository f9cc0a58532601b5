"""A program that runs until it is interrupted, and then tells what became of its job.

`python -m tests.reliability.interruptible EXECUTOR SCENE` prints a line first, and one of JSON at the end.
"""

import asyncio
import faulthandler
import json
import signal
import sys
import time
from importlib import import_module

from routilux_core import Event, Flow, JobManager, JobState, Routine, routine, slot

PLUGINS = {
    "sequential": "routilux_plugins.executors.sequential",
    "threaded": "routilux_plugins.executors.threaded",
    "pooled": "routilux_plugins.executors.pooled",
    "process": "routilux_plugins.executors.process",
    "asyncio": "routilux_plugins.executors.aio",
}
FOREVER = 600
MANY = 8


class Fan(Routine):
    """Sends all its numbers at once."""

    output = Event("n")

    @slot
    def trigger(self, width):
        for n in range(width):
            self.emit("output", n=n)


@routine
def forward(n):
    return {"n": n + 1}


@routine
async def forward_async(n):
    await asyncio.sleep(0)
    return {"n": n + 1}


@routine
def count(n):
    while True:
        yield {"n": n}
        n += 1


@routine
def swallow(n):
    """Send nothing."""


@routine
def sleep_deeply(n):
    time.sleep(FOREVER)


@routine
def compute(n):
    until = time.monotonic() + FOREVER
    while time.monotonic() < until:
        n += 1


@routine
async def wait_for_nothing(n):
    await asyncio.Event().wait()


@routine
async def block_the_loop(n):
    time.sleep(FOREVER)  # noqa: ASYNC251 - what nobody should do


def line(*routines):
    flow = Flow("line")
    for number, one in enumerate(routines):
        flow.add_routine(one, f"r{number}")
        if number:
            flow.connect(f"r{number - 1}.output", f"r{number}.trigger")
    return flow


def ring(made):
    """Work that never ends: four at a time go round for ever."""
    flow = line(Fan(), made)
    flow.connect("r1.output", "r1.trigger")
    return flow


SCENES = {
    "ring": lambda: ring(forward()),
    "async ring": lambda: ring(forward_async()),
    "generator": lambda: line(Fan(), count(), swallow()),
    "sleep": lambda: line(Fan(), sleep_deeply()),
    "compute": lambda: line(Fan(), compute()),
    "await": lambda: line(Fan(), wait_for_nothing()),
    "blocked loop": lambda: line(Fan(), block_the_loop()),
    "short jobs": lambda: line(Fan(), forward(), swallow()),
    "short managers": lambda: line(Fan(), forward_async(), swallow()),
    "started": lambda: line(Fan(), forward(), swallow()),
    "left running": lambda: ring(forward()),
}


def main(executor, scene):
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have had it ignored
    faulthandler.dump_traceback_later(20, exit=True)  # says where it hangs
    plugin = import_module(PLUGINS[executor])
    flow, state = SCENES[scene](), JobState()
    print("begun", flush=True)  # noqa: T201 - what it is for
    try:
        while True:
            with JobManager(plugins=[plugin], discover=False, executor=executor) as manager:
                goes_on = True
                while goes_on:
                    state = JobState()
                    run = manager.start_job if scene in {"started", "left running"} else manager.execute
                    run(flow, "r0", {"width": 4}, job_state=state)
                    goes_on = scene not in {"short managers", "left running"}
                    if len(manager.running_jobs) > MANY:
                        manager.wait_for_all_jobs()
    finally:
        told = {"status": str(state.status), "pending": len(state.pending_tasks), "errors": len(state.errors)}
        print(json.dumps(told), flush=True)  # noqa: T201 - what it is for


if __name__ == "__main__":
    main(*sys.argv[1:])
