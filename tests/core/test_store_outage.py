"""A store that does not answer for a while: what happens waits for it, nothing is lost or told twice."""

import os
import signal
import threading
from time import monotonic

import pytest

from routilux_core import (
    ClaimLost,
    Commit,
    Entry,
    Event,
    Flow,
    JobManager,
    Routine,
    StoreError,
    StoreUnavailable,
    UnknownJob,
    get_execution_context,
    slot,
)
from routilux_plugins.executors import pooled, sequential
from routilux_plugins.stores.memory.store import Memory
from tests.core.unreliable import Unreliable

PATIENCE = 20.0


class Counting(Routine):
    """Counts up to a number, and loses the store where it is told to."""

    output = Event("n")

    def __init__(self, store, *losses):
        super().__init__()
        self.store, self.losses = store, losses

    @slot
    def trigger(self, n):
        get_execution_context().job_state.append_to_shared_log(n)
        if n in self.losses:
            self.store.refused["commit"] = 1
        if n < 9:
            self.emit("output", n=n + 1)


def counting(store, *losses):
    flow = Flow("counting")
    flow.add_routine(Counting(store, *losses), "count")
    flow.connect("count.output", "count.trigger")
    return flow


class Gated(Routine):
    """Waits at a gate."""

    gate, inside = threading.Event(), threading.Event()

    @slot
    def trigger(self):
        self.inside.set()
        self.gate.wait(PATIENCE)


def gated():
    Gated.gate.clear()
    Gated.inside.clear()
    flow = Flow("gated")
    flow.add_routine(Gated(), "gated")
    return flow


@pytest.fixture
def store():
    return Unreliable()


def managed(store, **options):
    settings = {"scan_seconds": None, "outage_seconds": PATIENCE, **options.pop("settings", {})}
    return JobManager(plugins=[pooled, sequential], discover=False, store=store, settings=settings, **options)


@pytest.mark.parametrize("executor", ["sequential", "pooled"])
@pytest.mark.parametrize("durability", ["sync", "batch", "exit"])
def test_every_outage_is_waited_out_the_last_commit_included(store, executor, durability):
    """With a committer that sleeps on when a worker finds the store gone, the second one lasts for ever."""
    with managed(store, executor=executor, durability=durability) as manager:
        for flow in (counting(store, 9), counting(store, 3), counting(store, 1, 5, 9)):
            state = manager.execute(flow, "count", {"n": 0}, timeout=PATIENCE)

            assert state.status == "completed"
            assert list(manager.load(state.job_id).shared_log) == list(range(10))


@pytest.mark.parametrize("executor", ["sequential", "pooled"])
def test_an_outage_that_lasts_too_long_detaches_every_job_and_fails_none(store, executor):
    """A committer that gives up only what it had tried to write keeps the others waiting as long again."""
    flow, workers = gated(), {"max_workers": 4, "outage_seconds": 0.5, "claim_seconds": 0.3}
    with managed(store, executor=executor, settings=workers) as manager:
        states = [manager.start_job(flow, "gated") for _ in range(3)]
        jobs = [manager.get_job(state.job_id) for state in states]
        Gated.inside.wait(PATIENCE)
        store.there.clear()
        Gated.gate.set()
        for job in jobs if executor == "pooled" else jobs[:1]:
            with pytest.raises(StoreUnavailable, match="no answer to commit"):
                job.wait(PATIENCE)
        store.there.set()
        assert manager.load(jobs[0].job_id).status == "running"
        assert manager.wait_for_all_jobs(PATIENCE)
        detached = [job for job in jobs if job.detached is not None]
        while sum(manager.load(job.job_id).status == "completed" for job in detached) < len(detached):
            manager.recover()
            assert manager.wait_for_all_jobs(PATIENCE)
        assert {manager.load(state.job_id).status for state in states} == {"completed"}


def test_waiters_of_a_detached_job_are_told_in_time(store):
    """Each waits for as long as outages are waited out, not twice as long."""
    flow = gated()
    with managed(store, executor="pooled", settings={"outage_seconds": 1.0, "max_workers": 2}) as manager:
        last = manager.get_job(manager.start_job(flow, "gated").job_id)
        store.there.clear()
        threading.Timer(0.7, Gated.gate.set).start()
        with pytest.raises(StoreUnavailable):
            manager.start_job(flow, "gated")
        with pytest.raises(StoreUnavailable):
            assert last.wait(0.9)
        store.there.set()


@pytest.mark.parametrize("executor", ["sequential", "pooled"])
def test_what_came_through_unheard_counts_once(store, executor):
    flow = counting(store)
    for name in ("commit", "submit", "delete", "save_flow", "request"):
        store.unheard[name] = 1
    with managed(store, executor=executor) as manager:
        state = manager.execute(flow, "count", {"n": 0})
        assert list(manager.load(state.job_id).shared_log) == list(range(10))
        manager.delete(state.job_id)
        with pytest.raises(UnknownJob):
            manager.load(state.job_id)

        submitted = manager.submit(flow, "count", {"n": 0})
        manager.post(submitted.job_id, "count", n=9)
        assert manager.recover() == 1
        assert manager.wait_for_all_jobs(PATIENCE)
        assert sorted(manager.load(submitted.job_id).shared_log) == [*range(10), 9]
    assert not any(store.unheard.values())


