"""The stores of ours keep the contract."""

from contextlib import closing

import pytest

from routilux_core.testing import StoreContract
from routilux_plugins.stores.files.store import Files
from routilux_plugins.stores.memory.shelf import Shelf
from routilux_plugins.stores.memory.store import Memory
from routilux_plugins.stores.sqlite.store import Sqlite
from tests.servers import postgres, redis


class TestMemory(StoreContract):
    @pytest.fixture
    def shelf(self):
        return Shelf()

    @pytest.fixture
    def store(self, shelf):
        with closing(Memory(shelf)) as store:
            yield store

    @pytest.fixture
    def again(self, shelf):
        with closing(Memory(shelf)) as again:
            yield again


class TestSqlite(StoreContract):
    @pytest.fixture
    def store(self, tmp_path):
        with closing(Sqlite(tmp_path / "jobs.db")) as store:
            yield store

    @pytest.fixture
    def again(self, store, tmp_path):
        with closing(Sqlite(tmp_path / "jobs.db")) as again:
            yield again


class TestFiles(StoreContract):
    @pytest.fixture
    def store(self, tmp_path):
        with closing(Files(tmp_path / "jobs")) as store:
            yield store

    @pytest.fixture
    def again(self, store, tmp_path):
        with closing(Files(tmp_path / "jobs")) as again:
            yield again


class TestPostgres(StoreContract):
    @pytest.fixture
    def store(self, postgres_url):
        with closing(postgres.opened(postgres_url)) as store:
            yield store

    @pytest.fixture
    def again(self, store, postgres_url):
        with closing(postgres.opened(postgres_url)) as again:
            yield again


class TestRedis(StoreContract):
    @pytest.fixture
    def store(self, redis_url):
        with closing(redis.opened(redis_url)) as store:
            yield store

    @pytest.fixture
    def again(self, store, redis_url):
        with closing(redis.opened(redis_url)) as again:
            yield again
