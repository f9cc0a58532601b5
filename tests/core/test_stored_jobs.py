"""What callers of a manager with a store wait for: what they asked is in the store, and no handler."""

import threading
from itertools import pairwise
from time import monotonic

import pytest

from routilux_core import Event, Flow, JobManager, JobState, Routine, slot
from routilux_plugins.executors import aio, pooled, process, sequential, threaded
from routilux_plugins.stores.memory.store import Memory

PATIENCE = 20.0
PLUGINS = [aio, pooled, process, sequential, threaded]
DURABILITIES = ("sync", "batch", "exit")


class Gated(Routine):
    """Waits at a gate, and sends what it was given on."""

    output = Event("n")

    def __init__(self, gate):
        super().__init__()
        self.gate, self.inside = gate, threading.Event()

    @slot
    def trigger(self, n=0):
        self.inside.set()
        assert self.gate.wait(PATIENCE)
        self.emit("output", n=n)


@pytest.fixture
def gate():
    return threading.Event()


def managed(**options):
    settings = {"scan_seconds": None, "max_workers": 2}
    store = options.pop("store", None) or Memory()
    return JobManager(plugins=PLUGINS, discover=False, store=store, settings=settings, **options)


@pytest.mark.parametrize("durability", DURABILITIES)
@pytest.mark.parametrize("executor", ["sequential", "pooled", "threaded", "asyncio"])
def test_who_starts_or_posts_waits_for_the_store_and_for_no_handler(executor, durability, gate):
    """Who waits for the last fact of all waits for what workers have started meanwhile, too."""
    flow = Flow("gated")
    flow.add_routine(Gated(gate), "gated")
    with managed(executor=executor, durability=durability) as manager:
        states = []
        for _ in range(20):
            state = manager.start_job(flow, "gated")
            assert manager.load(state.job_id).status == "running"
            manager.post(state.job_id, "gated", n=1)
            state.update_shared_data("key", "value")
            states.append(state)
        assert not gate.is_set()
        gate.set()
        assert manager.wait_for_all_jobs(PATIENCE)
        for state in states:
            kept = manager.load(state.job_id)
            assert kept.status == state.status == "completed"
            assert sorted(payload["n"] for payload in kept.results["gated.output"]) == [0, 1]
            assert kept.shared_data == {"key": "value"}


@pytest.mark.parametrize("executor", ["sequential", "pooled", "threaded"])
def test_a_start_is_in_the_store_while_its_handler_runs(executor, gate):
    """Nobody hurries it, and nobody has to do anything for it."""
    flow, routine = Flow("gated"), Gated(gate)
    flow.add_routine(routine, "gated")
    with managed(executor=executor) as manager:
        state = manager.start_job(flow, "gated")
        assert routine.inside.wait(PATIENCE)
        until = monotonic() + PATIENCE
        while manager.load(state.job_id).current_routine_id != "gated":
            assert monotonic() < until
        gate.set()


class Counting(Routine):
    output = Event("n")

    @slot
    def trigger(self, n):
        if n < 9:
            self.emit("output", n=n + 1)


@pytest.mark.parametrize("durability", DURABILITIES)
@pytest.mark.parametrize("executor", ["sequential", "pooled", "threaded", "asyncio"])
def test_no_fact_is_earlier_than_the_one_before(executor, durability):
    """A start that had waited for the store was of the time of some message long ago."""
    flow = Flow("counting")
    flow.add_routine(Counting(), "count")
    flow.connect("count.output", "count.trigger")
    with managed(executor=executor, durability=durability) as manager:
        kept = manager.load(manager.execute(flow, "count", {"n": 0}).job_id)
        assert all(before.at <= after.at for before, after in pairwise(kept.facts))
        assert JobState().deserialize(kept.serialize()).status == "completed"
