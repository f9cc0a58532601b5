"""What is special to the store in one file: processes, kills, disks, and files that are something else."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing, contextmanager

import pytest
from attrs import evolve

from routilux_core import (
    Commit,
    DamagedStore,
    Entry,
    ExecutionStatus,
    InvalidOption,
    NewerStore,
    StoreError,
    StoreUnavailable,
)
from routilux_plugins.stores.sqlite.schema import PAGE
from routilux_plugins.stores.sqlite.settings import SqliteSettings
from routilux_plugins.stores.sqlite.store import Sqlite
from tests.plugins.stores.job import HEAD, open_job

NOBODY = 65534
KILLS = 8


@pytest.fixture
def path(tmp_path):
    return tmp_path / "jobs.db"


@pytest.fixture
def store(path):
    with closing(Sqlite(path)) as store:
        yield store


def start(*arguments):
    command = [sys.executable, "-m", "tests.plugins.stores.writer", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def commit(claim, last, content=b""):
    return Commit(claim=claim, head=HEAD, entries=(Entry(last, last, content),))


def fill(path):
    """Make a store with a job, and close it."""
    with closing(Sqlite(path)) as store:
        claim = open_job(store, "job", "ann")
        for last in range(1, 200):
            store.commit([commit(claim, last, b"x" * 500)])


def kill_writers(path, every):
    """Kill a process again and again that says what it has kept, and see that all of it is there."""
    dice = random.Random(7)  # noqa: S311 - when to kill is no secret
    with closing(Sqlite(path)) as store:
        open_job(store, "job", "ann", 0, entries=[Entry(1, 1, b"1" * 200)])
    said = 1
    for number in range(KILLS):
        process = start("write", path, every)
        for _ in range(dice.randint(1, 60)):
            said = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        said = max([said, *(int(line) for line in process.stdout if line.endswith("\n"))])
        process.wait()
        process.stdout.close()
        with closing(Sqlite(path)) as store:
            kept = store.load("job").entries
            assert [entry.last for entry in kept] == list(range(1, len(kept) + 1))
            assert all(entry.content == b"%d" % entry.last * 200 for entry in kept)
            assert said <= len(kept) <= said + 1
            others = {job.job_id: len(store.history(job.job_id)) for job in store.jobs(limit=10_000)}
            begun = {f"other-{last}" for last in range(2, len(kept) + 1)}
            assert others.keys() == {"job", *begun}
            running = {job.job_id for job in store.jobs(status=[ExecutionStatus.RUNNING], limit=10_000)}
            ended_by_nobody = running - {"job", f"other-{len(kept)}"}
            assert len(ended_by_nobody) <= number
            assert all(others[one] == (1 if one in running else 2) for one in begun)


def test_what_was_committed_outlives_a_kill(path):
    kill_writers(path, every=1)


def test_what_was_not_committed_does_not(path):
    """The control: a process that says it has kept what it has only collected."""
    with pytest.raises(AssertionError):
        kill_writers(path, every=1000)


def test_processes_take_each_job_once(path):
    with closing(Sqlite(path)) as store:
        for number in range(200):
            store.submit(f"job-{number}", evolve(HEAD, created_at=float(number)), ())
        workers = [start("take", path, f"owner-{number}") for number in range(3)]
        written = [job_id for worker in workers for job_id in worker.communicate()[0].split()]

        assert sorted(written) == sorted(f"job-{number}" for number in range(200))
        assert len({store.load(job_id).epoch for job_id in written}) == 1
    assert [worker.returncode for worker in workers] == [0, 0, 0]


def test_a_writer_that_takes_long_is_waited_for(path, store):
    with closing(Sqlite(path, SqliteSettings(timeout=0.05))) as hasty:
        claim = open_job(store, "job", "ann")
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")

            with pytest.raises(
                StoreUnavailable, match=r"jobs\.db: another process has been writing for .* 0\.05 s"
            ):
                hasty.commit([commit(claim, 1)])
            assert hasty.load("job").entries == ()

            other.execute("ROLLBACK")
            assert hasty.commit([commit(claim, 1)]) == set()


def test_a_full_disk_is_named_and_harms_nothing(store):
    claim = open_job(store, "job", "ann")
    store.commit([commit(claim, 1, b"kept")])
    [[pages]] = store.database.writer.execute("PRAGMA page_count")
    store.database.writer.execute(f"PRAGMA max_page_count = {pages}")

    with pytest.raises(StoreError, match=r"jobs\.db: the disk is full"):
        store.commit([commit(claim, 2, b"x" * 100_000)])

    store.database.writer.execute("PRAGMA max_page_count = 1000000")
    assert [entry.content for entry in store.load("job").entries] == [b"kept"]
    assert store.commit([commit(claim, 2, b"x" * 100_000)]) == set()


def test_a_newer_schema_is_refused_by_its_number(path):
    fill(path)
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA user_version = 7")

    with pytest.raises(NewerStore, match=r"jobs\.db has schema 7, and this version knows up to 1") as caught:
        Sqlite(path)
    assert (caught.value.found, caught.value.known) == (7, 1)


def test_a_database_of_another_program_is_left_alone(path):
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE job (name TEXT)")
    before = path.read_bytes()

    with pytest.raises(StoreError, match="is a database of another program"):
        Sqlite(path)

    assert path.read_bytes() == before


def test_what_is_no_database_is_left_alone(path):
    path.write_text("name,age\n" * 1000)

    with pytest.raises(StoreError, match="it is no SQLite database"):
        Sqlite(path)

    assert path.read_text() == "name,age\n" * 1000


def test_a_damaged_file_is_named(path):
    fill(path)
    with path.open("r+b") as file:  # all pages but the first
        size = path.stat().st_size
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))

    with closing(Sqlite(path)) as store, pytest.raises(DamagedStore, match=r"jobs\.db: the file is damaged"):
        store.load("job")


@pytest.mark.parametrize("name", ["", "file/jobs.db"])
def test_a_place_that_cannot_be_is_named(tmp_path, name):
    (tmp_path / "file").write_text("")

    with pytest.raises(StoreError, match=str(tmp_path)):
        Sqlite(tmp_path / name)


@contextmanager
def without_rights(path):
    """Be a user who may read the file and not write it."""
    path.chmod(0o444)
    if os.geteuid():
        yield
        return
    for folder in path.parents:
        if folder.stat().st_uid == 0 and folder.stat().st_mode & 0o777 == 0o700:
            folder.chmod(0o755)  # a folder of the test's own
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_file_that_may_not_be_written_is_named(path):
    fill(path)

    with without_rights(path), pytest.raises(StoreError, match=r"jobs\.db: it cannot be written"):
        Sqlite(path)


def test_files_are_private_to_their_owner(tmp_path):
    path = tmp_path / "new" / "jobs.db"
    with closing(Sqlite(path)) as store:
        store.submit("job", HEAD, ())

        modes = {one.name: oct(one.stat().st_mode & 0o777) for one in path.parent.iterdir()}

    assert modes == {"jobs.db": "0o600", "jobs.db-wal": "0o600", "jobs.db-shm": "0o600"}
    assert oct(path.parent.stat().st_mode & 0o777) == "0o700"


@pytest.mark.parametrize(("synchronous", "number"), [("normal", 1), ("full", 2)])
def test_it_is_as_safe_as_was_asked_for(path, synchronous, number):
    with closing(Sqlite(path, SqliteSettings(synchronous=synchronous))) as store:
        writer = store.database.writer

        assert writer.execute("PRAGMA synchronous").fetchone() == (number,)
        assert writer.execute("PRAGMA journal_mode").fetchone() == ("wal",)


@pytest.mark.parametrize("timeout", [-1.0, float("nan"), float("inf")])
def test_a_wait_is_a_number_of_seconds(timeout):
    with pytest.raises(InvalidOption, match="timeout"):
        SqliteSettings(timeout=timeout)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system makes processes in another way")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_child_process_opens_it_anew(store):
    """Locks of SQLite do not go over to it."""
    store.submit("job", HEAD, ())
    child = os.fork()
    if not child:
        try:
            store.load("job")
        except StoreError as error:
            os._exit(3 if "opened by another process" in str(error) else 2)
        os._exit(1)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3
    assert store.load("job").entries == ()


def test_pages_are_small_whoever_makes_the_file(path):
    """What is written is whole pages."""
    threads = [threading.Thread(target=lambda: Sqlite(path).close()) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with closing(Sqlite(path)) as store:
        assert store.database.writer.execute("PRAGMA page_size").fetchone() == (PAGE,)


def test_a_place_in_a_loop_of_claims_stays_small(path, store):
    """What is written for a step is the step: the file grows with the steps alone."""
    claim = open_job(store, "job", "ann")
    sizes = []
    for start_of_part in (1, 1001):
        for last in range(start_of_part, start_of_part + 1000):
            store.commit([commit(claim, last, b"x" * 200)])
        store.database.writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        sizes.append(path.stat().st_size)

    assert sizes[1] - sizes[0] < 1.2 * sizes[0]
