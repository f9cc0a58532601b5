"""What commits to a file cost beside the least that SQLite can do: one row in one transaction."""

import sqlite3
from contextlib import closing
from time import perf_counter
from uuid import uuid4

import pytest
from attrs import evolve

from routilux_core import Commit, Entry
from routilux_plugins.stores.sqlite.store import Sqlite
from tests.benchmarks.measure import Case, measure
from tests.plugins.stores.job import HEAD, ending, open_job, opening

STEPS = 200
CONTENT = b"x" * 300
TOGETHER = 20
AIMS = {"steps": 1.4, "openings": 2.3, "endings": 2.3, "openings together": 1.1, "endings together": 1.3}
CEILINGS = {"steps": 2.5, "openings": 3.4, "endings": 3.4, "openings together": 2.0, "endings together": 2.2}


def bare(connection):
    """Write rows, each in a transaction of its own, and return the seconds."""
    began = perf_counter()
    for _ in range(STEPS):
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO row (content) VALUES (?)", (CONTENT,))
        connection.execute("COMMIT")
    return perf_counter() - began


def written(store, commits, together=1):
    """Write commits, so many of them in one transaction, and return the seconds."""
    batches = [commits[at : at + together] for at in range(0, len(commits), together)]
    began = perf_counter()
    for batch in batches:
        store.commit(batch)
    return perf_counter() - began


class Steps:
    """Commits one entry after the other of one job."""

    def __init__(self, store):
        self.store = store
        self.claim = open_job(store, "job", "ann")
        self.last = 0

    def __call__(self):
        numbers = range(self.last + 1, self.last + STEPS + 1)
        self.last += STEPS
        entries = [Entry(number, number, CONTENT) for number in numbers]
        return written(self.store, [Commit(claim=self.claim, head=HEAD, entries=(one,)) for one in entries])


class Jobs:
    """Takes jobs in and ends them, and says what one of the two has cost."""

    def __init__(self, store, what, together=1):
        self.store = store
        self.what = what
        self.together = together

    def __call__(self):
        ids = [uuid4().hex for _ in range(STEPS)]
        openings = [opening(job_id, entries=[Entry(1, 1, CONTENT)]) for job_id in ids]
        endings = [evolve(ending(job_id), entries=(Entry(2, 2, CONTENT),)) for job_id in ids]
        seconds = {
            "openings": written(self.store, openings, self.together),
            "endings": written(self.store, endings, self.together),
        }
        return seconds[self.what]


WORKS = {
    "steps": Steps,
    "openings": lambda store: Jobs(store, "openings"),
    "endings": lambda store: Jobs(store, "endings"),
    "openings together": lambda store: Jobs(store, "openings", TOGETHER),
    "endings together": lambda store: Jobs(store, "endings", TOGETHER),
}


@pytest.mark.speed
@pytest.mark.slow
@pytest.mark.parametrize("name", WORKS)
def test_a_commit_costs_little_more_than_a_row(tmp_path, tell, name):
    with (
        closing(sqlite3.connect(tmp_path / "bare.db", isolation_level=None)) as connection,
        closing(Sqlite(tmp_path / "jobs.db")) as store,
    ):
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = normal")
        connection.execute("CREATE TABLE row (number INTEGER PRIMARY KEY, content BLOB)")
        case = Case(name, WORKS[name](store), lambda: bare(connection), CEILINGS[name], AIMS[name])

        result = measure(case, rounds=5)

    tell(f"{name}: each {result.ratio:.2f} times a row")
    assert result.ratio < CEILINGS[name]
