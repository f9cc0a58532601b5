"""Thousands of schedules from seeds, with all that threads, time, crashes and moves may do, break no law.

`TEST_SCHEDULES=20000 pytest tests/reliability/test_simulation.py` runs more of them. A failure names its
seed; `python -m tests.reliability.simulation SEED` shows that schedule.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from routilux_core import job_document
from routilux_core.engine import Engine
from routilux_core.turn import Turn
from tests.reliability.laws import Violation
from tests.reliability.simulation import Simulation

SCHEDULES = int(os.environ.get("TEST_SCHEDULES", "1000"))
ENOUGH = 400
"""In how many schedules a planted bug must show."""


def first_violation(seeds):
    for seed in seeds:
        try:
            Simulation(seed).run()
        except Violation as violation:
            return seed, str(violation)
    return None


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_no_schedule_breaks_a_law():
    assert first_violation(range(SCHEDULES)) is None


def test_a_seed_tells_the_same_story_again():
    stories = []
    for _ in range(2):
        story: list[str] = []
        Simulation(7, story.append).run()
        stories.append(story)

    assert stories[0] == stories[1]
    assert len(stories[0]) > 10


def test_a_schedule_can_be_shown():
    command = [sys.executable, "-m", "tests.reliability.simulation", "7"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2], check=False)

    assert done.returncode == 0, done.stderr
    assert "no law broken" in done.stdout


# -- controls: bugs that are planted, each found -------------------------------------------------------


def finds(monkeypatch, kind, name, planted):
    """Tell whether schedules that are well without the planted bug find it."""
    with monkeypatch.context() as patch:
        patch.setattr(kind, name, planted)
        found = first_violation(range(ENOUGH))
    if found is None:
        return False
    Simulation(found[0]).run()
    return True


def test_work_handed_out_while_the_gate_is_shut_is_found(monkeypatch):
    """The control of pause and cancel: taking looks at what is ready and not at the gate."""
    real = Turn._next  # noqa: SLF001 - where the bug is planted

    def careless(turn, *which):
        was, turn.open = turn.open, True
        try:
            return real(turn, *which)
        finally:
            turn.open = was

    assert finds(monkeypatch, Turn, "_next", careless)


def test_a_late_result_that_is_taken_after_its_timeout_is_found(monkeypatch):
    """The control of refusal: an outcome is known by its number, not by the attempt that made it."""
    real = Engine.finished

    def gullible(engine, activation, outcome):
        return real(engine, engine.data.activations.get(activation.id, activation), outcome)

    assert finds(monkeypatch, Engine, "finished", gullible)


def test_a_retry_that_is_forgotten_at_a_pause_is_found(monkeypatch):
    """The control of ends: a resumed job waits for a retry without setting its timer again."""
    real = Engine.resume

    def forgetful(engine, fingerprint, answer):
        real(engine, fingerprint, answer)
        engine.chores.later.clear()

    assert finds(monkeypatch, Engine, "resume", forgetful)


@pytest.mark.parametrize("field", ["held", "activations", "merged", "routines"])
def test_a_document_that_leaves_something_out_is_found(field, monkeypatch):
    """The control of moves: a job comes back without one of its fields."""
    real = job_document.read_fields

    def forgetful(*arguments):
        found = real(*arguments)
        return found | {field: type(found[field])()}

    assert finds(monkeypatch, job_document, "read_fields", forgetful)
