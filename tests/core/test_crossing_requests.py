"""What is asked of a job elsewhere just as it pauses, ends or changes hands is obeyed all the same."""

import threading
from time import monotonic, sleep

import pytest

from routilux_core import Event, Flow, JobManager, Routine, get_execution_context, slot
from routilux_plugins.executors import pooled
from routilux_plugins.stores.memory.shelf import Shelf
from routilux_plugins.stores.memory.store import Memory

PATIENCE = 20.0


class Step(Routine):
    """Notes its number and goes on with the next one up to 3; waits at 1 for the gate."""

    output = Event("n")
    gate, inside = threading.Event(), threading.Event()

    @slot
    def trigger(self, n):
        get_execution_context().job_state.append_to_shared_log(n)
        if n == 1:
            self.inside.set()
            assert self.gate.wait(PATIENCE)
        if n < 3:
            self.emit("output", n=n + 1)


def stepping():
    flow = Flow("stepping")
    flow.add_routine(Step(), "step")
    flow.connect("step.output", "step.trigger")
    return flow


class Slow(Memory):
    """Holds the first commit that gives a claim up until its manager has looked for requests twice more."""

    deaf = False
    """True when it looks just before they come."""

    def __init__(self, shelf):
        super().__init__(shelf)
        self.inside, self.asked, self.looks = threading.Event(), threading.Event(), threading.Semaphore(0)

    def commit(self, batch):
        if any(commit.release for commit in batch) and not self.inside.is_set():
            self.inside.set()
            assert self.asked.wait(PATIENCE)
            for _ in range(3):  # the first one may have begun before
                assert self.looks.acquire(timeout=PATIENCE)
        return super().commit(batch)

    def requests(self, owner):
        found = super().requests(owner)
        if self.asked.is_set():
            self.looks.release()
        return [] if self.deaf else found


@pytest.fixture
def shelf():
    return Shelf()


@pytest.fixture
def managed(monkeypatch):
    """Make managers."""
    made = []
    Step.gate.clear()
    Step.inside.clear()

    def make(store, *, hearing=0.02):
        monkeypatch.setattr("routilux_core.renewal.HEARING", hearing)
        settings = {"scan_seconds": None}
        manager = JobManager(
            plugins=[pooled], discover=False, executor="pooled", store=store, settings=settings
        )
        made.append(manager)
        return manager

    yield make
    Step.gate.set()
    for manager in made:
        manager.shutdown(wait=False)


def until(holds):
    began = monotonic()
    while not holds():
        assert monotonic() - began < PATIENCE
        sleep(0.01)  # the other manager has no way to tell


def ask(manager, kind, job_id):
    if kind == "post":
        manager.post(job_id, "step", n=3)
    else:
        getattr(manager, kind)(job_id)


def ends(manager, job_id, kind):
    """See that the job ends as it should that was asked for this, and keeps to it."""
    status = {"cancel": "cancelled", "pause": "paused"}.get(kind, "completed")
    until(lambda: manager.load(job_id).status == status)
    assert manager.wait_for_all_jobs(PATIENCE)
    assert manager.load(job_id).status == status
    assert manager.keeping.store.waiting_requests(job_id) == []
    log = sorted(manager.load(job_id).shared_log)
    assert log == {"post": [1, 2, 3, 3], "resume": [1, 2, 3]}.get(kind, [1])


def in_thread(call, *given):
    thread = threading.Thread(target=call, args=given, daemon=True)
    thread.start()
    return thread


@pytest.mark.parametrize("kind", ["cancel", "pause", "post"])
def test_a_request_to_a_job_that_is_just_left_is_for_the_next_owner(managed, shelf, kind):
    """Answered by the one that leaves, which does not obey any more, it is lost."""
    store = Slow(shelf)
    one, other = managed(store), managed(Memory(shelf))
    job_id = one.start_job(stepping(), "step", {"n": 1}).job_id
    assert Step.inside.wait(PATIENCE)
    leaving = in_thread(one.shutdown, False)
    until(lambda: one.closed)
    Step.gate.set()
    assert store.inside.wait(PATIENCE)
    ask(other, kind, job_id)
    store.asked.set()
    leaving.join(PATIENCE)

    assert other.recover() == 1

    ends(other, job_id, kind)


