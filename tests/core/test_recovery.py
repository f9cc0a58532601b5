"""Jobs that nobody has are taken up by whoever can, each once; those that cannot be are in nobody's way."""

import logging
import subprocess
import sys
import threading
from pathlib import Path
from time import monotonic, time

import pytest

from routilux_core import (
    DamagedStore,
    Event,
    Flow,
    JobManager,
    Registrar,
    Routine,
    StoreError,
    StoreUnavailable,
    hookimpl,
    owner,
    slot,
)
from routilux_plugins.executors import pooled, sequential
from routilux_plugins.stores.memory.shelf import Shelf
from routilux_plugins.stores.memory.store import Memory
from tests.core.unreliable import Unreliable

PATIENCE = 20.0


class Waiting(Routine):
    """Waits at a gate that all share."""

    output = Event("n")
    gate = threading.Event()

    @slot
    def trigger(self, n=0):
        assert self.gate.wait(PATIENCE)
        self.emit("output", n=n)


@pytest.fixture(autouse=True)
def _gate():
    Waiting.gate.clear()
    yield
    Waiting.gate.set()


def waiting(flow_id="waiting", *routines):
    flow = Flow(flow_id)
    flow.add_routine(Waiting(), "wait")
    for number, routine in enumerate(routines):
        flow.add_routine(routine, f"more{number}")
    return flow


def managed(store, *plugins, **settings):
    return JobManager(
        plugins=[pooled, sequential, *plugins],
        discover=False,
        executor="pooled",
        store=store,
        settings={"scan_seconds": None, "max_workers": 2, **settings},
    )


def submit(store, count, flow=None):
    with managed(store) as manager:
        return [manager.submit(flow or waiting(), "wait", {"n": number}).job_id for number in range(count)]


def notes(manager):
    return {job.note for job in manager.jobs()}


def until(holds):
    began = monotonic()
    while not holds():
        assert monotonic() - began < PATIENCE


def test_everything_is_taken_up_when_it_returns():
    store = Memory()
    ids = submit(store, 45)
    with managed(store) as manager:
        assert manager.recover() == 45
        assert {job.job_id for job in manager.running_jobs} == set(ids)
        assert {job.owner for job in manager.jobs()} == {manager.keeping.owner}
        assert manager.recover() == 0
        Waiting.gate.set()
        assert manager.wait_for_all_jobs(PATIENCE)
        assert {job.status for job in manager.jobs()} == {"completed"}


def test_there_is_never_more_than_was_allowed_and_room_is_filled_at_once():
    store = Memory()
    submit(store, 7)
    with managed(store, max_jobs=3, scan_seconds=PATIENCE) as manager:
        assert manager.recover() == 3
        assert manager.recover() == 0
        assert len(manager.running_jobs) == 3
        Waiting.gate.set()
        until(lambda: {job.status for job in manager.jobs()} == {"completed"})


def test_a_manager_takes_nothing_from_itself():
    """With claims that ran out it claimed its own jobs anew, and every one of them was detached."""
    now = [time()]
    store = Memory(clock=lambda: now[0])
    with managed(store, claim_seconds=1000) as manager:
        states = [manager.start_job(waiting(), "wait") for _ in range(3)]
        now[0] += 2000
        assert manager.recover() == 0
        assert notes(manager) == {""}
        Waiting.gate.set()
        assert manager.wait_for_all_jobs(PATIENCE)
        assert {manager.load(state.job_id).status for state in states} == {"completed"}


UNKNOWN = "LookupError: nobody here knows flow waiting"


def unknowing(manager, monkeypatch):
    """Make a manager one that cannot make the flows of jobs again."""

    def flow_of(flow_id, version):
        raise LookupError(f"nobody here knows flow {flow_id}")

    monkeypatch.setattr(manager, "flow_of", flow_of)
    return manager


class Late(Memory):
    """Comes too late for every job, while a test says so."""

    late = False

    def claim_next(self, *given, **named):
        return [] if self.late else super().claim_next(*given, **named)


def test_who_knows_more_takes_up_what_others_could_not(monkeypatch):
    """It looked at such jobs but once, when it started."""
    shelf = Shelf()
    store = Late(shelf)
    with managed(store, scan_seconds=0.02) as knowing, managed(Memory(shelf)) as other:
        until(lambda: knowing.recovery._look_at)  # noqa: SLF001 - its first look is over
        store.late = True
        [job_id] = submit(Memory(shelf), 1)
        assert unknowing(other, monkeypatch).recover() == 0
        assert notes(other) == {UNKNOWN}
        store.late = False
        Waiting.gate.set()
        until(lambda: knowing.load(job_id).status == "completed")
        assert notes(other) == {""}


