"""Processes are killed at random moments while they run jobs that are kept, and others take these up.

The controls plant a bug in how jobs are kept, and must be seen.
"""

import os
from itertools import count
from random import Random

import pytest

from routilux_core import JobManager
from tests.reliability import crashed
from tests.reliability.killing import PATIENCE, STORES, Account, Nursery, calm
from tests.reliability.laws import Violation
from tests.reliability.mortal import PLUGINS, SETTINGS

KILLS = int(os.environ.get("TEST_KILLS", "20"))
"""How many processes are killed in each case."""
MOMENT = 0.12
"""A process is killed in so many seconds from its beginning."""
WIDTHS = {"sequential": 3, "pooled": 6, "process": 20}
"""How wide a job is that takes a few times as long."""
SLOWLY = 1.0
"""In so many seconds one is killed that has to start processes itself."""


@pytest.fixture(scope="module")
def nursery():
    with Nursery() as made:
        yield made


def attack(url, nursery, folder, kills, moment=MOMENT, *, bug="none", often=False, **options):
    """Kill so many processes that run jobs, one after the other, and say what was seen."""
    dice = Random(f"{url.partition(':')[0]} {options} {often}")  # noqa: S311 - moments, no secrets
    width, notes, accounts, killed = WIDTHS[options["executor"]], count(), [], 0
    what = {"url": url, "options": options, "entry": {"width": width}, "bug": bug, "often": often}
    with JobManager(store=url, plugins=PLUGINS, discover=False, settings=SETTINGS) as manager:
        while killed < kills:
            note = folder / f"note-{next(notes)}"
            note.touch()
            account = Account(manager, crashed.mixed(), note, sync=options["durability"] == "sync")
            while nursery.live(
                dice.random() * moment if killed < kills else PATIENCE, note=str(note), **what
            ):
                killed += 1
                account.look()
            account.close(calm(width))
            accounts.append(account)
    done, lost, again = (sum(getattr(one, name) for one in accounts) for name in ("done", "lost", "again"))
    kept = f"0 of {done} activations were lost, 0 took effect twice, {lost} were not kept, {again} came again"
    return f"{killed} kills in {len(accounts)} jobs: {kept}"


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("executor", ["sequential", "pooled"])
@pytest.mark.parametrize("kind", STORES)
def test_jobs_outlive_kills(kind, executor, url, nursery, tmp_path, tell):
    seen = attack(url, nursery, tmp_path, KILLS, durability="sync", executor=executor)
    tell(f"{kind}, {executor}: {seen}")


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("kind", "durability"), [*((kind, "batch") for kind in STORES), ("sqlite", "exit")])
def test_what_is_written_later_is_consistent(kind, durability, url, nursery, tmp_path, tell):
    """And so is what is read from snapshots, of which there are as many as can be."""
    options = {"durability": durability, "executor": "pooled", "often": True}
    seen = attack(url, nursery, tmp_path, KILLS // 4, 2 * MOMENT, **options)
    tell(f"{kind}, {durability}: {seen}")


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", ["sqlite"])
def test_workers_end_with_their_home_and_the_job_goes_on(url, nursery, tmp_path, tell):
    options = {"durability": "sync", "executor": "process"}
    seen = attack(url, nursery, tmp_path, KILLS // 10, SLOWLY, **options)
    tell(f"sqlite, process: {seen}")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite"])
@pytest.mark.parametrize("bug", ["early", "halves", "tailless"])
def test_the_controls_are_seen(bug, url, nursery, tmp_path):
    with pytest.raises(Violation):
        attack(url, nursery, tmp_path, 100, bug=bug, durability="sync", executor="sequential")
