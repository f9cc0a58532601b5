"""Very many jobs on one small pool: none is lost, no thread is added, and none has to wait for the others.

`TEST_JOBS=100000 pytest tests/reliability/test_many_jobs.py` starts more of them.
"""

import os
import threading
from math import inf
from statistics import median, quantiles
from time import perf_counter

import pytest

from routilux_core import JobManager, Routine, slot
from routilux_plugins.executors import pooled
from routilux_plugins.executors.pooled import Pooled, PooledSettings
from tests.benchmarks import flows
from tests.core.gate import WAIT, Gate

JOBS = int(os.environ.get("TEST_JOBS", "10000"))
WORKERS = 4
PENDING = 100_000


def manager_with(workers=WORKERS):
    return JobManager(discover=False, executor=Pooled(PooledSettings(max_workers=workers)))


class Crowd:
    """The most threads of ours that were seen at once: workers of the pool, and others."""

    def __init__(self):
        self.before = set(threading.enumerate())
        self.workers = self.others = 0

    def look(self):
        names = [thread.name for thread in threading.enumerate() if thread not in self.before]
        count = sum(name.startswith("routilux-pooled-") for name in names)
        self.workers = max(self.workers, count)
        self.others = max(self.others, len(names) - count)


def held_chain(gate):
    """A chain of three steps, of which the first waits at the gate."""

    class Held(flows.Relay):
        @slot
        def trigger(self, n):
            gate.pass_through()
            self.emit("output", n=n)

    flow = flows.chain(1)
    flow.add_routine(Held(), "held")
    flow.add_routine(flows.Sink(), "last")
    flow.connect("first.output", "held.trigger")
    flow.connect("held.output", "last.trigger")
    return flow


def run_at_once(jobs, workers):
    """Start so many jobs, none of which can end before all have started; return what was seen."""
    crowd = Crowd()
    with manager_with(workers) as manager, Gate() as gate:
        flow = held_chain(gate)
        states = []
        for number in range(jobs):
            states.append(manager.start_job(flow, "first", {"n": number}))
            if number % 100 == 0:
                crowd.look()
        for _ in range(workers):
            gate.wait()
        assert len(manager.running_jobs) == jobs
        crowd.look()
        gate.open()
        for state in states[:: max(1, jobs // 100)]:
            job = manager.get_job(state.job_id)
            assert job is None or job.wait(WAIT)
            crowd.look()
        assert manager.wait_for_all_jobs(WAIT)
        crowd.look()
        assert manager.running_jobs == []
    assert {str(state.status) for state in states} == {"completed"}
    assert all(len(state.execution_history) == 8 for state in states)
    return crowd


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_ten_thousand_jobs_at_once_need_no_more_than_the_pool():
    crowd = run_at_once(JOBS, WORKERS)

    assert crowd.workers <= WORKERS
    assert crowd.others <= 4
    assert not [thread for thread in threading.enumerate() if thread not in crowd.before]


def test_a_pool_that_is_larger_would_be_seen():
    """The control: workers are counted, and all of them are at work while jobs are held."""
    assert run_at_once(200, 2 * WORKERS).workers == 2 * WORKERS


@pytest.mark.speed
@pytest.mark.slow
def test_a_start_takes_no_longer_because_thousands_run():
    """The 99th percentile of 10,000 starts, while the pool works on what was started before."""
    flow, slowest = flows.chain(3), []
    for _ in range(3):
        with manager_with() as manager:
            seconds = []
            for number in range(10_000):
                begin = perf_counter()
                manager.start_job(flow, "first", {"n": number})
                seconds.append(perf_counter() - begin)
            assert manager.wait_for_all_jobs(WAIT)
        slowest.append(quantiles(seconds, n=100)[98])

    assert median(slowest) < 0.005


# -- turns among jobs ------------------------------------------------------------------------------------


def waits_beside_a_large_job(workers):
    """Return how long jobs of one step take beside one that always has 100,000 activations pending."""
    begun, done = threading.Event(), []

    class Sink(Routine):
        @slot
        def trigger(self, n):
            begun.set()
            done.append(n)

    large, small, seconds = flows.fan(Sink()), flows.single(), []
    with manager_with(workers) as manager:
        state = manager.start_job(large, "first", {"n": 2 * PENDING})
        assert begun.wait(WAIT)
        for _ in range(20):
            begin = perf_counter()
            manager.execute(small, "first", {"n": 1})
            seconds.append(perf_counter() - begin)
            if len(done) > PENDING:
                break
        manager.shutdown(wait=False)
        assert state.status == "cancelled" or len(done) == 2 * PENDING
    return median(seconds)


@pytest.mark.speed
@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, WORKERS])
def test_a_small_job_does_not_wait_for_a_large_one(workers):
    assert waits_beside_a_large_job(workers) < 0.05


@pytest.mark.speed
@pytest.mark.slow
def test_a_job_that_keeps_its_worker_is_found(monkeypatch):
    """The control: a share without an end."""
    monkeypatch.setattr(pooled, "SHARE", inf)

    assert waits_beside_a_large_job(1) > 0.05
