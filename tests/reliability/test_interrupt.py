"""Ctrl-C at random moments in a program whose jobs are kept: they stand still in the store, and go on later.

The control lets nobody pause them, and must be seen.
"""

import os
import signal
from itertools import count
from random import Random

import pytest

from routilux_core import JobManager
from tests.reliability import crashed
from tests.reliability.killing import PATIENCE, Account, Nursery, calm
from tests.reliability.laws import Violation
from tests.reliability.mortal import PLUGINS, SETTINGS

INTERRUPTS = int(os.environ.get("TEST_INTERRUPTS", "3"))
"""How many there are on each executor."""
MOMENTS = {"sequential": 0.2, "pooled": 0.15, "process": 0.8}
"""In how many seconds from the beginning they come."""
SHARES = {"sequential": 1, "pooled": 1, "process": 3}
"""One of so many is on the executor, where jobs take so much longer."""
WIDTH = 4


def attack(executor, folder, interrupts, bug="none"):
    """Interrupt jobs so many times, and see that each comes to the end that it would have had."""
    dice, interrupted, paused, notes = Random(executor), 0, 0, count()  # noqa: S311 - moments, no secrets
    url, options = f"sqlite:///{folder}/jobs", {"durability": "sync", "executor": executor}
    what = {"url": url, "options": options, "entry": {"width": WIDTH}, "role": "go_on", "bug": bug}
    with (
        JobManager(store=url, plugins=PLUGINS, discover=False, settings=SETTINGS) as manager,
        Nursery() as nursery,
    ):
        while paused < interrupts:
            note = folder / f"note-{next(notes)}"
            note.touch()
            account = Account(manager, crashed.mixed(), note, sync=True)
            before = None
            while nursery.live(moment(dice, executor, before), signal.SIGINT, note=str(note), **what):
                interrupted += 1
                account.look()
                if manager.keeping.store.owners():
                    raise Violation("a claim was not given up")
                status = next((str(job.status) for job in manager.jobs()), None)
                if before is None and status not in {None, "paused", "completed"}:
                    raise Violation(f"execute was interrupted, and its job is {status}")
                before, paused = status, paused + (status == "paused")
            account.close(calm(WIDTH))
    return f"{interrupted} interrupts: {paused} times the job was paused"


def moment(dice, executor, before):
    """Return when an interrupt comes; of three jobs that go on, two are left in peace."""
    never = before is not None and dice.random() < 0.67
    return PATIENCE if never else dice.random() * MOMENTS[executor]


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("executor", MOMENTS)
def test_an_interrupted_job_goes_on_later(executor, tmp_path, tell):
    seen = attack(executor, tmp_path, max(1, INTERRUPTS // SHARES[executor]))
    tell(f"{executor}: {seen}")


@pytest.mark.slow
def test_a_job_that_is_left_running_is_seen(tmp_path):
    with pytest.raises(Violation):
        attack("sequential", tmp_path, 20, bug="restless")
