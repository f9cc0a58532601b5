"""What is special to the store in a folder: processes, kills, disks, and folders that are something else."""

import errno
import os
import random
import re
import resource
import signal
import subprocess
import sys
from contextlib import closing, contextmanager

import pytest
from attrs import evolve

from routilux_core import (
    Commit,
    DuplicateName,
    Entry,
    ExecutionStatus,
    InvalidOption,
    JobManager,
    NewerStore,
    Settings,
    Snapshot,
    StoreError,
    StoreUnavailable,
    UnknownJob,
)
from routilux_core.stores import open_store
from routilux_plugins.stores import files
from routilux_plugins.stores.files import lock as lock_module
from routilux_plugins.stores.files.index import Index
from routilux_plugins.stores.files.lock import FolderLock
from routilux_plugins.stores.files.settings import FilesSettings
from routilux_plugins.stores.files.store import Files
from tests.plugins.stores.files_writer import SNAPSHOTS
from tests.plugins.stores.job import HEAD, open_job, opening

NOBODY = 65534
KILLS = 12


@pytest.fixture
def path(tmp_path):
    return tmp_path / "jobs"


@pytest.fixture
def store(path):
    with closing(Files(path)) as store:
        yield store


def start(*arguments):
    command = [sys.executable, "-m", "tests.plugins.stores.files_writer", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def commit(claim, last, content=b"", **more):
    return Commit(claim=claim, head=HEAD, entries=(Entry(last, last, content),), **more)


def picture(store):
    """Return all that a store tells of its jobs."""
    jobs = store.jobs(limit=1000)
    ids = [job.job_id for job in jobs]
    return jobs, [(store.load(one), store.history(one), store.waiting_requests(one)) for one in ids]


def kill_writers(path, mode):
    """Kill a process again and again that says what it has kept, and see that all of it is there."""
    dice = random.Random(7)  # noqa: S311 - when to kill is no secret
    with closing(Files(path)) as store:
        open_job(store, "job", "ann", 0, entries=[Entry(1, 1, b"1" * 200)])
    epochs, killed_at = [1], set()
    for _ in range(KILLS):
        process = start("write", path, mode)
        for _ in range(dice.randint(1, 60)):
            said = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        said = max([said, *(int(line) for line in process.stdout if line.endswith("\n"))])
        process.wait()
        process.stdout.close()
        with closing(Files(path)) as store:
            facts = store.history("job", limit=1_000_000)
            kept = store.load("job")
            assert [entry.last for entry in facts] == list(range(1, len(facts) + 1))
            assert all(entry.content == b"%d" % entry.last * 200 for entry in facts)
            assert said <= len(facts) <= said + 1
            last = len(facts) // SNAPSHOTS * SNAPSHOTS
            assert kept.snapshot == (Snapshot(last, b"%d" % last * 50) if last else None)
            assert kept.entries == tuple(facts[last:])
            assert kept.epoch > epochs[-1]
            epochs.append(kept.epoch)
            asked = [int(request.request_id[1:]) for request in store.waiting_requests("job")]
            assert asked == sorted(set(asked))
            killed_at.add(len(facts))  # perhaps before its request
            assert set(range(2, said)) - killed_at <= set(asked)
            others = [job.job_id for job in store.jobs() if job.job_id != "job"]
            assert len(others) <= len(epochs)
            before = picture(store)
        (path / "index").unlink()
        with closing(Files(path)) as store:
            assert picture(store)[1] == before[1]


def test_what_was_kept_outlives_a_kill(path):
    kill_writers(path, "late")


def test_what_was_not_kept_does_not(path):
    """The control: a process that says it has kept what it is about to keep."""
    with pytest.raises(AssertionError):
        kill_writers(path, "early")


def test_processes_take_each_job_once(path):
    with closing(Files(path)) as store:
        for number in range(200):
            store.submit(f"job-{number}", evolve(HEAD, created_at=float(number)), ())
        workers = [start("take", path, f"owner-{number}") for number in range(3)]
        written = [job_id for worker in workers for job_id in worker.communicate()[0].split()]

        assert sorted(written) == sorted(f"job-{number}" for number in range(200))
        assert {store.load(job_id).epoch for job_id in written} == {1}
    assert [worker.returncode for worker in workers] == [0, 0, 0]


def test_what_others_have_written_comes_first(path, store):
    """Steps are not in the index: whoever writes looks at the log."""
    with closing(Files(path)) as other:
        claim = open_job(store, "job", "ann")
        assert other.owners() == {"ann"}
        for last in range(1, 4):
            store.commit([commit(claim, last)])
        [claim] = other.claim_next("bob", 600, 1, dead={"ann"})
        other.commit([commit(claim, 4)])
        other.release([claim])
        store.request("job", "post", b"", "r1")
        claim = store.claim("job", "ann", 600)
        store.commit([commit(claim, 5)])
        other.release([claim])

        for place in (store, other):
            assert [entry.last for entry in place.history("job")] == [1, 2, 3, 4, 5]
    with closing(Files(path)) as third:
        assert [entry.last for entry in third.history("job")] == [1, 2, 3, 4, 5]


def fill(path):
    """Make a store with jobs of all kinds, and return all that it tells."""
    with closing(Files(path)) as store:
        for number in range(6):
            at = evolve(HEAD, created_at=float(number))
            claim = open_job(
                store, f"job-{number}", f"owner-{number}", head=at, entries=[Entry(1, 1, b"one")]
            )
            store.commit([evolve(commit(claim, 2, b"two"), head=at)])
        store.request("job-1", "post", b"asked", "r1")
        store.request("job-1", "post", b"asked again", "r2")
        store.commit([commit(claim, 3, snapshot=Snapshot(3, b"three"))])
        store.release([claim])
        done = evolve(HEAD, status=ExecutionStatus.COMPLETED)
        store.commit([Commit(claim=store.claim("job-2", "owner-2", 600), head=done)])
        store.delete("job-2")
        return picture(store)


@pytest.mark.parametrize("damage", ["missing", "empty", "torn", "flipped", "of an earlier time"])
def test_an_index_is_made_again_from_the_logs(path, damage):
    with closing(Files(path)) as store:
        store.submit("first", HEAD, ())
    index = path / "index"
    earlier = index.read_bytes()
    before = fill(path)
    data = index.read_bytes()
    flipped = data[:100] + bytes([data[100] ^ 1]) + data[101:]
    broken = {"empty": b"", "torn": data[:-7], "flipped": flipped, "of an earlier time": earlier}
    if damage == "missing":
        index.unlink()
    else:
        index.write_bytes(broken[damage])

    with closing(Files(path)) as store:
        assert picture(store) == before
        assert store.owners() == {"owner-0", "owner-1", "owner-3", "owner-4"}


def die_everywhere(tmp_path):
    """Kill a process before each of its calls to the disk, and see that others find whole commits or none."""
    for call in range(1, 1000):
        path = tmp_path / f"jobs-{call}"
        with closing(Files(path)) as witness:
            if os.WIFEXITED(_kill_one(path, call)):
                return call
            look(witness)
        (path / "index").unlink()
        with closing(Files(path)) as store:
            look(store)
    return 0


def look(store):
    for job in store.jobs():
        kept = store.load(job.job_id)
        facts = store.history(job.job_id)
        assert [entry.last for entry in facts] == list(range(1, len(facts) + 1))
        assert kept.snapshot in {None, Snapshot(2, b"two"), Snapshot(3, b"three")}
        assert kept.head == job.head
        assert kept.entries == tuple(facts[kept.snapshot.number if kept.snapshot else 0 :])
        claim = store.claim(job.job_id, "bob", 600, dead={"ann"})
        assert store.commit([commit(claim, len(facts) + 1)]) == set()
    assert store.owners() == ({"bob"} if store.jobs() else set())
    for job_id in {"job", "gone"} - {job.job_id for job in store.jobs()}:
        store.submit(job_id, HEAD, ())


def _kill_one(path, call):
    child = os.fork()
    if not child:
        try:
            with closing(Files(path)) as store:
                _die_at(call)
                first = opening("job", entries=[Entry(1, 1, b"one")])
                store.commit([first, opening("gone", entries=[Entry(1, 1, b"one")], release=True)])
                store.commit([commit(first.claim, 2, snapshot=Snapshot(2, b"two"))])
                store.commit([commit(first.claim, 3, snapshot=Snapshot(3, b"three"))])
                store.commit([commit(first.claim, 4, release=True)])
        finally:
            os._exit(0)
    return os.waitpid(child, 0)[1]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_killed_process_leaves_no_gap_to_the_index(tmp_path):
    assert die_everywhere(tmp_path) > 20


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_gap_to_the_index_has_to_be_stamped(tmp_path, monkeypatch):
    """The control: nobody is told that logs and index may differ."""
    real = FolderLock.set_stamp
    monkeypatch.setattr(FolderLock, "set_stamp", lambda lock, stamp: stamp.torn or real(lock, stamp))
    with pytest.raises((AssertionError, UnknownJob, DuplicateName)):
        die_everywhere(tmp_path)


def _die_at(call):
    """Have this process killed at the so-manieth call that changes something on the disk."""
    calls = iter(range(1, call))
    changes = {"write", "pwrite", "fsync", "unlink", "rename", "replace", "open", "truncate", "mkdir"}

    def watch(event, arguments):
        if event.removeprefix("os.") in changes and next(calls, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)

    for name in ("write", "pwrite", "fsync"):
        real = getattr(os, name)
        setattr(os, name, _watched(name, real, watch))
    sys.addaudithook(watch)


def _watched(name, real, watch):
    def called(*arguments):
        watch(name, arguments)
        return real(*arguments)

    return called


@contextmanager
def full_at(size):
    """Let no file grow beyond so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_named_and_harms_nothing(path, store):
    claims = [open_job(store, f"job-{number}", "ann") for number in range(3)]
    store.commit([commit(claim, 1, b"x" * 100_000) for claim in claims])
    before = picture(store)
    sizes = {one.name: one.stat().st_size for one in (path / "jobs").iterdir()}
    batch = [commit(claims[0], 2, b"small"), opening("opened"), commit(claims[1], 2, b"x" * 500_000)]

    with full_at(300_000):
        for work in (
            lambda: store.commit(batch),
            lambda: store.commit([commit(claims[2], 2, b"small", snapshot=Snapshot(2, b"x" * 500_000))]),
            lambda: store.submit("new", HEAD, [Entry(1, 1, b"x" * 500_000)]),
            lambda: store.save_flow("flow", "0", b"x" * 500_000),
        ):
            with pytest.raises(StoreError, match=r"jobs: the disk is full; make room"):
                work()
            assert {one.name: one.stat().st_size for one in (path / "jobs").iterdir()} == sizes
        assert picture(store) == before
    store.close()
    with full_at(32), closing(Files(path)) as again:
        assert picture(again) == before
    with closing(Files(path)) as again:
        assert again.commit(batch) == set()
        again.submit("new", HEAD, ())


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_what_the_system_says_of_a_full_disk_is_known(store, monkeypatch, number):
    claim = open_job(store, "job", "ann")

    def write(descriptor, data):
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", write)
        with pytest.raises(StoreError, match="the disk is full"):
            store.commit([commit(claim, 1)])

    assert store.commit([commit(claim, 1)]) == set()


def test_a_full_index_leaves_everything_as_it_was(store, monkeypatch):
    claim = open_job(store, "job", "ann")
    before = picture(store)

    def write(index, changes):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Index, "write", write)
        for work in (
            lambda: store.submit("new", HEAD, ()),
            lambda: store.commit([opening("new"), commit(claim, 1)]),
            lambda: store.commit([commit(claim, 1, release=True)]),
            lambda: store.release([claim]),
            lambda: store.renew([claim], 0),
            lambda: store.request("job", "post", b"", "r1"),
        ):
            with pytest.raises(StoreError, match="the disk is full"):
                work()
            assert picture(store) == before
            assert store.owners() == {"ann"}

    store.submit("new", HEAD, ())
    store.request("job", "post", b"", "r1")
    assert len(store.waiting_requests("job")) == 1


def test_a_new_job_of_an_old_id_is_another(path, store):
    with closing(Files(path)) as other:
        claim = open_job(store, "job", "ann", entries=[Entry(1, 1, b"old")])
        assert other.load("job").entries == (Entry(1, 1, b"old"),)
        store.release([claim])
        store.delete("job")
        open_job(store, "job", "ann", entries=[Entry(1, 1, b"new")])
        claim = other.claim("job", "bob", 600, dead={"ann"})
        other.commit([commit(claim, 2, b"newer")])

        for place in (store, other):
            assert [entry.content for entry in place.history("job")] == [b"new", b"newer"]


def test_an_id_whose_log_somebody_has_put_there_is_taken(tmp_path, path, store):
    with closing(Files(tmp_path / "elsewhere")) as other:
        open_job(other, "moved", entries=[Entry(1, 1, b"one")])
    [log] = (tmp_path / "elsewhere" / "jobs").iterdir()
    log.rename(path / "jobs" / log.name)

    assert store.commit([opening("new"), opening("moved", "bob")]) == {"moved"}
    store.close()
    with closing(Files(path)) as again:
        assert {job.job_id: job.owner for job in again.jobs()} == {"new": "ann", "moved": "ann"}


def test_a_writer_that_takes_long_is_waited_for(path, store):
    with closing(Files(path, FilesSettings(timeout=0.05))) as hasty:
        claim = open_job(store, "job", "ann")
        other = FolderLock("other", path, 1.0)
        with closing(other):
            with (
                other.held(),
                pytest.raises(StoreUnavailable, match=r"another process has been writing for .* 0\.05 s"),
            ):
                hasty.commit([commit(claim, 1)])
            assert hasty.load("job").entries == ()
            assert hasty.commit([commit(claim, 1)]) == set()


def test_a_newer_schema_is_refused_by_its_number(path):
    fill(path)
    (path / "format").write_text("routilux jobs\n7\n")

    with pytest.raises(NewerStore, match=r"jobs has schema 7, and this version knows up to 1") as caught:
        Files(path)
    assert (caught.value.found, caught.value.known) == (7, 1)


@pytest.mark.parametrize("name", ["notes.txt", "index"])
def test_a_folder_of_another_program_is_left_alone(path, name):
    path.mkdir()
    (path / name).write_text("mine")
    (path / "lock").write_text("")

    with pytest.raises(StoreError, match="it holds files of another program; choose another folder"):
        Files(path)

    assert {one.name for one in path.iterdir()} == {name, "lock"}


def test_a_file_is_no_folder(path):
    path.write_text("mine")

    with pytest.raises(StoreError, match=r"jobs: it is no folder; choose another name"):
        Files(path)
    with pytest.raises(StoreError, match=re.escape(str(path))):
        Files(path / "below")


@contextmanager
def without_rights(path):
    """Be a user who may read the folder and not write it."""
    for one in (path, *path.rglob("*")):
        one.chmod(0o555 if one.is_dir() else 0o444)
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


def test_a_folder_that_may_not_be_written_is_named(path):
    fill(path)

    with (
        without_rights(path),
        pytest.raises(StoreError, match=r"jobs/lock cannot be written; give this user"),
    ):
        Files(path)
    with without_rights(path), pytest.raises(StoreError, match=r"jobs/new cannot be written; give this user"):
        Files(path / "new")


def test_a_system_without_locks_is_told(path, monkeypatch):
    monkeypatch.setattr(lock_module, "fcntl", None)

    with pytest.raises(StoreError, match=r"this system cannot lock a folder .* use sqlite:///jobs\.db"):
        Files(path)


def test_a_folder_that_cannot_be_locked_is_told(path, monkeypatch):
    def refuse(descriptor, how):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(lock_module.fcntl, "flock", refuse)

    with pytest.raises(StoreError, match="it cannot be locked: No locks available; use a local folder"):
        Files(path)


def test_files_are_private_to_their_owner(path):
    fill(path)
    with closing(Files(path)) as store:
        store.save_flow("flow", "0", b"document")

    modes = {one.stat().st_mode & 0o777 for one in path.rglob("*") if one.is_file()}
    folders = {one.stat().st_mode & 0o777 for one in (path, *path.rglob("*")) if one.is_dir()}

    assert (modes, folders) == ({0o600}, {0o700})


def test_no_id_is_the_name_of_a_file(path, store):
    hostile = ("../../up", "/up", "UP", "up", "a\0b", "..", "", "\ud800", "x" * 10_000)
    for job_id in hostile:
        store.submit(job_id, evolve(HEAD, flow_id=job_id), ())
        store.save_flow(job_id, "../up", b"document")

    names = [one.name for folder in ("jobs", "flows") for one in (path / folder).iterdir()]
    assert len(names) == 2 * len(hostile)
    assert all(re.fullmatch(r"[a-z0-9_]{0,40}-[0-9a-f]{32}\.(log|flow)", name) for name in names)
    assert {one.name for one in path.parent.iterdir()} == {"jobs"}
    assert {job.job_id for job in store.jobs()} == set(hostile)


@pytest.mark.parametrize(("synchronous", "steps"), [("normal", 0), ("full", 3)])
def test_it_is_as_safe_as_was_asked_for(path, monkeypatch, synchronous, steps):
    synced = []
    real = os.fsync
    with closing(Files(path, FilesSettings(synchronous=synchronous))) as store:
        claim = open_job(store, "job", "ann")
        monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(real(descriptor)))
        for last in (1, 2, 3):
            store.commit([commit(claim, last)])

    assert len(synced) == steps


@pytest.mark.parametrize(("synchronous", "steps"), [("normal", 0), ("full", 21)])
def test_new_jobs_are_as_safe_and_wait_for_their_names_once(path, monkeypatch, synchronous, steps):
    synced = []
    real = os.fsync
    with closing(Files(path, FilesSettings(synchronous=synchronous))) as store:
        monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(real(descriptor)))
        assert store.commit([opening(f"job-{number}") for number in range(20)]) == set()

    assert len(synced) == steps


def test_a_url_chooses_folder_and_options(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with JobManager(plugins=[files], discover=False) as manager:
        url = "file:///some/jobs?synchronous=full&timeout=2"
        with closing(open_store(url, manager.registry, Settings())) as store:
            assert isinstance(store, Files)
            assert store.folder.full
        with pytest.raises(InvalidOption, match="synchronous"):
            open_store("file:///jobs?synchronous=maybe", manager.registry, Settings())
    assert (tmp_path / "some" / "jobs" / "format").exists()


@pytest.mark.parametrize("timeout", [-1.0, float("nan"), float("inf")])
def test_a_wait_is_a_number_of_seconds(timeout):
    with pytest.raises(InvalidOption, match="timeout"):
        FilesSettings(timeout=timeout)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_child_process_opens_it_anew(store):
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


def test_steps_grow_the_log_alone_and_by_themselves(path, store):
    claim = open_job(store, "job", "ann")
    [log] = (path / "jobs").iterdir()
    index, sizes = (path / "index").stat().st_size, [log.stat().st_size]
    for first in (1, 501):
        for last in range(first, first + 500):
            store.commit([commit(claim, last, b"x" * 200)])
        sizes.append(log.stat().st_size)

    assert (path / "index").stat().st_size == index
    assert sizes[2] - sizes[1] < 1.1 * (sizes[1] - sizes[0])


def test_an_index_stays_small(path, store, monkeypatch):
    """Others follow where it is written anew."""
    monkeypatch.setattr("routilux_plugins.stores.files.index.SPARE", 3000)
    with closing(Files(path)) as other:
        claim = open_job(store, "job", "ann")
        sizes = []
        for _ in range(100):
            store.renew([claim], 600)
            sizes.append((path / "index").stat().st_size)
            assert other.owners() == {"ann"}

    assert max(sizes) < 5000
    assert sorted(sizes) != sizes


def test_a_snapshot_takes_the_place_of_the_one_before(path, store):
    claim = open_job(store, "job", "ann")
    for last in range(1, 5):
        store.commit([commit(claim, last, snapshot=Snapshot(last, b"%d" % last))])

    assert len([*(path / "jobs").glob("*.snapshot")]) == 1
    assert store.load("job").snapshot == Snapshot(4, b"4")
    store.release([claim])
    store.delete("job")
    assert [*(path / "jobs").iterdir()] == []


def test_a_long_history_is_read_from_where_it_is_wanted(store):
    claim = open_job(store, "job", "ann")
    many = [Entry(3 * n + 1, 3 * n + 3, b"%d" % n * 300) for n in range(600)]
    for first in range(0, 600, 3):
        store.commit([Commit(claim=claim, head=HEAD, entries=tuple(many[first : first + 3]))])
        if first % 50 == 0:
            store.request("job", "post", b"\x89rx\n" * 100, f"r{first}")

    for after in range(0, 1801, 7):
        wanted = [entry for entry in many if entry.last > after][:5]
        assert store.history("job", after, 5) == wanted, f"after {after}"


def test_nothing_of_a_killed_writer_stays(path):
    fill(path)
    left = [path / "jobs" / name for name in ("job.log", "job-0.77.snapshot", "job-0.99.snapshot.new")]
    for one in left:
        one.write_bytes(b"rxl")

    with closing(Files(path)) as store:
        assert len(store.jobs()) == 5
    assert not any(one.exists() for one in left)


def test_an_index_is_not_read_where_nothing_is_new(path, monkeypatch):
    fill(path)
    with closing(Files(path)) as store:
        monkeypatch.setattr(Index, "_apply", None)

        assert len(store.jobs()) == 5