def test_who_learns_more_is_asked_again(monkeypatch):
    """What it could not take up before is tried again when somebody says so."""
    store = Memory()
    submit(store, 3)
    with managed(store) as manager:
        with monkeypatch.context() as patch:
            unknowing(manager, patch)
            assert manager.recover() == 0
            assert manager.recover() == 0
        assert notes(manager) == {UNKNOWN}
        assert manager.recover() == 3
        Waiting.gate.set()
        assert manager.wait_for_all_jobs(PATIENCE)
        assert notes(manager) == {""}


def test_a_registered_flow_is_taken_where_the_stored_one_cannot_be_made():
    class Own(Routine):
        def __init__(self, secret):
            super().__init__()
            self.secret = secret

        @slot
        def trigger(self):
            pass

    class Flows:
        @hookimpl
        def register_components(self, registrar: Registrar) -> None:
            registrar.flow("own", lambda: waiting("own", Own("hush")))

    store = Memory()
    submit(store, 1, waiting("own", Own("hush")))
    with managed(store) as manager:
        assert manager.recover() == 0
        [note] = notes(manager)
        assert "secret" in note
    with managed(store, Flows()) as manager:
        assert manager.recover() == 1
        Waiting.gate.set()


def test_an_outage_is_no_reason_to_leave_a_job_alone(monkeypatch):
    store = Unreliable()
    submit(store, 2)
    with managed(store, outage_seconds=0.05) as manager:
        with monkeypatch.context() as patch:
            unknowing(manager, patch)
            manager.recover()
        for name in ("load", "claim", "load_flow", "waiting_requests"):
            store.refused[name] = 1_000
            with pytest.raises(StoreUnavailable):
                manager.recover()
            store.refused[name] = 0
        assert notes(manager) == {UNKNOWN}
        manager.recovery.scan(set(), thorough=False)
        until(lambda: manager.recover() or len(manager.running_jobs) == 2)
        Waiting.gate.set()


@pytest.mark.parametrize("name", ["owners", "claim_next", "load", "jobs", "release"])
def test_who_recovers_waits_an_outage_out(name):
    """One that gave up what it had claimed but once left those jobs to nobody for as long as claims last."""
    store = Unreliable()
    submit(store, 3)
    with managed(store) as manager:
        store.refused[name] = store.refused["release"] = 2
        assert manager.recover() == 3
        Waiting.gate.set()


def test_an_outage_while_jobs_are_looked_for_holds_no_shutdown_up():
    store = Unreliable()
    submit(store, 1)
    store.refused["load_flow"] = 10_000
    manager = managed(store, scan_seconds=0.02, outage_seconds=2 * PATIENCE)
    until(lambda: store.refused["load_flow"] < 10_000)
    began = monotonic()
    manager.shutdown()
    assert monotonic() - began < PATIENCE / 2


class Broken(Memory):
    """Says of some jobs that they are damaged, and of its disk that it is full."""

    damaged = frozenset()
    full = False

    def load(self, job_id):
        if job_id in self.damaged:
            raise DamagedStore("broken", "it is no entry", f"job {job_id}")
        return super().load(job_id)

    def save_flow(self, *given):
        if self.full:
            raise StoreError("broken", "the disk is full; make room")
        super().save_flow(*given)


def test_damaged_jobs_are_in_nobody_s_way(caplog):
    """Given up at once they came again and again, the oldest first, and nobody else's turn ever came."""
    store = Broken()
    store.damaged = set(submit(store, 30))
    good = submit(store, 5)
    caplog.set_level(logging.WARNING)
    with managed(store) as manager:
        assert manager.recover() == 5
        assert {job.job_id for job in manager.running_jobs} == set(good)
        assert len([record for record in caplog.records if "is damaged" in record.message]) == 30
        assert manager.recover() == 0
        assert len([record for record in caplog.records if "is damaged" in record.message]) == 30
        for job_id in store.damaged:
            manager.delete(job_id)  # nobody has it
        Waiting.gate.set()


def test_a_full_disk_is_no_property_of_a_job():
    store = Broken()
    submit(store, 3)
    store.full = True
    with managed(store) as manager:
        assert manager.recover() == 0
        assert notes(manager) == {""}
        store.full = False
        assert manager.recover() == 3
        Waiting.gate.set()


class Hidden(type(Path())):
    """A file that a host shows to nobody but its owner, as others' processes may be hidden in /proc."""

    def read_text(self, *_):
        raise FileNotFoundError(self)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the system shows no processes")
@pytest.mark.parametrize("hidden", [False, True])
def test_who_is_hidden_is_not_taken_for_gone(hidden, monkeypatch):
    child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    try:
        place, _, _, rest = owner.new_owner().split("/")
        name = f"{place}/{child.pid}/{owner._start(child.pid)}/{rest}"  # noqa: SLF001 - as it would name itself
        if hidden:
            owner._place()  # noqa: SLF001 - what is in /proc of oneself is shown
            monkeypatch.setattr(owner, "Path", Hidden)
        assert owner.dead([name]) == set()
    finally:
        child.communicate()
    assert owner.dead([name]) == {name}
