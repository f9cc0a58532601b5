"""Jobs that are kept, on every executor and with every durability, with jobs inside their handlers."""

import pytest

from routilux_core import Event, Flow, JobManager, JobState, Routine, slot
from routilux_plugins.executors import aio, pooled, process, sequential, threaded
from routilux_plugins.stores.memory.store import Memory
from tests.reliability.keeping import check_kept
from tests.reliability.laws import check_all

PATIENCE = 30.0
MANY = 1_000
"""So many numbers take longer than it takes to pause or cancel a job."""
PLUGINS = [aio, pooled, process, sequential, threaded]
EXECUTORS = ("sequential", "threaded", "pooled", "asyncio", "process")
DURABILITIES = ("sync", "batch", "exit")


class Source(Routine):
    output = Event("n")

    @slot
    def trigger(self, count):
        for n in range(count):
            self.emit("output", n=n)
            yield


class Square(Routine):
    output = Event("n")

    @slot
    async def trigger(self, n):
        self.send_output("square", n=n)
        self.increment_stat("calls")
        self.emit("output", n=n * n)


class Total(Routine):
    output = Event("total")

    @slot(merge_strategy="append")
    def trigger(self, n):
        self.increment_stat("total", n[-1])


def squares():
    flow = Flow("squares")
    flow.add_routine(Source(), "source")
    flow.add_routine(Square(), "square")
    flow.add_routine(Total(), "total")
    flow.connect("source.output", "square.trigger")
    flow.connect("square.output", "total.trigger")
    return flow


@pytest.fixture(scope="module", params=EXECUTORS)
def executor(request):
    return request.param


@pytest.fixture(scope="module", params=DURABILITIES)
def manager(request, executor):
    settings = {"max_workers": 2, "scan_seconds": None}
    with JobManager(
        plugins=PLUGINS,
        discover=False,
        executor=executor,
        store=Memory(),
        durability=request.param,
        settings=settings,
    ) as made:
        yield made


def test_a_job_is_kept_with_all_that_it_did(manager):
    flow = squares()
    state = manager.execute(flow, "source", {"count": 20}, timeout=PATIENCE)

    assert state.status == "completed"
    assert state.stats("total")["total"] == sum(n * n for n in range(20))
    assert state.stats("square") == {"calls": 20}
    assert len(state.output_log) == 20
    check_kept(manager, state)
    check_all(flow, state)


def test_it_is_paused_and_goes_on(manager):
    flow = squares()
    state = manager.start_job(flow, "source", {"count": MANY})
    manager.pause(state.job_id, "for a while", {"by": "test"}, timeout=PATIENCE)
    check_kept(manager, state)
    assert manager.load(state.job_id).checkpoint == {"by": "test"}
    manager.resume(state.job_id)
    assert manager.wait_for_all_jobs(PATIENCE)
    assert state.stats("total")["total"] == sum(n * n for n in range(MANY))
    assert manager.load(state.job_id).stats("total") == state.stats("total")


def test_it_is_cancelled_with_all_that_was_left(manager):
    state = manager.start_job(squares(), "source", {"count": MANY})
    manager.cancel(state.job_id, "enough")
    check_kept(manager, state)
    assert state.status == "cancelled"
    assert len(manager.load(state.job_id).pending_tasks) == len(state.pending_tasks) > 0


# -- jobs in handlers ----------------------------------------------------------------------------------


class Outer(Routine):
    """Runs a job in its handler, and starts another that nobody waits for in it."""

    output = Event("total", "job_id")
    manager = None

    @slot
    def trigger(self, count):
        inner = self.manager.execute(squares(), "source", {"count": count})
        assert self.manager.load(inner.job_id).status == "completed"
        started = self.manager.start_job(squares(), "source", {"count": 2})
        self.emit("output", total=inner.stats("total")["total"], job_id=started.job_id)


@pytest.mark.parametrize("durability", DURABILITIES)
@pytest.mark.parametrize("executor", ["sequential", "threaded", "pooled"])
def test_a_handler_that_runs_jobs_of_its_own(executor, durability):
    """Even where there is one worker for all of them."""
    flow = Flow("outer")
    flow.add_routine(Outer(), "outer")
    with JobManager(
        plugins=PLUGINS,
        discover=False,
        executor=executor,
        store=Memory(),
        durability=durability,
        settings={"max_workers": 1, "scan_seconds": None},
    ) as manager:
        Outer.manager = manager
        states = [manager.start_job(flow, "outer", {"count": 5}) for _ in range(4)]
        assert manager.wait_for_all_jobs(PATIENCE)
        for state in states:
            assert state.status == "completed"
            [result] = manager.load(state.job_id).results["outer.output"]
            assert result["total"] == sum(n * n for n in range(5))
            check_kept(manager, state)
            started = manager.load(result["job_id"])
            assert started.status in {"completed", "cancelled"}  # it ends with the one that started it
        jobs = manager.jobs()
        assert len(jobs) == 3 * len(states)
        assert {job.owner for job in jobs} == {None}
        assert {job.note for job in jobs} == {""}


def test_what_is_kept_is_what_another_manager_loads(manager):
    flow = squares()
    state = manager.execute(flow, "source", {"count": 5}, timeout=PATIENCE)
    store = manager.keeping.store
    with JobManager(
        plugins=[sequential], discover=False, store=store, settings={"scan_seconds": None}
    ) as other:
        kept = other.load(state.job_id)
        assert JobState().deserialize(kept.serialize()).results == state.results
