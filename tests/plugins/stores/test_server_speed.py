"""What a commit to a server costs beside the least that its client and it can do: one row."""

from contextlib import closing
from time import perf_counter

import pytest

from routilux_core import Commit, Entry
from tests.benchmarks.measure import Case, measure
from tests.plugins.stores.job import HEAD, open_job
from tests.servers import postgres, redis

STEPS = 100
CONTENT = b"x" * 300
AIM, CEILING = 2.0, 3.0


@pytest.fixture
def careful_server():
    """A server that waits for the disk, as all do that nobody has told otherwise."""
    server = postgres.PostgresServer()
    yield server
    server.end()


def timed(work):
    """Return a function that does it again and again, and returns the seconds."""

    def run():
        began = perf_counter()
        for _ in range(STEPS):
            work()
        return perf_counter() - began

    return run


def steps(store):
    """Return a function that commits one entry after the other of one job."""
    claim = open_job(store, "job", "ann")
    last = 0

    def step():
        nonlocal last
        last += 1
        store.commit([Commit(claim=claim, head=HEAD, entries=(Entry(last, last, CONTENT),))])

    return step


def report(name, result, tell):
    tell(f"{name}: {result.ratio:.2f} times a row")


@pytest.mark.speed
@pytest.mark.slow
def test_a_commit_to_postgres_costs_little_more_than_a_row(careful_server, tell):
    with closing(postgres.opened(careful_server.url())) as store, careful_server.connect() as connection:
        connection.execute(
            "CREATE TABLE bare (number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, content bytea)"
        )

        def row():
            connection.execute("INSERT INTO bare (content) VALUES (%s)", (CONTENT,))

        result = measure(Case("postgresql", timed(steps(store)), timed(row), CEILING, AIM), rounds=5)

    report("a commit to PostgreSQL", result, tell)
    assert result.ratio < CEILING


@pytest.mark.speed
@pytest.mark.slow
def test_a_commit_to_redis_costs_little_more_than_a_row(redis_server, redis_url, tell):
    with closing(redis.opened(redis_url)) as store, redis_server.connect() as client:

        def row():
            client.xadd("bare", {"content": CONTENT})

        result = measure(Case("redis", timed(steps(store)), timed(row), CEILING, AIM), rounds=5)

    report("a commit to Redis", result, tell)
    assert result.ratio < CEILING
