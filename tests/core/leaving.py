"""Jobs that leave before they end: their manager shuts down, or another takes their claim."""

import threading

import pytest

from routilux_core import ClaimLost, Flow, JobManager, hookimpl, routine
from routilux_plugins.executors import sequential
from routilux_plugins.stores.memory.store import Memory

PATIENCE = 20


@routine
def count(n):
    for number in range(n):
        yield {"number": number}


@routine
def keep(number):
    return {"number": number}


def counting():
    flow = Flow("counting")
    flow.add_routine(count(), "count")
    flow.add_routine(keep(), "keep")
    flow.connect("count.output", "keep.trigger")
    return flow


class Gate:
    """Lets nothing through to `keep`."""

    def __init__(self):
        self.counted = threading.Event()

    @hookimpl
    def hold(self, activation):
        return activation.routine_id == "keep"

    @hookimpl
    def on_fact(self, fact):
        if fact.tag == "activation_completed":
            self.counted.set()


def leave(*plugins, monitors=(), lost=False, store=None):
    """Run a job until it stands still, and let it leave; return its state."""
    store, gate = store or Memory(), Gate()
    settings = {"claim_seconds": 0.3}
    manager = JobManager(plugins=[sequential, gate, *plugins], discover=False, store=store, settings=settings)
    with manager:
        state = manager.start_job(counting(), "count", {"n": 2}, monitors=monitors)
        assert gate.counted.wait(PATIENCE)
        if lost:
            job, other = manager.get_job(state.job_id), Memory(store._shelf)  # noqa: SLF001 - of the same jobs
            claim = other.claim(state.job_id, "other", PATIENCE, {manager.keeping.owner})
            with pytest.raises(ClaimLost):
                job.wait(PATIENCE)
            other.release([claim])
        manager.shutdown(timeout=0.3)
    return state
