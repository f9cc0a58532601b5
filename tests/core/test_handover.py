"""A job that is paused belongs to nobody: another manager may go on with it, and the first one notices."""

import threading
from time import monotonic, sleep

import pytest

from routilux_core import (
    ClaimRefused,
    Event,
    Flow,
    FlowMismatch,
    InvalidTransition,
    JobLeft,
    JobManager,
    Routine,
    get_execution_context,
    slot,
)
from routilux_plugins.executors import pooled, sequential
from routilux_plugins.stores.memory.shelf import Shelf
from routilux_plugins.stores.memory.store import Memory

PATIENCE = 20.0
AT_ONCE = 1.5
"""Seconds within which another manager obeys."""


class Counting(Routine):
    """Counts on, and pauses or waits at the numbers that it is told."""

    output = Event("n")
    pauses = (3, 8, 13)
    waits = ()
    gate, inside = threading.Event(), threading.Event()

    @slot
    def trigger(self, n):
        context = get_execution_context()
        context.job_state.append_to_shared_log(n)
        if n in self.pauses:
            context.job.pause("for the other one", n)
        if n in self.waits:
            self.inside.set()
            assert self.gate.wait(PATIENCE)
        if n < 15:
            self.emit("output", n=n + 1)


def counting(*more):
    flow = Flow("counting")
    for name in ("count", *more):
        flow.add_routine(Counting(), name)
    flow.connect("count.output", "count.trigger")
    return flow


@pytest.fixture
def shelf():
    return Shelf()


@pytest.fixture
def managed(request, shelf, monkeypatch):
    """Make managers that share a store."""
    made, executor = [], getattr(request, "param", "pooled")
    monkeypatch.setattr("routilux_core.renewal.HEARING", 0.1)  # as it is, in tests/reliability
    Counting.waits = ()
    Counting.gate.clear()
    Counting.inside.clear()

    def make(**settings):
        manager = JobManager(
            plugins=[pooled, sequential],
            discover=False,
            executor=executor,
            store=Memory(shelf),
            settings={"scan_seconds": None, **settings},
        )
        made.append(manager)
        return manager

    yield make
    Counting.gate.set()
    for manager in made:
        manager.shutdown(wait=False)


def settle(manager, state):
    assert manager.wait_for_all_jobs(PATIENCE)
    kept = manager.load(state.job_id)
    assert (kept.status, list(kept.shared_log)) == (state.status, list(state.shared_log))
    assert len(kept.facts) == len(state.facts)
    return list(state.shared_log)


BOTH = pytest.mark.parametrize("managed", ["sequential", "pooled"], indirect=True)


@BOTH
@pytest.mark.parametrize("by", ["state", "id"])
def test_each_goes_on_where_the_other_left_off(managed, by):
    """With the job that it had before, the first one ran again what the other had done."""
    flow, one, other = counting(), managed(), managed()
    state = one.execute(flow, "count", {"n": 0})
    assert settle(one, state) == list(range(4))
    theirs = other.load(state.job_id)
    other.resume_state(flow, theirs)
    assert settle(other, theirs) == list(range(9))

    if by == "state":
        one.resume_state(flow, state)
    else:
        one.resume(state.job_id)
    assert settle(one, state) == list(range(14))

    other.resume(state.job_id)
    assert other.wait_for_all_jobs(PATIENCE)
    assert list(one.load(state.job_id).shared_log) == list(range(16))
    with pytest.raises(InvalidTransition, match="is completed and cannot become running"):
        one.resume(state.job_id)


@pytest.fixture
def passed_on(managed):
    """A job that one manager has paused and another one runs, which is in a handler."""
    Counting.waits = (5,)
    flow, one, other = counting(), managed(), managed()
    state = one.execute(flow, "count", {"n": 0})
    theirs = other.load(state.job_id)
    other.resume_state(flow, theirs)
    assert Counting.inside.wait(PATIENCE)
    return flow, one, state, theirs


def until(holds):
    """Wait until it holds, and see that it did not take longer than it may."""
    began = monotonic()
    while not holds():
        assert monotonic() - began < AT_ONCE
        sleep(0.01)  # the other manager has no way to tell


@pytest.mark.parametrize("by", ["id", "state"])
def test_a_pause_reaches_whoever_runs_it(passed_on, by):
    flow, one, state, theirs = passed_on
    if by == "id":
        one.pause(state.job_id, "asked for", {"at": 5})
    else:
        one.pause_state(flow, state, "asked for", {"at": 5}, None)
    until(lambda: theirs.status == "pausing")
    Counting.gate.set()
    until(lambda: one.load(state.job_id).status == "paused")
    assert one.load(state.job_id).checkpoint == {"at": 5}


