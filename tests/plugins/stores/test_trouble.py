"""What goes wrong with a store, as it is told to who names one, and to those whose jobs are in it."""

import sqlite3
import threading
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from routilux_core import (
    DamagedStore,
    Event,
    Flow,
    InvalidOption,
    InvalidSetting,
    InvalidStoreURL,
    JobManager,
    MissingComponent,
    NewerStore,
    Routine,
    StoreError,
    StoreUnavailable,
    UnknownComponent,
    UnknownOption,
    get_execution_context,
    slot,
)
from routilux_plugins.executors import pooled, sequential
from routilux_plugins.stores import files, memory, postgres, redis, sqlite
from routilux_plugins.stores.files.store import Files
from routilux_plugins.stores.memory.store import Memory
from routilux_plugins.stores.sqlite.store import Sqlite
from tests.plugins.stores.test_files import full_at, without_rights

PATIENCE = 20.0
PLUGINS = [files, memory, pooled, postgres, redis, sequential, sqlite]


class Filling(Routine):
    """Writes much at each step, after it has passed a gate once."""

    output = Event("n", "pad")
    gate, inside = threading.Event(), threading.Event()

    @slot
    def trigger(self, n=0, pad=""):
        get_execution_context().job_state.append_to_shared_log(n)
        if n == 2:
            self.inside.set()
            assert self.gate.wait(PATIENCE)
        if n < 40:
            self.emit("output", n=n + 1, pad="x" * 2_000)


def filling():
    flow = Flow("filling")
    flow.add_routine(Filling(), "fill")
    flow.connect("fill.output", "fill.trigger")
    return flow


def managed(store, **settings):
    settings = {"scan_seconds": None, "max_workers": 2, **settings}
    return JobManager(plugins=PLUGINS, discover=False, store=store, executor="pooled", settings=settings)


def refused(store, kind, said, **settings):
    """Demand that a manager is not made, and say why."""
    with pytest.raises(kind, match=said) as caught:
        managed(store, **settings)
    return caught.value


