"""For random flows and all that is done to their jobs, the store has what happened, as it happened."""

import logging
import os
from random import Random

import pytest

from routilux_core import journal, stored_job
from routilux_core.current import current_manager
from routilux_core.entry_writer import EntryWriter
from routilux_core.facts import SharedDataSet
from routilux_core.journal import Journal
from routilux_plugins.stores.memory.store import Memory
from tests.reliability.dice import Dice
from tests.reliability.keeping import check_kept
from tests.reliability.laws import Violation, check_all
from tests.reliability.test_laws import live

LIVES = int(os.environ.get("TEST_LIVES", "150"))
"""How many random jobs each durability has to keep."""
DURABILITIES = ("sync", "batch", "exit")


@pytest.fixture(autouse=True)
def _quiet_log():
    """Handlers fail by the thousand here, on purpose."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


def check(flow, state):
    check_kept(current_manager(), state)
    check_all(flow, state)


def live_and_be_kept(seed, durability):
    live(Dice(Random(seed)), check=check, store=Memory(), durability=durability)  # noqa: S311 - no secret


@pytest.mark.parametrize("durability", DURABILITIES)
def test_the_store_has_data_facts_and_history_of_every_job(durability):
    for seed in range(LIVES):
        live_and_be_kept(seed, durability)


@pytest.mark.parametrize("durability", DURABILITIES)
def test_what_comes_after_a_snapshot_is_enough(durability, monkeypatch):
    """Snapshots are written as often as can be, and the history before the last one is left in the store."""
    monkeypatch.setattr(journal, "LEAST", 0)
    monkeypatch.setattr(journal, "GROWTH", 0)
    monkeypatch.setattr(stored_job, "SHORT", 0)
    for seed in range(LIVES // 3):
        live_and_be_kept(seed, durability)


# -- controls ------------------------------------------------------------------------------------------


def finds_a_violation():
    for seed in range(80):
        try:
            live_and_be_kept(seed, "sync")
        except (Violation, LookupError, OSError):
            return True
    return False


def test_a_fact_that_is_not_written_is_found(monkeypatch):
    write = EntryWriter.write

    def forgetting(writer, fact):
        if not isinstance(fact, SharedDataSet):
            write(writer, fact)

    monkeypatch.setattr(EntryWriter, "write", forgetting)
    assert finds_a_violation()


def test_a_fact_that_is_written_wrong_is_found(monkeypatch):
    """The control of the comparison: every fifth start is written as that of another activation."""
    started = EntryWriter.started

    def misnaming(writer, activation):
        started(writer, activation)
        if activation.id % 5 == 0:
            writer.draft[-1][1] -= 1

    monkeypatch.setattr(EntryWriter, "started", misnaming)
    assert finds_a_violation()


def test_a_fact_that_is_sealed_too_late_is_found(monkeypatch):
    """The control of the end: a job that is told to be over before its last facts are kept."""
    monkeypatch.setattr(Journal, "complete", property(lambda _: True))
    assert finds_a_violation()
