"""Worker processes are killed again and again while there is work: nothing is lost, all takes effect once.

The controls plant two bugs in what becomes of a dead worker's work, and must be seen.
"""

import os
import signal
import threading
import time
from pathlib import Path
from random import Random

import pytest

from routilux_core import (
    ActivationCompleted,
    ErrorHandler,
    Event,
    JobManager,
    Outcome,
    Routine,
    Settings,
    get_execution_context,
    routine,
    slot,
)
from routilux_core.testing.executor_contract.sample import chain
from routilux_plugins.executors.process import foreman
from routilux_plugins.executors.process.executor import Process
from routilux_plugins.executors.process.settings import ProcessSettings

KILLS = int(os.environ.get("TEST_KILLS", "10"))
MANY_KILLS = int(os.environ.get("TEST_MANY_KILLS", "15"))
EACH = 40
"""How many activations there are for each kill."""
SECONDS = 0.001
"""How long each takes."""
PATIENCE = 50
STATION = b"executors.process.station"


class Fan(Routine):
    output = Event("n")

    @slot
    def trigger(self, width):
        for n in range(width):
            self.emit("output", n=n)


class Effects(Routine):
    """Does one thing of each kind, so that it would be seen twice, or not at all."""

    output = Event("n")

    @slot
    def trigger(self, n):
        time.sleep(SECONDS)
        state = get_execution_context().job_state
        state.modify_shared_data("sum", Add(n), 0)
        state.append_to_shared_log(n)
        self.increment_stat("calls")
        self.emit("output", n=n)


class Add:
    """A function that travels."""

    def __init__(self, n):
        self.n = n

    def __call__(self, value):
        return value + self.n


@routine
def count(start, end):
    """Give numbers one by one, each by its own step."""
    for n in range(start, end):
        yield {"n": n}


@routine
def fatal(n, bad, note):
    if n in bad:
        with Path(note).open("a", encoding="utf-8") as file:
            file.write(f"{n} ")
        os.kill(os.getpid(), signal.SIGKILL)
    return {"n": n}


class Killer:
    """Kills some worker whenever so many more activations are completed, until it has killed enough."""

    def __init__(self, kills, each, seed=0):
        self.killed = 0
        self._kills, self._each = kills, each
        self._dice = Random(seed)  # noqa: S311 - which one it is shall be the same again
        self._left = each
        self._due = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._over = False

    def __call__(self, job, fact):
        if isinstance(fact, ActivationCompleted):
            self._left -= 1
            if self._left <= 0:
                self._due.set()

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over = True
        self._due.set()
        self._thread.join()

    def _run(self):
        while self.killed < self._kills and self._due.wait() and not self._over:
            workers = list(_workers())
            if workers:
                os.kill(self._dice.choice(workers), signal.SIGKILL)
                self.killed += 1
                self._left = self._each
                self._due.clear()


def _workers():
    mine = str(os.getpid())
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, parent, *_ = (folder / "stat").read_text(encoding="utf-8").rpartition(") ")[2].split()
            if parent == mine and state != "Z" and STATION in (folder / "cmdline").read_bytes():
                yield int(folder.name)
        except (FileNotFoundError, ProcessLookupError):
            continue


def attack(kills, patience=PATIENCE):
    """Run a job under attack, and see that it comes out as if nobody had died."""
    width = (kills + 2) * 2 * EACH
    settings = ProcessSettings(max_workers=2, max_starts=1000)
    flow = chain("attacked", count=count(), effects=Effects())
    flow.add_routine(Fan(), "fan")
    flow.connect("fan", "output", "effects", "trigger")
    with (
        JobManager(executor=Process(settings), discover=False, settings=Settings()) as manager,
        Killer(kills, EACH) as killer,
    ):
        state = manager.start_job(flow, "fan", {"width": width}, monitors=[killer])
        job = manager.get_job(state.job_id)
        job.post("count", start=width, end=width + 2 * EACH)
        try:
            assert job.wait(patience), f"it hangs after {killer.killed} kills: {job.explain()}"
        finally:
            job.cancel_quietly("the test is over")
    expected = list(range(width + 2 * EACH))
    assert state.status == "completed"
    assert sorted(payload["n"] for payload in state.results["effects.output"]) == expected
    assert sorted(state.shared_log) == expected
    assert state.get_shared_data("sum") == sum(expected)
    assert state.stats("effects") == {"calls": len(expected)}
    assert not state.errors
    assert not list(_workers())
    if killer.killed < kills:
        raise RuntimeError(f"only {killer.killed} workers were killed")


@pytest.mark.slow
def test_nothing_is_lost_and_nothing_happens_twice():
    attack(KILLS)


@pytest.mark.long
@pytest.mark.timeout(300)
def test_it_stands_many_kills():
    attack(MANY_KILLS, patience=240)


def _lose(worker, lost):
    """Forget what the dead one had."""


def _take_for_done(worker, lost):
    """Hand in what the dead one had as if it were done."""
    for activation in worker.hand.values():
        worker.lane.finish(activation, Outcome())


@pytest.mark.slow
@pytest.mark.parametrize("bug", [_lose, _take_for_done])
def test_the_controls_are_seen(monkeypatch, bug):
    monkeypatch.setattr(foreman, "lose", bug)
    with pytest.raises(AssertionError):
        attack(5, patience=2)


@pytest.mark.slow
def test_poison_fails_after_exactly_max_starts_and_its_neighbours_finish(tmp_path):
    bad, width, note = [3, 77, 78, 150], 200, tmp_path / "note"
    flow = chain("poisoned", give=Give(), fatal=fatal())
    flow.set_error_handler(ErrorHandler("continue"))
    settings = ProcessSettings(max_workers=2, max_starts=3)
    with JobManager(executor=Process(settings), discover=False, settings=Settings()) as manager:
        state = manager.start_job(flow, "give", {"width": width, "bad": bad, "note": str(note)})
        assert manager.wait_for_all_jobs(PATIENCE)
    assert sorted(note.read_text(encoding="utf-8").split()) == sorted(str(n) for n in bad * 3)
    assert sorted(payload["n"] for payload in state.results["fatal.output"]) == [
        n for n in range(width) if n not in bad
    ]
    assert [error.type for error in state.errors] == ["PoisonedActivation"] * len(bad)


class Give(Routine):
    output = Event("n", "bad", "note")

    @slot
    def trigger(self, width, bad, note):
        for n in range(width):
            self.emit("output", n=n, bad=bad, note=note)
