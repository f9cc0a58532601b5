"""Versions of a flow in a store: a job can be read for ever, whichever it has had and are pruned."""

from datetime import UTC, datetime, timedelta
from time import time

import pytest

from routilux_core import (
    DamagedStore,
    Event,
    Flow,
    FlowMismatch,
    JobManager,
    NewerStore,
    Routine,
    get_execution_context,
    slot,
    version_shelf,
)
from routilux_core.version_shelf import VersionShelf
from routilux_plugins.executors import sequential
from routilux_plugins.stores.memory.shelf import Shelf
from routilux_plugins.stores.memory.store import Memory


class Pausing(Routine):
    """Pauses at every step."""

    output = Event("n")

    @slot
    def trigger(self, n):
        context = get_execution_context()
        context.job.pause("at each step", n)
        if n < 9:
            self.emit("output", n=n + 1)


class Aside(Routine):
    """Has nothing to do."""

    @slot
    def trigger(self):
        pass


def flow_with(aside=0, **config):
    flow = Flow("versions")
    pausing = Pausing()
    pausing.set_config(**config)
    flow.add_routine(pausing, "step")
    flow.connect("step.output", "step.trigger")
    for number in range(aside):
        flow.add_routine(Aside(), f"aside{number}")
    return flow


@pytest.fixture
def shelf():
    return Shelf()


@pytest.fixture
def managed(shelf):
    """Make managers, each as if in a process of its own, some days ago by the clock of the store."""

    def make(days=10):
        store = Memory(shelf, clock=lambda: time() - days * 86_400)
        settings = {"scan_seconds": None}
        return JobManager(plugins=[sequential], discover=False, store=store, settings=settings)

    return make


def prune(managed):
    with managed() as manager:
        manager.prune(datetime.now(UTC) - timedelta(days=1))


def go_on(managed, job_id, flow, **options):
    with managed() as manager:
        state = manager.load(job_id)
        manager.resume_state(flow, state, **options)
        assert manager.wait_for_all_jobs(20)
        return len(state.facts)


def check(managed, job_id, facts, steps):
    with managed() as manager:
        state = manager.load(job_id)
        assert len(state.facts) == facts
        assert [point.checkpoint for point in state.pause_points] == list(range(steps))
        lines = list(state.execution_history)
        assert list(manager.history(job_id).records) == lines
        manager.resume(job_id)
        assert manager.wait_for_all_jobs(20)
        assert len(manager.load(job_id).facts) > facts


def through_versions(managed, shelf):
    """Take a job through four versions, and prune all that no job has now."""
    with managed() as manager:
        job_id = manager.execute(flow_with(0), "step", {"n": 0}).job_id
    facts = 0
    for aside in (1, 2, 3):
        with pytest.raises(FlowMismatch, match=f"aside{aside - 1}"):
            go_on(managed, job_id, flow_with(aside))
        facts = go_on(managed, job_id, flow_with(aside), accept_changes=True)
    assert len(shelf.flows) == 4
    prune(managed)
    assert len(shelf.flows) == 1
    check(managed, job_id, facts, 4)


def test_a_job_is_read_that_has_had_versions_which_are_gone(managed, shelf):
    through_versions(managed, shelf)


def test_a_job_whose_versions_are_forgotten_cannot_be_read(managed, shelf, monkeypatch):
    """The control: a version that names none of those before."""
    monkeypatch.setattr(VersionShelf, "_following", lambda shelf, found, before: found)
    with pytest.raises(OSError, match="it is not there any more"):
        through_versions(managed, shelf)


def test_another_configuration_is_another_version(managed, shelf):
    """The fingerprint is the same, and the first facts name the version that the job began with."""
    with managed() as manager:
        job_id = manager.execute(flow_with(greeting="hello"), "step", {"n": 0}).job_id
    facts = go_on(managed, job_id, flow_with(greeting="good morning"))
    assert len(shelf.flows) == 2
    prune(managed)
    assert len(shelf.flows) == 1
    check(managed, job_id, facts, 2)


def test_a_version_is_the_same_for_all_jobs_that_have_had_the_same(managed, shelf):
    with managed() as manager:
        ids = [manager.execute(flow_with(), "step", {"n": 0}).job_id for _ in range(3)]
    for _ in range(3):
        for job_id in ids:
            go_on(managed, job_id, flow_with(1), accept_changes=True)
        assert len(shelf.flows) == 2


@pytest.mark.parametrize(
    ("content", "kind", "said"),
    [
        (b"{broken", DamagedStore, "it is no JSON; restore it from a backup"),
        (b'{"kind": "flow_version", "schema": 9}', NewerStore, "has schema 9"),
    ],
)
def test_a_version_that_cannot_be_read_is_a_trouble_of_the_store(managed, shelf, content, kind, said):
    with managed() as manager:
        job_id = manager.submit(flow_with(), "step", {"n": 0}).job_id
    [key] = shelf.flows
    shelf.flows[key] = content, shelf.flows[key][1]
    with managed() as manager:
        with pytest.raises(kind, match=f"store of flow 'versions'.*{said}"):
            manager.flow_of(*key)
        with pytest.raises(kind, match=f"store of job '{job_id}'.*{said}"):
            manager.load(job_id)


def test_no_more_fingerprints_are_remembered_than_some(managed, shelf, monkeypatch):
    monkeypatch.setattr(version_shelf, "MOST", 2)
    through_versions(managed, shelf)
    with managed() as manager:
        for aside in range(6):
            manager.execute(flow_with(aside), "step", {"n": 0})
        assert len(manager.keeping.versions._lines) == 2  # noqa: SLF001 - nobody else counts them
        assert {manager.load(job.job_id).status for job in manager.jobs()} == {"paused"}


def test_what_is_in_use_or_just_saved_is_kept(managed, shelf):
    with managed(days=0) as manager:
        job_id = manager.execute(flow_with(), "step", {"n": 0}).job_id
        other = manager.execute(flow_with(1), "step", {"n": 0})
        manager.cancel(other.job_id)
        manager.prune(datetime.now(UTC) + timedelta(hours=1))
        assert [job.job_id for job in manager.jobs()] == [job_id]
        assert len(shelf.flows) == 2  # one was saved just now, for a job that may be about to come
        manager.resume(job_id)
