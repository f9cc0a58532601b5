"""A process that ends before or after any call to its store leaves a job that goes on to the same end.

The controls plant a bug in how jobs are written or read, and must be seen.
"""

import logging
import os
from itertools import count
from random import Random
from time import sleep

import pytest

from routilux_core import StoreError, committer
from routilux_plugins.stores.memory.store import Memory
from routilux_plugins.stores.sqlite.store import Sqlite
from tests.reliability import crashed
from tests.reliability.bugs import BUGS
from tests.reliability.crashed import FLOWS, WIDTH, story
from tests.reliability.crashing import JOB, crash, live, manager_of
from tests.reliability.keeping import check_kept
from tests.reliability.laws import Violation, check_all

ROWS = int(os.environ.get("TEST_CRASHES", "1"))
"""How many rows of crashes, one after the other, each flow has to stand in each mode."""
MODES = (("sync", "sequential"), ("sync", "pooled"), ("batch", "sequential"), ("exit", "sequential"))
"""How jobs are run on a store in memory; on one in a file, if there is not much time, only the first."""
CASES = [("memory", *mode) for mode in MODES] + [("sqlite", *mode) for mode in MODES[: ROWS * ROWS]]
MOMENT = 0.0005
"""How many seconds a handler takes where it does not wait for the store."""
SOON = 12
"""The first process of a row ends at one of so many calls; the later ones may live a little longer."""


def let_it_be_kept(what, context):
    """Let handlers wait where work does, or give what has happened time to come to the store.

    So there are as many calls to the store as there can be.
    """
    if what == "start" and context.job.journal.holds:
        context.job.wait_stored()
    elif what == "start":
        sleep(MOMENT)


@pytest.fixture(autouse=True)
def _many_calls(monkeypatch):
    """Let what happens be written at once, and say nothing of stores that fail by the hundred on purpose."""
    monkeypatch.setattr(committer, "SOON", 0.0)
    monkeypatch.setattr(crashed, "WATCHES", [let_it_be_kept])
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def fresh(kind, tmp_path):
    """A function that makes a store of that kind."""
    numbers = count()
    return Memory if kind == "memory" else lambda: Sqlite(tmp_path / f"{next(numbers)}.db")


def outcome(make, store, **options):
    """Let the job go on undisturbed, and return its story."""
    with manager_of(store, **options) as manager:
        live(manager, make, WIDTH)
        state = manager.load(JOB)
        check_kept(manager, state)
        check_all(make(), state)
    store.close()
    return story(state)


def differences(make, fresh, **options):
    """Let a process end at each call to its store; give the calls after which the job came to another end."""
    expected = outcome(make, fresh(), **options)
    for after in (False, True):
        for at in count(1):
            store = fresh()
            if not crash(make, store, WIDTH, at, after=after, **options):
                break
            if outcome(make, store, **options) != expected:
                yield f"{'after' if after else 'before'} call {at}"


@pytest.mark.parametrize("name", FLOWS)
@pytest.mark.parametrize(("kind", "durability", "executor"), CASES)
def test_a_crash_at_any_call_to_the_store_changes_nothing(fresh, durability, executor, name):
    assert not list(differences(FLOWS[name], fresh, durability=durability, executor=executor))


@pytest.mark.parametrize("name", FLOWS)
@pytest.mark.parametrize(("kind", "durability", "executor"), CASES)
def test_crash_after_crash_changes_nothing(fresh, durability, executor, name):
    make, options = FLOWS[name], {"durability": durability, "executor": executor}
    expected = outcome(make, fresh(), **options)
    for row in range(ROWS):
        dice, store, last = Random(row), fresh(), SOON  # noqa: S311 - when it ends is no secret
        while crash(make, store, WIDTH, dice.randint(1, last), after=dice.random() < 0.5, **options):
            last += 1
        assert outcome(make, store, **options) == expected


# -- controls ------------------------------------------------------------------------------------------


def is_seen(name):
    """Whether a bug does no harm as long as nothing crashes, and does some otherwise."""
    options = {"durability": "sync", "executor": "sequential"}
    outcome(FLOWS[name], Memory(), **options)
    try:
        return bool(list(differences(FLOWS[name], Memory, **options)))
    except (StoreError, Violation):
        return True


@pytest.mark.parametrize("bug", ["halves", "tailless"])
def test_the_controls_are_seen(monkeypatch, bug):
    BUGS[bug](monkeypatch.setattr)
    assert is_seen("nested")
