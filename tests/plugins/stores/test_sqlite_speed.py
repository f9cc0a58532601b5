"""What a commit to a file costs beside the least that SQLite can do: one row in one transaction."""

import sqlite3
from contextlib import closing
from time import perf_counter

import pytest

from routilux_core import Commit, Entry
from routilux_plugins.stores.sqlite.store import Sqlite
from tests.benchmarks.measure import Case, measure
from tests.plugins.stores.job import HEAD, open_job

STEPS = 500
CONTENT = b"x" * 300
AIM, CEILING = 1.6, 3.0


def bare(connection):
    """Write rows, each in a transaction of its own, and return the seconds."""
    began = perf_counter()
    for _ in range(STEPS):
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO row (content) VALUES (?)", (CONTENT,))
        connection.execute("COMMIT")
    return perf_counter() - began


class Steps:
    """Commits one entry after the other of one job."""

    def __init__(self, store):
        self.store = store
        self.claim = open_job(store, "job", "ann")
        self.last = 0

    def run(self):
        numbers = range(self.last + 1, self.last + STEPS + 1)
        self.last += STEPS
        commits = [
            Commit(claim=self.claim, head=HEAD, entries=(Entry(number, number, CONTENT),))
            for number in numbers
        ]
        began = perf_counter()
        for commit in commits:
            self.store.commit([commit])
        return perf_counter() - began


@pytest.mark.speed
@pytest.mark.slow
def test_a_commit_costs_little_more_than_a_row(tmp_path, capsys):
    with (
        closing(sqlite3.connect(tmp_path / "bare.db", isolation_level=None)) as connection,
        closing(Sqlite(tmp_path / "jobs.db")) as store,
    ):
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = normal")
        connection.execute("CREATE TABLE row (number INTEGER PRIMARY KEY, content BLOB)")
        case = Case("a commit of one entry", Steps(store).run, lambda: bare(connection), CEILING, AIM)

        result = measure(case)

    with capsys.disabled():
        print(f"\n{case.name}: {result.ratio:.2f} times a row")  # noqa: T201 - the figure
    assert result.ratio < CEILING
