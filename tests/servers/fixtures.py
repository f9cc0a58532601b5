"""One server of each kind for all tests that want one."""

from itertools import count

import pytest

_numbers = count(1)


@pytest.fixture(scope="session")
def postgres_server():
    pytest.importorskip("psycopg", reason="the extra `postgres` is not installed")
    from tests.servers.postgres import PostgresServer  # noqa: PLC0415 - it wants what is looked for above

    server = PostgresServer(fsync="off")  # no test cuts the power
    yield server
    server.end()


@pytest.fixture
def postgres_url(postgres_server):
    """The URL of a place that nobody has used."""
    name = f"jobs_{next(_numbers)}"
    yield postgres_server.url(options=f"schema={name}")
    with postgres_server.connect() as connection:
        connection.execute(f"DROP SCHEMA IF EXISTS {name} CASCADE")


@pytest.fixture(scope="session")
def redis_server():
    pytest.importorskip("redis", reason="the extra `redis` is not installed")
    from tests.servers.redis import RedisServer  # noqa: PLC0415 - it wants what is looked for above

    server = RedisServer()
    yield server
    server.end()


@pytest.fixture
def redis_url(redis_server):
    """The URL of a place that nobody has used."""
    yield redis_server.url(options=f"prefix=jobs-{next(_numbers)}")
    with redis_server.connect() as client:
        client.flushall()
