"""A job without a history does not grow with the number of its events.

`TEST_EVENTS=1000000 pytest tests/reliability/test_memory.py` runs the full size, with 20 MiB allowed.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EVENTS = int(os.environ.get("TEST_EVENTS", "150000"))
MIB_ALLOWED = 20 if EVENTS >= 1_000_000 else 4
GROWTH = '''
import resource, sys
from pathlib import Path
from routilux_core import Event, Flow, JobManager, Routine, slot
from routilux_plugins.executors import sequential

kind, size, history = sys.argv[1], int(sys.argv[2]), sys.argv[3]

class Countdown(Routine):
    output = Event("n")

    @slot
    def trigger(self, n):
        if n:
            self.emit("output", n=n - 1)

class Source(Routine):
    output = Event("n")

    @slot
    def trigger(self, n):
        for number in range(n):
            self.emit("output", n=number)
            yield

class Sink(Routine):
    @slot
    def trigger(self, n):
        pass

loop = Flow("loop")
loop.add_routine(Countdown(), "first")
loop.connect("first.output", "first.trigger")
generator = Flow("generator")
generator.add_routine(Source(), "first")
generator.add_routine(Sink(), "sink")
generator.connect("first.output", "sink.trigger")

def peak():
    """In MiB. Where there is no /proc, the peak of the starting process may hide ours."""
    status = Path("/proc/self/status")
    if status.exists():
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(lines["VmHWM"].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

settings = {"history": None if history == "kept" else 0}
with JobManager(plugins=[sequential], discover=False, settings=settings) as manager:
    flow = {"loop": loop, "generator": generator}[kind]
    assert manager.execute(flow, "first", {"n": 10_000}).status == "completed"
    before = peak()
    assert manager.execute(flow, "first", {"n": size}).status == "completed"
    print(peak() - before)
'''


def mib_grown(kind, size, history):
    command = [sys.executable, "-c", GROWTH, kind, str(size), history]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    return float(done.stdout)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", ["loop", "generator"])
def test_events_that_are_done_with_leave_nothing(kind):
    assert mib_grown(kind, EVENTS, "none") < MIB_ALLOWED


@pytest.mark.slow
def test_a_history_that_is_kept_is_found():
    """The control: with its history a job grows by far more."""
    assert mib_grown("loop", 60_000, "kept") > 8