def test_a_resume_of_what_runs_is_no_error(passed_on):
    flow, one, state, theirs = passed_on
    one.pause(state.job_id)
    until(lambda: theirs.status == "pausing")
    one.resume(state.job_id)
    until(lambda: theirs.status == "running")
    with pytest.raises(ClaimRefused):
        one.resume_state(flow, state)  # it would have to be this very state that runs


@pytest.mark.parametrize("by", ["id", "state"])
def test_a_cancel_reaches_whoever_runs_it(passed_on, by):
    flow, one, state, theirs = passed_on
    if by == "id":
        one.cancel(state.job_id, "asked for")
    else:
        one.cancel_state(flow, state, "asked for")
        assert state.status == "running"
    until(lambda: theirs.status == "cancelled")
    until(lambda: one.load(state.job_id).status == "cancelled")


def test_a_post_reaches_whoever_runs_it(passed_on):
    _, one, state, theirs = passed_on
    one.post(state.job_id, "count", n=100)
    until(lambda: 100 in [line.data.get("n") for line in theirs.get_execution_history()] or waits(theirs))
    Counting.gate.set()
    until(lambda: 100 in one.load(state.job_id).shared_log)


def waits(state):
    return any(task.data == {"n": 100} for task in state.pending_tasks)


def test_what_is_asked_of_a_job_that_ended_elsewhere_is_refused(passed_on):
    flow, one, state, theirs = passed_on
    Counting.pauses, pauses = (), Counting.pauses
    try:
        Counting.gate.set()
        until(lambda: theirs.status == "completed")
        until(lambda: one.load(state.job_id).status == "completed")
    finally:
        Counting.pauses = pauses
    for ask, wanted in (
        (lambda: one.pause(state.job_id), "become paused"),
        (lambda: one.resume(state.job_id), "become running"),
        (lambda: one.post(state.job_id, "count", n=1), "be posted to"),
        (lambda: one.cancel(state.job_id), "become cancelled"),
        (lambda: one.pause_state(flow, state, "", None, None), "become paused"),
    ):
        with pytest.raises(InvalidTransition, match=f"is completed and cannot {wanted}"):
            ask()


@BOTH
@pytest.mark.parametrize("kept", [None, 0, 3])
def test_a_state_is_its_own_when_the_manager_has_closed(managed, kept):
    """What is added to it waits for the manager that goes on with it, however little history is kept."""
    flow, one = counting(), managed(history=kept)
    state = one.execute(flow, "count", {"n": 0})
    job = state._job  # noqa: SLF001 - who holds on to the job is told, too
    state.update_shared_data("before", 1)
    one.shutdown()

    state.update_shared_data("after", 2)
    with pytest.raises(JobLeft, match="was left to its store, as its manager shut down"):
        job.post("count", n=1)
    other = managed(history=kept)
    other.resume_state(flow, state)
    assert other.wait_for_all_jobs(PATIENCE)
    state.update_shared_data("then", 3)
    loaded = other.load(state.job_id)
    assert loaded.shared_data == state.shared_data == {"before": 1, "after": 2, "then": 3}
    assert list(loaded.shared_log) == list(range(9))


@BOTH
def test_a_state_that_another_flow_refuses_is_as_the_store_has_it(managed):
    one, other = managed(), managed()
    state = one.execute(counting(), "count", {"n": 0})
    other.resume(state.job_id)
    assert other.wait_for_all_jobs(PATIENCE)
    with pytest.raises(FlowMismatch):
        one.resume_state(counting("another"), state)
    assert list(state.shared_log) == list(range(9))
    state.update_shared_data("key", "value")

    one.resume_state(counting("another"), state, accept_changes=True)
    assert settle(one, state) == list(range(14))
    assert one.load(state.job_id).shared_data == {"key": "value"}


def test_a_paused_job_that_was_deleted_is_taken_in_anew(managed):
    flow, one, other = counting(), managed(), managed()
    state = one.execute(flow, "count", {"n": 0})
    other.delete(state.job_id)
    one.resume_state(flow, state)
    assert settle(one, state) == list(range(9))


@BOTH
def test_a_flow_is_compared_with_what_the_store_has_of_the_job(managed):
    """The one that it was paused with here may be long ago."""
    one, other, changed = managed(), managed(), counting("another")
    state = one.execute(counting(), "count", {"n": 0})
    other.resume_state(changed, other.load(state.job_id), accept_changes=True)
    assert other.wait_for_all_jobs(PATIENCE)

    one.resume_state(changed, state)
    assert settle(one, state) == list(range(14))
