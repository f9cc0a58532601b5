"""What is asked of a job that nobody has is done at once, or waits for whoever takes it up."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from routilux_core import (
    ClaimRefused,
    Event,
    Flow,
    InvalidName,
    InvalidOption,
    InvalidTransition,
    JobManager,
    NoStore,
    Routine,
    UnknownJob,
    UnknownOption,
    slot,
)
from routilux_plugins.executors import pooled, sequential
from routilux_plugins.stores.memory.shelf import Shelf
from routilux_plugins.stores.memory.store import Memory

PATIENCE = 20.0
HOSTILE = (
    "../../etc/passwd",
    "",
    "a b",
    "x" * 200,
    "a\0b",
    ".hidden",
    "\ud800",
    "a'; DROP TABLE job",
    5,
    None,
)


class Counting(Routine):
    output = Event("n")

    @slot
    def trigger(self, n):
        if n:
            self.emit("output", n=n - 1)


def counting(flow_id="counting"):
    flow = Flow(flow_id)
    flow.add_routine(Counting(), "count")
    flow.connect("count.output", "count.trigger")
    return flow


@pytest.fixture
def shelf():
    return Shelf()


@pytest.fixture
def manager(shelf):
    with managed(shelf) as made:
        yield made


def managed(shelf, **settings):
    return JobManager(
        plugins=[pooled, sequential],
        discover=False,
        store=Memory(shelf),
        settings={"scan_seconds": None, **settings},
    )


def test_a_submitted_job_waits_for_whoever_takes_it_up(shelf, manager):
    state = manager.submit(counting(), "count", {"n": 3}, metadata={"by": "ann"})
    kept = manager.load(state.job_id)
    assert (kept.status, kept.metadata, len(kept.pending_tasks)) == ("pending", {"by": "ann"}, 1)
    manager.post(state.job_id, "count", n=1)
    with pytest.raises(InvalidTransition, match="is pending and cannot become paused"):
        manager.pause(state.job_id)
    with managed(shelf) as other:
        other.resume(state.job_id)
        assert other.wait_for_all_jobs(PATIENCE)
    kept = manager.load(state.job_id)
    assert kept.status == "completed"
    assert sorted(line.data["n"] for line in kept.get_execution_history() if line.event_name == "start") == [
        0, 0, 1, 1, 2, 3,
    ]  # fmt: skip


def test_a_submitted_job_may_be_cancelled(manager):
    state = manager.submit(counting(), "count", {"n": 3})
    manager.cancel(state.job_id, "not wanted")
    assert manager.load(state.job_id).status == "cancelled"
    assert manager.recover() == 0
    manager.cancel(state.job_id)  # what already holds is no error
    for ask, wanted in (
        (lambda: manager.resume(state.job_id), "become running"),
        (lambda: manager.pause(state.job_id), "become paused"),
        (lambda: manager.post(state.job_id, "count", n=1), "be posted to"),
    ):
        with pytest.raises(InvalidTransition, match=f"is cancelled and cannot {wanted}"):
            ask()


def test_submit_takes_what_belongs_to_the_job_and_not_how_this_manager_would_run_it(manager):
    for name, value in (("executor", "pooled"), ("monitors", [print]), ("job_state", None), ("bogus", 1)):
        with pytest.raises(UnknownOption, match=f"submit has no '{name}'; it has: .*metadata"):
            manager.submit(counting(), "count", **{name: value})
    assert manager.jobs() == []


def test_jobs_are_listed_by_flow_status_and_time_a_page_at_a_time(manager):
    ids = []
    for number in range(12):
        flow = counting("even" if number % 2 == 0 else "odd")
        ids.append(manager.submit(flow, "count", {"n": 1}).job_id)
    for job_id in ids[:4]:
        manager.cancel(job_id)

    pages, before = [], None
    while page := manager.jobs(before=before, limit=5):
        pages.append([job.job_id for job in page])
        before = page[-1]
    assert [len(page) for page in pages] == [5, 5, 2]
    assert [job_id for page in pages for job_id in page] == ids[::-1]
    assert [job.job_id for job in manager.jobs(flow_id="odd")] == ids[::-2]
    assert [job.job_id for job in manager.jobs("even", "cancelled")] == [ids[2], ids[0]]
    assert [job.job_id for job in manager.jobs("even", ["pending", "cancelled"], limit=1)] == [ids[10]]
    assert {job.status for job in manager.jobs(status={"pending"})} == {"pending"}


def test_what_is_over_may_be_deleted_and_what_somebody_runs_may_not(shelf, manager):
    gate = threading.Event()

    class Gated(Routine):
        @slot
        def trigger(self):
            assert gate.wait(PATIENCE)

    flow = Flow("gated")
    flow.add_routine(Gated(), "gated")
    with managed(shelf) as other:
        state = other.start_job(flow, "gated", executor="pooled")
        for one in (manager, other):
            with pytest.raises(ClaimRefused, match="has it"):
                one.delete(state.job_id)
        gate.set()
        assert other.wait_for_all_jobs(PATIENCE)
    manager.delete(state.job_id)
    for ask in (manager.load, manager.delete, manager.history, manager.resume, manager.cancel):
        with pytest.raises(UnknownJob, match="nor has its store"):
            ask(state.job_id)


def test_prune_forgets_what_is_over_since_then(manager):
    over = manager.execute(counting(), "count", {"n": 1}).job_id
    pending = manager.submit(counting(), "count", {"n": 1}).job_id
    now = datetime.now(UTC)
    assert manager.prune(now - timedelta(minutes=1)) == 0
    assert manager.prune(now + timedelta(minutes=1)) == 1
    assert [job.job_id for job in manager.jobs()] == [pending]
    with pytest.raises(UnknownJob):
        manager.load(over)


@pytest.mark.parametrize("name", HOSTILE, ids=repr)
def test_hostile_ids_are_refused_where_they_come_in(manager, name):
    asked = (
        manager.load,
        manager.delete,
        manager.history,
        manager.pause,
        manager.resume,
        manager.cancel,
        lambda job_id: manager.post(job_id, "count", n=1),
    )
    for ask in asked:
        with pytest.raises(InvalidName, match="is not a job id; use 1 to 128 of A-Z a-z 0-9"):
            ask(name)
    assert manager.get_job(name) is None
    if name is not None:
        with pytest.raises(InvalidName, match="is not a flow id; use 1 to 128 of"):
            manager.jobs(flow_id=name)


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda manager: manager.jobs(limit=0), "limit cannot be 0; it takes a whole number from 1 up"),
        (lambda manager: manager.jobs(limit=None), "limit cannot be None"),
        (lambda manager: manager.jobs(status="done"), "status cannot be 'done'; it takes one of: pending"),
        (lambda manager: manager.jobs(status=[[]]), r"status cannot be \[\]"),
        (lambda manager: manager.jobs(status=5), "status cannot be 5"),
        (lambda manager: manager.jobs(before=5), "before cannot be 5; it takes the last job of the page"),
        (lambda manager: manager.history("a", limit=0), "limit cannot be 0"),
        (lambda manager: manager.history("a", after=-1), "after cannot be -1; it takes a whole number from"),
        (lambda manager: manager.history("a", after=True), "after cannot be True"),
        (lambda manager: manager.prune("today"), "before cannot be 'today'; it takes a datetime"),
        (lambda manager: manager.prune(datetime.min), "it takes a datetime of the years 2 to 9998"),  # noqa: DTZ901
    ],
)
def test_wrong_pages_and_times_are_refused(manager, ask, said):
    with pytest.raises(InvalidOption, match=said):
        ask(manager)


@pytest.mark.parametrize("name", ["load", "history", "delete", "recover", "prune", "submit"])
def test_what_needs_a_store_says_so(name):
    given = {"submit": (counting(), "count"), "recover": (), "prune": (datetime.now(UTC),)}
    with (
        JobManager(plugins=[sequential], discover=False) as manager,
        pytest.raises(NoStore, match=r"without a store; name one: JobManager\(store='sqlite:///jobs\.db'\)"),
    ):
        getattr(manager, name)(*given.get(name, ("job",)))
