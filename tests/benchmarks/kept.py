"""What it costs to keep jobs, against one row in one transaction of the same store by the same client."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import pytest

from routilux_core import Flow, JobManager
from routilux_plugins.executors import pooled, sequential
from routilux_plugins.stores import postgres, redis, sqlite
from tests.benchmarks import flows
from tests.benchmarks.measure import Case, Run

PLUGINS = [sequential, pooled, sqlite, postgres, redis]
CONTENT = b"x" * 300
ROWS = {"normal": 2_000, "full": 200}
"""Enough that what SQLite does once in a thousand pages has its share."""
JOBS = int(os.environ.get("TEST_SHORT_JOBS", "3000"))


Place = Callable[[], str]
"""Gives the URL of a store for one run."""


def kept(flow: Flow, n: int, units: int, place: Place, **options: Any) -> Run:
    """Return a run: the seconds for each of so many units in one execution of the flow, which is kept."""

    def run() -> float:
        with managing(place(), **options) as manager:
            manager.execute(flow, "first", {"n": 0})
            begin = perf_counter()
            state = manager.execute(flow, "first", {"n": n})
            seconds = perf_counter() - begin
        state.raise_for_status()
        return seconds / units

    return run


def short(place: Place, start: str) -> Run:
    """Return a run: the seconds for each of many jobs of one step."""
    flow = flows.single()

    def run() -> float:
        with managing(place(), executor="pooled" if start == "start_job" else "sequential") as manager:
            begin_one = getattr(manager, start)
            begin_one(flow, "first", {"n": 1})
            begin = perf_counter()
            for _ in range(JOBS):
                begin_one(flow, "first", {"n": 1})
            assert manager.wait_for_all_jobs(60)
            return (perf_counter() - begin) / JOBS

    return run


@contextmanager
def managing(url: str, **options: Any) -> Iterator[JobManager]:
    settings = {"max_workers": 4, "scan_seconds": None}
    with JobManager(plugins=PLUGINS, discover=False, store=url, settings=settings, **options) as manager:
        yield manager


def bare_sqlite(folder: Path, synchronous: str) -> Run:
    """Return a run: the seconds of one row in one transaction of a file of its own."""
    numbers = count()

    def run() -> float:
        connection = sqlite3.connect(folder / f"{synchronous}-{next(numbers)}.db", isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        connection.execute("CREATE TABLE row (number INTEGER PRIMARY KEY, content BLOB)")
        begin = perf_counter()
        for _ in range(ROWS[synchronous]):
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO row (content) VALUES (?)", (CONTENT,))
            connection.execute("COMMIT")
        seconds = (perf_counter() - begin) / ROWS[synchronous]
        connection.close()
        return seconds

    return run


@contextmanager
def sqlite_cases() -> Iterator[list[Case]]:
    """Give the cases of jobs that are kept in a file."""
    chain, fan = flows.chain(1_000), flows.fan(flows.Sink())
    with TemporaryDirectory() as name:
        folder, numbers = Path(name), count()

        def url() -> str:
            return f"sqlite:///{folder}/jobs-{next(numbers)}.db"

        def full() -> str:
            return f"{url()}?synchronous=full"

        row, safe_row = bare_sqlite(folder, "normal"), bare_sqlite(folder, "full")
        steps, spread = kept(chain, 1, 1_000, url), kept(fan, 10_000, 10_000, url, executor="pooled")
        late = kept(chain, 1, 1_000, url, durability="batch")
        safe = kept(flows.chain(100), 1, 100, full)
        yield [
            Case("sqlite: a step of a chain", steps, row, 3, ceiling=4),
            Case("sqlite: a step of a chain, batch", late, row, 0.8, ceiling=1),
            Case("sqlite: an event of a fan-out, pooled", spread, row, 1, ceiling=1.6),
            Case("sqlite: a job of one step, start, pooled", short(url, "start_job"), row, 5, ceiling=20),
            Case("sqlite: a job of one step, execute", short(url, "execute"), row, 5, ceiling=15),
            Case("sqlite: a step of a chain, full", safe, safe_row, 1.3, ceiling=2),
        ]


@contextmanager
def server_cases() -> Iterator[list[Case]]:
    """Give the cases of jobs that are kept on servers, as far as these can be started."""
    pytest.importorskip("psycopg")
    from tests.servers.postgres import PostgresServer  # noqa: PLC0415 - its package may not be there
    from tests.servers.redis import RedisServer  # noqa: PLC0415 - as above

    chain, careful, quick = flows.chain(200), PostgresServer(), RedisServer()
    try:
        with careful.connect() as connection, quick.connect() as client:
            connection.execute(
                "CREATE TABLE bare (number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, content bytea)"
            )

            def insert() -> None:
                connection.execute("INSERT INTO bare (content) VALUES (%s)", (CONTENT,))

            def add() -> None:
                client.xadd("bare", {"content": CONTENT})

            yield [
                Case(
                    "postgresql: a step of a chain",
                    kept(chain, 1, 200, careful.url),
                    rows(insert),
                    2,
                    ceiling=3,
                ),
                Case("redis: a step of a chain", kept(chain, 1, 200, quick.url), rows(add), 2, ceiling=3),
            ]
    finally:
        careful.end()
        quick.end()


def rows(write: Any) -> Run:
    """Return a run: the seconds of one of many rows."""

    def run() -> float:
        begin = perf_counter()
        for _ in range(200):
            write()
        return (perf_counter() - begin) / 200

    return run