# -- what is no store ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "kind", "said"),
    [
        (
            "sqlit:///jobs.db",
            InvalidStoreURL,
            "scheme 'sqlit'; did you mean 'sqlite'.*there is: file, memory",
        ),
        ("jobs.db", InvalidStoreURL, r"it has no scheme; write scheme://place, like sqlite:///jobs\.db"),
        ("", InvalidStoreURL, "it has no scheme"),
        ("://", InvalidStoreURL, "is no scheme"),
        ("sqlite://", InvalidStoreURL, "a file has three slashes before its name, or four"),
        ("sqlite:///a\0b", InvalidStoreURL, "it has a NUL character"),
        (
            "sqlite:///jobs.db?bogus=1",
            UnknownOption,
            "sqlite has no 'bogus'; it has: synchronous, timeout",
        ),
        ("sqlite:///jobs.db?timeout=soon", InvalidOption, "timeout cannot be 'soon'; it takes a number"),
        ("file:///jobs?synchronous=maybe", InvalidOption, "synchronous cannot be 'maybe'"),
        ("sqlite:////dev/null", StoreError, "it is a device, and no file; choose another name"),
        (
            "postgresql://ann:hush@localhost:soon/jobs",
            StoreError,
            "its port is no number from 1 to 65535; write postgresql://user:password@host:5432/database",
        ),
        ("postgresql://ann:hu/sh@localhost/jobs", StoreError, "its port is no number from 1 to 65535"),
        ("postgresql://ann:hush@localhost:99999/jobs", StoreError, "its port is no number"),
        ("redis://:hush@localhost?timeout=-1", InvalidOption, "timeout cannot be -1.0; it takes seconds"),
        (5, InvalidOption, "store cannot be 5; it takes a Store, or the URL of one, like sqlite:///jobs.db"),
        (Path("jobs.db"), InvalidOption, "it takes a Store, or the URL of one"),
        (Memory, InvalidOption, "it takes a Store, or the URL of one"),
    ],
    ids=repr,
)
def test_what_names_no_store_is_refused(url, kind, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    error = refused(url, kind, said)
    assert "hush" not in str(error)
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_no_plugin_brings_is_named_with_what_would():
    with pytest.raises(MissingComponent, match=r"'redis'; .*pip install 'routilux-core\[redis\]'"):
        JobManager(plugins=[memory], discover=False, store="redis://localhost")


def test_who_gave_a_wrong_store_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ROUTILUX_STORE", "sqlit:///jobs.db")
    refused(None, InvalidSetting, "^ROUTILUX_STORE: .*no plugin has the scheme 'sqlit'")
    monkeypatch.delenv("ROUTILUX_STORE")
    (tmp_path / "routilux.toml").write_text('\nstore = "memory"\n')
    refused(None, InvalidSetting, r"routilux\.toml, line 2: .*it has no scheme")


MISSPELT = [
    ("durability", "synch", "durability cannot be 'synch'; it takes one of: sync, batch, exit"),
    ("claim_seconds", 0, "claim_seconds cannot be 0.0; it takes seconds, above 0"),
    ("claim_seconds", "fast", "claim_seconds cannot be 'fast'; it takes a number"),
    ("scan_seconds", -1, "scan_seconds cannot be -1.0; it takes seconds, above 0"),
    ("max_jobs", 0, "max_jobs cannot be 0; it takes a whole number from 1 up, or None"),
    ("outage_seconds", float("nan"), "outage_seconds cannot be nan; it takes seconds, above 0"),
    ("claim_second", 3, "has no 'claim_second'; .*did you mean 'claim_seconds'"),
]


@pytest.mark.parametrize("source", ["argument", "environment", "file"])
@pytest.mark.parametrize(("name", "value", "said"), MISSPELT)
def test_what_is_misspelt_or_out_of_range_is_refused_wherever_it_is(
    name, value, said, source, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    if source == "argument":
        refused("memory://", InvalidOption, said, **{name: value})
    elif source == "environment":
        monkeypatch.setenv(f"ROUTILUX_{name.upper()}", str(value))
        with pytest.raises(InvalidSetting, match=f"^ROUTILUX_{name.upper()}: ") as caught:
            JobManager(plugins=PLUGINS, discover=False, store="memory://")
        assert name in str(caught.value)
    else:
        written = f'"{value}"' if isinstance(value, str) else value
        (tmp_path / "routilux.toml").write_text(f"{name} = {written}\n")
        with pytest.raises(InvalidSetting, match=r"routilux\.toml, line 1: ") as caught:
            JobManager(plugins=PLUGINS, discover=False, store="memory://")
        assert name in str(caught.value)


def test_an_executor_that_is_not_there_leaves_no_store_open(tmp_path):
    """Nobody would close it."""
    with pytest.raises(UnknownComponent, match="no executor named 'poold'"):
        JobManager(plugins=PLUGINS, discover=False, store=f"sqlite:///{tmp_path}/jobs.db", executor="poold")
    with sqlite3.connect(tmp_path / "jobs.db", isolation_level=None) as connection:
        assert connection.execute("PRAGMA journal_mode = DELETE").fetchone() == ("delete",)  # if it is alone
    connection.close()


# -- what is no server, or lets nobody in --------------------------------------------------------------


def test_no_server(tmp_path):
    for scheme in ("postgresql", "redis"):
        error = refused(
            f"{scheme}://:hush@127.0.0.1:1/0?timeout=0.5", StoreUnavailable, f"^store {scheme}://"
        )
        assert "hush" not in str(error)


def test_a_wrong_password_and_no_rights(postgres_server, redis_server):
    for server, said in (
        (postgres_server, "authentication failed"),
        (redis_server, "username-password pair"),
    ):
        refused(server.url(password="wrong"), StoreError, rf"{said}.*; check the URL")  # noqa: S106
    with postgres_server.connect() as connection:
        connection.execute("CREATE ROLE visitor LOGIN PASSWORD 'hush'")
        connection.execute("REVOKE CREATE ON DATABASE postgres FROM PUBLIC")
    url = postgres_server.url(user="visitor", password="hush", options="schema=visitors")  # noqa: S106
    error = refused(url, StoreError, r"permission denied.*; give this user the right to, or name a schema")
    assert "hush" not in str(error)


@pytest.mark.parametrize("kind", ["memory", "file", "sqlite", "postgresql", "redis"])
def test_no_number_is_too_large_for_a_page(kind, tmp_path, request):
    """As if it were infinite, wherever jobs are kept."""
    if kind in {"postgresql", "redis"}:
        url = request.getfixturevalue({"postgresql": "postgres_url", "redis": "redis_url"}[kind])
    else:
        url = f"{kind}:///{tmp_path}/jobs" if kind != "memory" else "memory://"
    with managed(url) as manager:
        job_id = manager.submit(filling(), "fill").job_id
        for number in (2**62, 2**63 - 1, 2**63, 10**30):
            assert [job.job_id for job in manager.jobs(limit=number)] == [job_id]
            assert manager.history(job_id, after=number).records == ()
            assert manager.history(job_id, limit=number).after is None


# -- what is in the way --------------------------------------------------------------------------------


@pytest.fixture(params=["sqlite", "file"])
def place(request, tmp_path):
    """Scheme and path of a store with a job in it."""
    path = tmp_path / "place" / "jobs"
    with managed(f"{request.param}:///{path}") as manager:
        Filling.gate.set()
        manager.submit(filling(), "fill")
    return request.param, path


def test_a_newer_schema(place):
    scheme, path = place
    if scheme == "file":
        (path / "format").write_text("routilux jobs\n7\n")
    else:
        with sqlite3.connect(path) as connection:
            connection.execute("PRAGMA user_version = 7")
        connection.close()
    error = refused(
        f"{scheme}:///{path}", NewerStore, "jobs has schema 7, .* knows up to 1; upgrade routilux-core"
    )
    assert (error.found, error.known) == (7, 1)


def test_what_may_only_be_read(place):
    scheme, path = place
    with without_rights(path.parent):
        refused(f"{scheme}:///{path}", StoreError, "cannot be written; give this user the right to")
        refused(f"{scheme}:///{path.parent}/new", StoreError, "give this user the right to|choose a folder")


def test_what_is_something_else(tmp_path):
    (tmp_path / "notes").write_text("my own " * 100)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "notes").write_text("my own")
    refused(f"sqlite:///{tmp_path}/notes", StoreError, "it is no SQLite database; choose another file")
    refused(f"sqlite:///{tmp_path}/folder", StoreError, "it is a folder; name a file in it")
    refused(f"file:///{tmp_path}/folder", StoreError, "files of another program; choose another folder")
    refused(f"file:///{tmp_path}/notes", StoreError, "it is no folder; choose another name")
    with sqlite3.connect(tmp_path / "theirs") as connection:
        connection.execute("CREATE TABLE theirs (one)")
    connection.close()
    refused(f"sqlite:///{tmp_path}/theirs", StoreError, "it is a database of another program")


def test_a_damaged_file(place):
    """What is damaged is named, and for what is not, it may be used."""
    scheme, path = place
    with managed(f"{scheme}:///{path}") as manager:
        ids = [manager.submit(filling(), "fill").job_id for _ in range(5)]
    if scheme == "file":
        log = next(one for one in (path / "jobs").glob("*.log") if ids[0] in one.name)
        content = bytearray(log.read_bytes())
        content[len(content) // 2] ^= 0xFF
        log.write_bytes(content)
    else:
        content = bytearray(path.read_bytes())
        for place_of_byte in range(4_096, len(content), 61):
            content[place_of_byte] ^= 0xFF
        path.write_bytes(content)

    with managed(f"{scheme}:///{path}") as manager:
        with pytest.raises(DamagedStore, match=r"damaged: .*; restore it from a backup") as caught:
            manager.load(ids[0])
        assert str(path) in str(caught.value)
        if scheme == "sqlite":
            with pytest.raises(DamagedStore, match="restore it from a backup"):
                manager.recover()
        else:
            assert manager.load(ids[1]).status == "pending"
            assert manager.recover() == 5
            assert manager.wait_for_all_jobs(PATIENCE)
            assert {manager.load(job_id).status for job_id in ids[1:]} == {"completed"}


# -- what happens while jobs run -----------------------------------------------------------------------


@pytest.fixture
def gated():
    """A job that is in a handler until the gate opens."""
    Filling.gate.clear()
    Filling.inside.clear()
    yield filling()
    Filling.gate.set()


def numbers(manager, job_id):
    return list(manager.load(job_id).shared_log)


@contextmanager
def full(store, path):
    """Let there be no more room than a little, for a store of files."""
    if isinstance(store, Files):
        sizes = [one.stat().st_size for one in path.rglob("*") if one.is_file()]
        with full_at(max(sizes) + 8_000):
            yield
        return
    writer = store.database.writer
    [[pages]] = writer.execute("PRAGMA page_count")
    writer.execute(f"PRAGMA max_page_count = {pages + 4}")
    try:
        yield
    finally:
        writer.execute("PRAGMA max_page_count = 1000000")


@pytest.mark.parametrize("kind", [Sqlite, Files])
@pytest.mark.parametrize("durability", ["sync", "batch"])
def test_a_full_disk_gives_jobs_up_and_harms_nothing(kind, durability, gated, tmp_path):
    """There is room again, and they go on where the store has them."""
    store = kind(tmp_path / "jobs")
    with JobManager(
        plugins=PLUGINS,
        discover=False,
        store=store,
        executor="pooled",
        durability=durability,
        settings={"scan_seconds": None, "claim_seconds": 0.4, "max_workers": 2},
    ) as manager:
        ids = [manager.start_job(gated, "fill").job_id for _ in range(2)]
        jobs = [manager.get_job(job_id) for job_id in ids]
        assert Filling.inside.wait(PATIENCE)
        with full(store, tmp_path / "jobs"):
            Filling.gate.set()
            for job in jobs:
                with pytest.raises(StoreError, match=r"jobs: the disk is full; make room") as caught:
                    job.wait(PATIENCE)
                assert not isinstance(caught.value, StoreUnavailable)
            for job_id in ids:
                kept = manager.load(job_id)
                assert kept.status == "running"
                assert list(kept.shared_log) == list(range(len(kept.shared_log)))
            with pytest.raises(StoreError, match="the disk is full"):
                manager.start_job(gated, "fill", {"pad": "x" * 100_000})
        while sum(manager.load(job_id).status == "completed" for job_id in ids) < len(ids):
            manager.recover()
            manager.wait_for_all_jobs(PATIENCE)
        for job_id in ids:
            assert numbers(manager, job_id) == list(range(41))
            assert all(before.at <= after.at for before, after in pairwise(manager.load(job_id).facts))
    store.close()


def test_one_store_for_two_managers(tmp_path):
    """It is closed by who has opened it, and by no manager."""
    store = Sqlite(tmp_path / "jobs.db")
    Filling.gate.set()
    with managed(store) as one, managed(store) as two:
        states = [manager.start_job(filling(), "fill") for manager in (one, two)]
        assert one.wait_for_all_jobs(PATIENCE)
        assert two.wait_for_all_jobs(PATIENCE)
        assert one.keeping.owner != two.keeping.owner
        for manager in (one, two):
            assert {manager.load(state.job_id).status for state in states} == {"completed"}
        one.shutdown()
        assert len(two.jobs()) == 2
    assert len(store.jobs()) == 2
    store.close()


@pytest.mark.parametrize("kind", [Memory, Sqlite, Files])
def test_a_store_that_was_closed_meanwhile(kind, gated, tmp_path):
    """Whatever is asked of the manager says so, and it shuts down."""
    store = kind() if kind is Memory else kind(tmp_path / "jobs")
    with managed(store, claim_seconds=0.3, scan_seconds=0.1) as manager:
        job_id = manager.start_job(gated, "fill").job_id
        job = manager.get_job(job_id)
        assert Filling.inside.wait(PATIENCE)
        store.close()
        Filling.gate.set()
        asked = (
            lambda: job.wait(PATIENCE),
            lambda: manager.load(job_id),
            manager.jobs,
            lambda: manager.history(job_id),
            manager.recover,
            lambda: manager.start_job(gated, "fill"),
            lambda: manager.submit(gated, "fill"),
            lambda: manager.cancel(job_id),
            lambda: manager.delete(job_id),
        )
        for ask in asked:
            with pytest.raises(StoreError, match="it is closed; open it again"):
                ask()
        assert manager.running_jobs == []


def test_files_are_private_to_their_owner(place):
    _, path = place
    found = [path, *path.rglob("*")] if path.is_dir() else list(path.parent.iterdir())
    assert {one.stat().st_mode & 0o077 for one in found} == {0}