@pytest.mark.parametrize("kind", ["cancel", "resume"])
def test_a_request_to_a_job_whose_pause_is_being_written_is_obeyed(managed, shelf, kind):
    """A resume that counts as answered, since there is nothing to take back any more, is lost."""
    store = Slow(shelf)
    one, other = managed(store), managed(Memory(shelf))
    job_id = one.start_job(stepping(), "step", {"n": 1}).job_id
    assert Step.inside.wait(PATIENCE)
    one.pause(job_id, timeout=0.01)
    Step.gate.set()
    assert store.inside.wait(PATIENCE)
    ask(other, kind, job_id)
    store.asked.set()

    ends(one, job_id, kind)


@pytest.mark.parametrize("kind", ["cancel", "pause", "post"])
def test_what_its_owner_never_heard_holds_for_who_takes_the_job_up(managed, shelf, kind):
    """A pause that comes to a job before it goes on pauses nothing, and is lost."""
    one, other = managed(Memory(shelf), hearing=PATIENCE), managed(Memory(shelf), hearing=PATIENCE)
    job_id = one.start_job(stepping(), "step", {"n": 1}).job_id
    assert Step.inside.wait(PATIENCE)
    ask(other, kind, job_id)
    leave(one)

    assert other.recover() == 1

    ends(other, job_id, kind)


@pytest.mark.parametrize("kind", ["cancel", "pause", "resume"])
def test_what_was_asked_of_a_job_that_was_about_to_pause_holds_too(managed, shelf, kind):
    """Who takes such a job up leaves it paused, and must not leave the requests with it."""
    one, other = managed(Memory(shelf), hearing=PATIENCE), managed(Memory(shelf), hearing=PATIENCE)
    job_id = one.start_job(stepping(), "step", {"n": 1}).job_id
    assert Step.inside.wait(PATIENCE)
    one.pause(job_id, "to look at it", timeout=0.01)
    ask(other, kind, job_id)
    leave(one)

    assert other.recover() == 1

    ends(other, job_id, kind)
    assert [point.reason for point in other.load(job_id).pause_points][:1] == ["to look at it"]


def test_a_job_that_is_taken_up_and_paused_at_once_has_run_nothing(managed, shelf):
    one, other = managed(Memory(shelf), hearing=PATIENCE), managed(Memory(shelf), hearing=PATIENCE)
    job_id = one.start_job(stepping(), "step", {"n": 1}).job_id
    assert Step.inside.wait(PATIENCE)
    other.pause(job_id, "asked for", {"at": 1})
    leave(one)
    other.recover()
    until(lambda: other.load(job_id).status == "paused")

    paused = other.load(job_id)

    assert (list(paused.shared_log), len(paused.pending_tasks), paused.checkpoint) == ([1], 1, {"at": 1})
    other.resume(job_id)
    ends(other, job_id, "resume")


def leave(manager):
    """Shut a manager down whose handler is about to return."""
    leaving = in_thread(manager.shutdown, False)
    until(lambda: manager.closed)
    Step.gate.set()
    leaving.join(PATIENCE)


@pytest.mark.parametrize("kind", ["cancel", "pause", "post", "resume"])
def test_a_request_to_a_job_that_is_paused_before_it_is_heard_is_obeyed(managed, shelf, kind):
    """An owner that looks only for its running jobs leaves it in the store until somebody resumes the job."""
    store = Slow(shelf)
    store.deaf = True
    one, other = managed(store), managed(Memory(shelf))
    job_id = one.start_job(stepping(), "step", {"n": 1}).job_id
    assert Step.inside.wait(PATIENCE)
    one.pause(job_id, timeout=0.01)
    ask(other, kind, job_id)
    store.asked.set()
    Step.gate.set()

    until(lambda: not other.keeping.store.waiting_requests(job_id))
    if kind == "post":
        other.resume(job_id)
        assert other.wait_for_all_jobs(PATIENCE)
    ends(one, job_id, kind)


@pytest.mark.parametrize("kind", ["cancel", "post"])
def test_what_comes_too_late_for_a_job_is_reported_by_who_asked(managed, shelf, kind, caplog):
    """The owner looks only for its running jobs, so nobody would ever say that nothing came of it."""
    store = Slow(shelf)
    store.deaf = True
    one, other = managed(store), managed(Memory(shelf))
    job_id = one.start_job(stepping(), "step", {"n": 1}).job_id
    assert Step.inside.wait(PATIENCE)
    ask(other, kind, job_id)
    store.asked.set()
    Step.gate.set()

    until(lambda: "came too late" in caplog.text)

    assert f"job {job_id}: a request to {kind} came too late" in caplog.text
    assert "is completed and cannot be" in caplog.text
