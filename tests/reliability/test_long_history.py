"""A job with a long history is resumed at once, looked at a page at a time, and has all of it for who looks.

`TEST_FACTS=1000000 pytest -s tests/reliability/test_long_history.py` makes jobs of a million facts.
"""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from routilux_core import ErrorHandler, Event, Flow, JobManager, Routine, get_execution_context, slot
from routilux_core.journal import Journal
from routilux_core.plain_bytes import loads
from routilux_core.snapshot_document import LOGS
from routilux_plugins.executors import sequential
from routilux_plugins.stores.memory.store import Memory
from tests.reliability.keeping import check_kept
from tests.reliability.long import Counting, long_flow, managed

ROOT = Path(__file__).parents[2]
FACTS = int(os.environ.get("TEST_FACTS", "60000"))
KINDS = ("plain", "gathering")
SECONDS = 1.0
"""To the first call of a handler, however long the history is."""
PAGE, MIB_OF_PAGES = 1000, 8


def run(*arguments):
    """Run something with a job in a process of its own, and return what it says."""
    command = [sys.executable, "-m", "tests.reliability.long", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


@pytest.fixture(scope="module", params=KINDS)
def long_job(request, tmp_path_factory):
    """URL and account of a job with many facts."""
    url = f"sqlite:///{tmp_path_factory.mktemp('long')}/jobs.db"
    made = run("make", url, request.param, FACTS, "sync")
    assert made["facts"] >= FACTS
    return url, made, request.param


@pytest.mark.slow
@pytest.mark.timeout(60 + FACTS // 5_000)
def test_a_history_is_read_a_page_at_a_time(long_job, tell):
    url, made, kind = long_job
    found, whole = run("pages", url, made["job_id"], PAGE), run("whole", url, made["job_id"])
    tell(f"{kind}: {found}, as a whole {whole}")

    assert found["lines"] > made["facts"] / 2
    assert found["grown"] < MIB_OF_PAGES < whole["grown"]  # the control: it would be found
    assert found["longest"] < SECONDS


@pytest.mark.slow
@pytest.mark.timeout(60 + FACTS // 5_000)
def test_a_job_with_a_long_history_goes_on_at_once(long_job, tell):
    url, made, kind = long_job
    found = run("go_on", url, made["job_id"])
    tell(f"{kind}: {made}, {found}")

    assert found["seconds"] < SECONDS
    assert made["read"] < made["facts"] / 2  # the control of that: most of it was not read


# -- what there is for who looks -----------------------------------------------------------------------


PAUSE = 60
"""After so many steps it stands still to be read."""


class Noting(Routine):
    """Leaves something in every log there is."""

    output = Event("n")
    aside = Event("n")

    @slot(retry=ErrorHandler("continue"))
    def trigger(self, n, last):
        context = get_execution_context()
        context.job_state.append_to_shared_log({"n": n})
        self.send_output("number", n=n)
        self.emit("aside", n=n)
        if n % PAUSE == 0 and n != last and not context.job_state.get_shared_data(f"paused at {n}"):
            context.job_state.update_shared_data(f"paused at {n}", value=True)
            context.job.pause("to be read", n)
        if n < last:
            self.emit("output", n=n + 1, last=last)

    @slot(retry=ErrorHandler("continue"))
    def failing(self, n):
        if n % 3 == 0:
            raise ValueError(n)


class Summing(Routine):
    total = Event("total")

    def __init__(self):
        super().__init__()
        self.define_slot("trigger", self.take, merge_strategy="append")

    def take(self, n):
        self.emit("total", total=sum(n))


def noting():
    flow = Flow("noting")
    flow.add_routine(Noting(), "note")
    flow.add_routine(Summing(), "sum")
    flow.connect("note.output", "note.trigger")
    flow.connect("note.output", "note.failing")
    flow.connect("note.output", "sum.trigger")
    return flow


@pytest.mark.parametrize(
    ("durability", "history"), [("sync", None), ("sync", 0), ("batch", 7), ("exit", None)]
)
def test_all_of_it_is_there_for_who_looks(durability, history, monkeypatch):
    """It is read from a snapshot, goes on and is read again, and each time nothing is missing."""
    monkeypatch.setattr("routilux_core.journal.LEAST", 2_000)
    monkeypatch.setattr("routilux_core.stored_job.SHORT", 0)
    store, steps = Memory(), 3 * PAUSE + 20
    job_id, snapshots = None, 0
    for _ in range(0, steps, PAUSE):
        with JobManager(
            plugins=[sequential],
            discover=False,
            store=store,
            durability=durability,
            settings={"scan_seconds": None, "history": history},
        ) as manager:
            if job_id is None:
                job_id = manager.execute(noting(), "note", {"n": 1, "last": steps}).job_id
            else:
                state = manager.load(job_id)
                manager.resume_state(noting(), state)
                assert manager.wait_for_all_jobs(20)
            state = manager.load(job_id)
            snapshots += store.load(job_id).snapshot is not None
            reached = steps if state.status.final else state.checkpoint
            assert [entry["n"] for entry in state.shared_log] == list(range(1, reached + 1))
            assert [entry["data"] for entry in state.output_log] == [{"n": n} for n in range(1, reached + 1)]
            assert state.results["note.aside"] == [{"n": n} for n in range(1, reached + 1)]
            failed = [line for line in state.execution_history if line.event_name == "failed"]
            assert [error.message for error in state.errors] == [str(3 * n + 3) for n in range(len(failed))]
            assert len(state.pause_points) == reached // PAUSE
            assert [fact.number for fact in state.facts] == list(range(1, len(state.facts) + 1))
            check_kept(manager, state)
    assert state.status == "completed"
    assert state.results["sum.total"][-1] == {"total": sum(range(2, steps + 1))}
    assert snapshots > 1


def test_a_job_that_pauses_often_has_snapshots_too(monkeypatch):
    """Whoever wrote what came before, it counts: of such a job nobody would ever write enough at once."""
    monkeypatch.setattr("routilux_core.journal.LEAST", 4_000)
    store, flow = Memory(), long_flow("plain")
    Counting.last, job_id = -1, ""
    for _ in range(100):
        with managed(store) as manager:
            if job_id:
                manager.resume(job_id)
                assert manager.wait_for_all_jobs(20)
            else:
                job_id = manager.execute(flow, "count", {"n": 0}).job_id
    kept = store.load(job_id)
    assert kept.snapshot.number > 100
    assert kept.entries[-1].last - kept.snapshot.number < 100


@pytest.mark.parametrize("history", [None, 7])
def test_a_state_that_goes_on_has_all_of_it_too(history, monkeypatch):
    """What was left in the store is fetched while the job runs, when somebody looks."""
    monkeypatch.setattr("routilux_core.journal.LEAST", 2_000)
    monkeypatch.setattr("routilux_core.stored_job.SHORT", 0)
    store = Memory()
    settings = {"scan_seconds": None, "history": history}
    with JobManager(plugins=[sequential], discover=False, store=store, settings=settings) as manager:
        job_id = manager.execute(noting(), "note", {"n": 1, "last": 2 * PAUSE - 5}).job_id
    with JobManager(plugins=[sequential], discover=False, store=store, settings=settings) as manager:
        state = manager.load(job_id)
        assert state._archive is not None  # noqa: SLF001 - it was left there
        manager.resume_state(noting(), state)
        assert manager.wait_for_all_jobs(20)
        assert [entry["n"] for entry in state.shared_log] == list(range(1, 2 * PAUSE - 4))
        assert len(state.results["note.aside"]) == len(state.output_log) == 2 * PAUSE - 5
        kept = manager.load(job_id)
        assert kept.results == state.results
        assert len(state.facts) == (len(kept.facts) if history is None else history)
        assert [one.number for one in state.facts] == [one.number for one in kept.facts][-len(state.facts) :]


# -- what is written -----------------------------------------------------------------------------------


class Counted(Memory):
    """Counts the bytes that it is given."""

    def __init__(self):
        super().__init__()
        self.written = 0
        self.snapshots = []

    def commit(self, batch):
        for commit in batch:
            self.written += sum(len(entry.content) for entry in commit.entries)
            if commit.snapshot is not None:
                self.written += len(commit.snapshot.content)
                self.snapshots.append(commit.snapshot)
        return super().commit(batch)


STEPS = int(os.environ.get("TEST_STEPS", "5000"))


def written(kind, steps, durability):
    """Return the store after a job of so many steps."""
    store = Counted()
    with managed(store, durability, history=0) as manager:
        Counting.last = steps
        assert manager.execute(long_flow(kind), "count", {"n": 0}).status == "paused"
    return store


def exponent(kind, durability):
    """Return by which power of the number of steps the bytes grow, over a factor of a hundred or ten."""
    few, many = (written(kind, steps, durability).written for steps in (STEPS // 10, STEPS))
    return math.log10(many / few)


@pytest.mark.slow
@pytest.mark.timeout(60 + STEPS // 200)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("durability", ["sync", "batch"])
def test_what_is_written_grows_with_the_steps_and_no_faster(kind, durability, monkeypatch, tell):
    if STEPS < 100_000:
        monkeypatch.setattr("routilux_core.journal.LEAST", 16_384)  # as many snapshots as in a long one
    found = exponent(kind, durability)
    tell(f"{kind}, {durability}: exponent {found:.3f} up to {STEPS} steps")
    assert found < 1.1


@pytest.mark.slow
def test_snapshots_after_each_so_many_bytes_are_found(monkeypatch):
    """The control: a snapshot of what a slot has gathered, however large it has become, every few steps."""
    monkeypatch.setattr(Journal, "ripe", property(lambda journal: journal.weight[0] > 4_096))
    assert exponent("gathering", "sync") > 1.1


def test_a_snapshot_holds_neither_history_nor_logs(monkeypatch):
    monkeypatch.setattr("routilux_core.journal.LEAST", 2_000)
    store = written("plain", 3_000, "sync")
    early, late = store.snapshots[1], store.snapshots[-1]
    for snapshot in (early, late):
        job = loads(snapshot.content)["job"]
        assert not {*LOGS, "history"} & job.keys()
    assert late.number > 10 * early.number
    assert len(late.content) < 1.2 * len(early.content)