def test_what_is_there_twice_without_an_outage_is_an_error(store):
    """The control of the above: only what may have come through unheard is taken for done."""
    with managed(store) as manager:
        with pytest.raises(UnknownJob):
            manager.delete("nobody")
        store.refused["delete"] = 1
        manager.delete("nobody")


def test_reading_waits_for_the_store(store):
    with managed(store) as manager:
        state = manager.execute(counting(store), "count", {"n": 0})
        for name in ("load", "history", "jobs", "delete"):
            store.refused[name] = 2
        assert manager.load(state.job_id).status == "completed"
        assert len(manager.history(state.job_id).records) == len(state.execution_history)
        assert [job.job_id for job in manager.jobs()] == [state.job_id]
        manager.delete(state.job_id)
    assert not any(store.refused.values())


@pytest.mark.parametrize("wait", [False, True])
def test_a_manager_shuts_down_while_its_store_is_gone(store, wait):
    manager = managed(store, executor="pooled", settings={"claim_seconds": 0.1})
    state = manager.start_job(gated(), "gated")
    Gated.inside.wait(PATIENCE)
    store.there.clear()
    if wait:
        Gated.gate.set()
    manager.shutdown(wait=wait, timeout=0.3)
    Gated.gate.set()

    store.there.set()
    with managed(store) as other:
        assert other.load(state.job_id).status == "running"
        while not other.recover():
            pass
        assert other.wait_for_all_jobs(PATIENCE)
        assert other.load(state.job_id).status == "completed"


def test_a_claim_that_came_through_unheard_is_no_reason_to_begin_anew(store):
    """The epoch is another than was expected, and nobody has run the job meanwhile."""
    flow = gated()
    with managed(store, executor="pooled") as manager:
        state = manager.start_job(flow, "gated")
        Gated.inside.wait(PATIENCE)
        job = manager.get_job(state.job_id)
        job.pause(timeout=0.01)
        Gated.gate.set()
        assert job.wait(PATIENCE)
        asked = (
            lambda: job.post("gated"),
            lambda: state.update_shared_data("key", "value"),
            lambda: manager.resume_state(flow, state),
        )
        for ask in asked:
            store.unheard["claim"] = 1
            ask()
            assert not store.unheard["claim"]
        assert job.wait(PATIENCE)
        assert state.status == "completed"
        assert manager.load(state.job_id).shared_data == {"key": "value"}
        assert len(manager.load(state.job_id).facts) == len(state.facts)


@pytest.mark.parametrize("executor", ["sequential", "pooled"])
def test_a_claim_that_comes_late_takes_the_job_from_nobody(store, executor):
    """A server that stood still may hear it after the one that took its place."""
    flow = counting(store)
    with managed(store, executor=executor) as manager:
        job_id = manager.submit(flow, "count", {"n": 0}).job_id
        store.late["claim"] = 1
        manager.resume(job_id)
        assert manager.wait_for_all_jobs(PATIENCE)
        assert not store._waiting  # noqa: SLF001 - it has come
        kept = manager.load(job_id)
        assert (kept.status, list(kept.shared_log)) == ("completed", list(range(10)))


def test_a_claim_that_comes_late_is_known_when_claims_are_renewed(store):
    flow = gated()
    with managed(store, executor="pooled", settings={"claim_seconds": 0.3}) as manager:
        job = manager.get_job(manager.start_job(flow, "gated").job_id)
        Gated.inside.wait(PATIENCE)
        while manager.load(job.job_id).current_routine_id is None:
            pass  # there is nothing more to write until the gate opens
        late = store.claim(job.job_id, manager.keeping.owner, PATIENCE)
        while job.epoch <= late.epoch:
            assert job.detached is None
        Gated.gate.set()
        assert job.wait(PATIENCE)
        assert manager.load(job.job_id).status == "completed"


def test_a_job_that_another_has_had_is_lost(store):
    """The control: it was claimed by somebody who wrote, or who still has it."""
    for writes in (True, False):
        flow, other = gated(), Memory(store._shelf)  # noqa: SLF001 - of the same jobs
        with managed(store, executor="pooled") as manager:
            job = manager.get_job(manager.start_job(flow, "gated").job_id)
            Gated.inside.wait(PATIENCE)
            claim = other.claim(job.job_id, "other", PATIENCE, {manager.keeping.owner})
            if writes:
                kept = other.load(job.job_id)
                last = kept.entries[-1].last + 1
                other.commit([Commit(claim=claim, head=kept.head, entries=(Entry(last, last, b"[1]"),))])
                other.release([claim])
            Gated.gate.set()
            with pytest.raises(ClaimLost):
                job.wait(PATIENCE)
            manager.shutdown(wait=False)


