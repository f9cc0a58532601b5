"""Jobs with long histories: made, resumed and looked at, each in a process of its own that says what it saw.

`python -m tests.reliability.long make|go_on|pages|whole URL ...`
"""

import json
import resource
import sys
import threading
from pathlib import Path
from time import perf_counter

from routilux_core import Event, Flow, JobManager, Routine, get_execution_context, slot
from routilux_plugins.executors import sequential
from routilux_plugins.stores import files, sqlite

FACTS_OF_STEP = {"plain": 3, "gathering": 7}
MIB = 1024


class Counting(Routine):
    """Counts on, and stands still at one number."""

    output = Event("n")
    last = 0
    begun = threading.Event()

    @slot
    def trigger(self, n):
        context = get_execution_context()
        if n > self.last:
            self.begun.set()
            context.job.pause("long enough")
        elif n == self.last:
            context.job.pause("to be resumed", n)
        if n % 1000 == 500:
            context.job_state.append_to_shared_log(n)
            context.job_state.update_shared_data("n", n)
            self.send_output("number", n=n)
        self.emit("output", n=n + 1)


class Gathering(Routine):
    """Is given all that came so far."""

    output = Event("count")

    def __init__(self):
        super().__init__()
        self.define_slot("trigger", self.take, merge_strategy="append")

    def take(self, n):
        self.emit("output", count=len(n))


def long_flow(kind):
    flow = Flow(f"long-{kind}")
    flow.add_routine(Counting(), "count")
    flow.connect("count.output", "count.trigger")
    if kind == "gathering":
        flow.add_routine(Gathering(), "gather")
        flow.connect("count.output", "gather.trigger")
    return flow


def managed(url, durability="sync", **settings):
    return JobManager(
        plugins=[files, sequential, sqlite],
        discover=False,
        store=url,
        durability=durability,
        settings={"scan_seconds": None, **settings},
    )


def make(url, kind, count, durability):
    """Make a job of about so many facts."""
    Counting.last = int(count) // FACTS_OF_STEP[kind]
    with managed(url, durability, history=0) as manager:
        began = perf_counter()
        state = manager.execute(long_flow(kind), "count", {"n": 0})
        seconds = perf_counter() - began
        kept = manager.keeping.store.load(state.job_id)
        return {
            "job_id": state.job_id,
            "facts": kept.entries[-1].last,
            "read": kept.entries[-1].last - (kept.snapshot.number if kept.snapshot else 0),
            "seconds": seconds,
        }


def go_on(url, job_id):
    """Resume it, and say how long it takes to the first call of a handler."""
    with managed(url) as manager:
        Counting.last = 0
        began = perf_counter()
        manager.resume(job_id)
        assert Counting.begun.wait(60)
        seconds = perf_counter() - began
        assert manager.wait_for_all_jobs(60)
        return {"seconds": seconds, "peak": peak()}


def pages(url, job_id, limit):
    """Read the history a page at a time, and say how much memory that takes."""
    with managed(url) as manager:
        manager.history(job_id, limit=10)
        before, lines, after, longest = peak(), 0, 0, 0.0
        while after is not None:
            began = perf_counter()
            page = manager.history(job_id, after, int(limit))
            longest = max(longest, perf_counter() - began)
            lines, after = lines + len(page.records), page.after
        return {"lines": lines, "grown": peak() - before, "longest": longest}


def whole(url, job_id):
    """Load all of it, and say how much memory that takes."""
    with managed(url) as manager:
        before = peak()
        facts = len(manager.load(job_id).facts)
        return {"facts": facts, "grown": peak() - before}


def peak():
    """In MiB."""
    try:
        lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text("ascii").splitlines())
        return int(lines["VmHWM"].split()[0]) / MIB
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MIB


if __name__ == "__main__":
    sys.stdout.write(json.dumps(globals()[sys.argv[1]](*sys.argv[2:])))