class Odd(Memory):
    """Loses the claim of one job, and raises what is no error of a store when that is looked at."""

    job_id = ""

    def claim(self, job_id, *given):
        if job_id == self.job_id:
            raise RuntimeError("a fault of the driver")
        return super().claim(job_id, *given)

    def commit(self, batch):
        mine = [commit for commit in batch if commit.claim.job_id == self.job_id]
        lost = super().commit([commit for commit in batch if commit not in mine])
        return lost | {commit.claim.job_id for commit in mine}

    def renew(self, claims, seconds):
        mine = {claim.job_id for claim in claims} & {self.job_id}
        return mine | super().renew([claim for claim in claims if claim.job_id not in mine], seconds)


@pytest.mark.parametrize("executor", ["sequential", "pooled"])
def test_a_fault_of_a_store_detaches_its_job_and_harms_no_other(executor):
    """It ended the committer's thread, and no job of the manager was ever over."""
    flow, store = gated(), Odd()
    with managed(store, executor=executor, settings={"max_workers": 2}) as manager:
        states = [manager.start_job(flow, "gated") for _ in range(2)]
        odd, neighbour = (manager.get_job(state.job_id) for state in states)
        Gated.inside.wait(PATIENCE)
        store.job_id = odd.job_id
        Gated.gate.set()

        with pytest.raises(StoreError, match=f"store of job '{odd.job_id}': it raised RuntimeError: a fault"):
            odd.wait(PATIENCE)
        assert neighbour.wait(PATIENCE)
        assert manager.load(neighbour.job_id).status == "completed"
        manager.shutdown(wait=False)


def test_a_fault_of_a_store_when_claims_are_renewed_detaches_its_job(caplog):
    flow, store = gated(), Odd()
    with managed(store, executor="pooled", settings={"claim_seconds": 0.3}) as manager:
        job = manager.get_job(manager.start_job(flow, "gated").job_id)
        Gated.inside.wait(PATIENCE)
        while manager.load(job.job_id).current_routine_id is None:
            pass  # there is nothing more to write until the gate opens
        store.job_id = job.job_id
        with pytest.raises(StoreError, match=f"store of job '{job.job_id}': it raised RuntimeError: a fault"):
            job.wait(PATIENCE)
        assert "could not be renewed" not in caplog.text
        Gated.gate.set()
        manager.shutdown(wait=False)


class Silent(Memory):
    """Says nothing of what was lost, which is against the contract."""

    def commit(self, batch):
        super().commit(batch)


@pytest.mark.parametrize("executor", ["sequential", "pooled"])
def test_a_store_that_breaks_its_contract_is_told_to_who_waits(executor):
    with managed(Silent(), executor=executor) as manager:
        with pytest.raises(StoreError, match="it raised TypeError"):
            manager.start_job(gated(), "gated")
        assert manager.running_jobs == []


OUTAGES = {
    "all": lambda store: store.there.clear(),
    "writing": lambda store: store.refused.update(commit=1 << 30),
}


@pytest.mark.parametrize("outage", OUTAGES)
@pytest.mark.parametrize("how", ["start_job", "execute"])
def test_an_interrupt_breaks_into_the_wait_for_the_store(store, outage, how):
    """A wait that runs to its end keeps the program for as long as outages are waited out."""
    flow = counting(store)
    with managed(store, executor="pooled") as manager:
        OUTAGES[outage](store)
        began = monotonic()
        signals = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
        signals.start()
        with pytest.raises(KeyboardInterrupt):
            getattr(manager, how)(flow, "count", {"n": 0})
        assert monotonic() - began < PATIENCE / 4
        signals.join()
        store.there.set()
        store.refused["commit"] = 0
        assert manager.wait_for_all_jobs(PATIENCE)
        started = manager.jobs()
        assert [job.status for job in started] == {
            ("start_job", "writing"): ["completed"],
            ("execute", "writing"): ["paused"],
        }.get((how, outage), [])
    assert manager.running_jobs == []


def test_a_pause_ends_at_its_time_limit_though_the_store_is_gone(store):
    """It waited until the store had it, however long that took."""
    flow = gated()
    with managed(store, executor="pooled") as manager:
        state = manager.start_job(flow, "gated")
        assert Gated.inside.wait(PATIENCE)
        store.there.clear()
        began = monotonic()
        manager.pause(state.job_id, timeout=0.2)
        assert monotonic() - began < PATIENCE / 4
        assert state.status == "pausing"
        store.there.set()
        Gated.gate.set()
        assert manager.wait_for_all_jobs(PATIENCE)
        assert manager.load(state.job_id).status == "paused"
