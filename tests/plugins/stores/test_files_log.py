"""A log that was cut loads what is whole; one that was damaged is refused by file and offset."""

import logging
from contextlib import closing
from zlib import crc32

import pytest
from attrs import evolve

from routilux_core import Commit, DamagedStore, DuplicateName, Entry, ExecutionStatus, Snapshot, UnknownJob
from routilux_plugins.stores.files import frame as frame_module
from routilux_plugins.stores.files import log as log_module
from routilux_plugins.stores.files.frame import Frame, read_meta
from routilux_plugins.stores.files.log import HEADER
from routilux_plugins.stores.files.store import Files
from tests.plugins.stores.job import HEAD, open_job, opening


class Sample:
    """A small log of one job, with frames of every kind, and what is kept after each of them."""

    def __init__(self, path):
        self.path = path
        self.ends, self.kept = [0], [None]
        with closing(Files(path)) as store:
            claim = open_job(store, "job", "ann", entries=[Entry(1, 1, b"one"), Entry(2, 2, b"")])
            [self.log] = (path / "jobs").glob("*.log")
            self.note(store)
            store.commit([Commit(claim=claim, head=HEAD, entries=(Entry(3, 5, b"\x89rx\n" * 3),))])
            self.note(store)
            store.request("job", "post", b"asked", "r1")
            self.note(store)
            store.release([claim])
            self.note(store)
            claim = store.claim("job", "bob", 600)
            self.note(store)
            paused = evolve(HEAD, status=ExecutionStatus.PAUSED, updated_at=2.0, note="\ud800")
            store.commit(
                [
                    Commit(
                        claim=claim,
                        head=paused,
                        entries=(Entry(6, 6, b"six"),),
                        handled=("r1",),
                        release=True,
                    )
                ]
            )
            self.note(store)
        self.whole = self.log.read_bytes()
        self.index = (path / "index").read_bytes()

    def note(self, store):
        self.ends.append(self.log.stat().st_size)
        self.kept.append(self.seen(store))

    def put(self, data, index):
        """Have a log with that content, with the index or without one."""
        self.log.write_bytes(data)
        if index:
            (self.path / "index").write_bytes(self.index)
        else:
            (self.path / "index").unlink(missing_ok=True)

    def load(self):
        with closing(Files(self.path)) as store:
            return self.seen(store)

    def seen(self, store):
        kept = store.load("job")
        return kept, store.history("job"), store.waiting_requests("job"), store.jobs()[0].head

    def whole_frames(self, size):
        """Return what was kept by the frames that end within so many bytes."""
        return max(number for number, end in enumerate(self.ends) if end <= size)

    def frame_of(self, at):
        """Return where the frame stands that a byte belongs to; the header stands at 0."""
        return max(start for start in (0, HEADER, *self.ends[1:-1]) if start <= at)


@pytest.fixture
def sample(tmp_path):
    return Sample(tmp_path / "jobs")


@pytest.fixture(autouse=True)
def _quiet(caplog):
    caplog.set_level(logging.CRITICAL, "routilux.stores.file")


def cut_everywhere(sample, index):
    """Cut a log at every byte, and see that what is whole is loaded and written on."""
    for size in range(len(sample.whole) + 1):
        sample.put(sample.whole[:size], index)
        number = sample.whole_frames(size)
        if number:
            assert sample.load() == sample.kept[number], f"cut at {size}"
            assert sample.log.stat().st_size == sample.ends[number], f"cut at {size}"
        else:
            with pytest.raises(UnknownJob):
                sample.load()
            assert not sample.log.exists(), f"cut at {size}"


def flip_everywhere(sample, index):
    """Flip a bit of every byte, and see that the log is refused, but where it is a torn end."""
    for at in range(len(sample.whole)):
        damaged = bytearray(sample.whole)
        damaged[at] ^= 1 << at % 8
        sample.put(damaged, index)
        if not index and at >= sample.ends[-2]:
            assert sample.load() == sample.kept[-2], f"flipped at {at}"
            continue
        with pytest.raises(DamagedStore) as caught:
            sample.load()
        assert caught.value.place == f"{sample.log} at offset {sample.frame_of(at)}", f"flipped at {at}"
        assert sample.log.read_bytes() == damaged, f"flipped at {at}"


@pytest.mark.parametrize("index", [True, False], ids=["with index", "without index"])
def test_a_log_that_was_cut_loads_what_is_whole(sample, index):
    cut_everywhere(sample, index)


@pytest.mark.parametrize("index", [True, False], ids=["with index", "without index"])
def test_a_log_that_was_damaged_is_refused_by_file_and_offset(sample, index):
    flip_everywhere(sample, index)


def test_what_is_not_whole_has_to_be_cut(sample, monkeypatch):
    """The control: frames that are taken for whole though their end is missing."""

    def trusting(file, at, end, seed):
        file.seek(at)
        front = file.read(28)
        if len(front) < 28:
            return None
        said_length, length = (int.from_bytes(part) for part in (front[4:8], front[8:16]))
        said = file.read(said_length)
        if len(said) < said_length:
            return None
        content_at = at + 28 + said_length
        return Frame(at, read_meta(said), content_at, content_at + length, file.read(length))

    monkeypatch.setattr(log_module, "read_frame", trusting)
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        cut_everywhere(sample, index=False)


def test_what_is_damaged_has_to_be_seen(tmp_path, monkeypatch):
    """The control: frames whose contents have no checksum."""
    monkeypatch.setattr(frame_module, "crc32", lambda data, *seed: crc32(data, *seed) if seed else 0)
    with pytest.raises((AssertionError, ValueError, pytest.fail.Exception)):
        flip_everywhere(Sample(tmp_path / "jobs"), index=False)


def test_a_torn_end_is_reported_and_nothing_else_is_lost(sample, caplog):
    caplog.set_level(logging.WARNING, "routilux.stores.file")
    sample.put(sample.whole[:-1], index=True)

    assert sample.load() == sample.kept[-2]

    lost = len(sample.whole) - 1 - sample.ends[-2]
    assert f"cut a torn end of {lost} bytes off {sample.log}" in caplog.text


def test_a_log_inside_a_payload_is_a_payload(tmp_path):
    """Though the frame around it is torn: what looks like a frame there stands at another place."""
    sample = Sample(tmp_path / "sample")
    with closing(Files(tmp_path / "sample")) as store:
        claim = store.claim("job", "cat", 600, dead={"bob"})
        store.commit([Commit(claim=claim, head=HEAD, entries=(Entry(7, 7, sample.whole),))])
    data = sample.log.read_bytes()
    sample.put(data[:-1], index=False)

    with closing(Files(tmp_path / "sample")) as store:
        assert store.load("job").entries[-1] == Entry(6, 6, b"six")


@pytest.mark.parametrize("damage", ["cut", "flipped", "gone"])
def test_a_damaged_snapshot_is_named(tmp_path, damage):
    with closing(Files(tmp_path / "jobs")) as store:
        store.submit("job", HEAD, (), Snapshot(4, b"four"))
        [path] = (tmp_path / "jobs" / "jobs").glob("*.snapshot")
        data = path.read_bytes()
        path.write_bytes({"cut": data[:-1], "flipped": data[:-1] + b"x", "gone": data}[damage])
        if damage == "gone":
            path.unlink()

        with pytest.raises(DamagedStore, match=path.name):
            store.load("job")


def test_a_damaged_job_holds_up_no_other(sample):
    with closing(Files(sample.path)) as store:
        store.submit("neighbour", HEAD, [Entry(1, 1, b"fine")])
    damaged = bytearray(sample.whole)
    damaged[sample.ends[1] + 40] ^= 1
    for index in (True, False):
        if not index:
            (sample.path / "index").unlink()
        sample.log.write_bytes(damaged)
        with closing(Files(sample.path)) as store:
            assert [claim.job_id for claim in store.claim_next("dan", 600, 10)] == ["neighbour"]
            store.release([*store.claim_next("dan", 600, 10), store.claim("neighbour", "dan", 600)])
            assert store.commit([opening("job"), opening(f"new-{index}")]) == {"job"}
            assert {"neighbour", f"new-{index}"} <= {job.job_id for job in store.jobs()}
            with pytest.raises(DamagedStore):
                store.load("job")
            with pytest.raises(DuplicateName if index else DamagedStore):
                store.submit("job", HEAD, ())


def test_a_job_whose_new_steps_are_damaged_is_listed_with_a_note(tmp_path, caplog):
    caplog.set_level(logging.ERROR, "routilux.stores.file")
    with closing(Files(tmp_path / "jobs")) as store, closing(Files(tmp_path / "jobs")) as other:
        claim = open_job(store, "job", "ann")
        [log] = (tmp_path / "jobs" / "jobs").iterdir()
        size = log.stat().st_size
        for last in (1, 2):
            store.commit([Commit(claim=claim, head=HEAD, entries=(Entry(last, last, b"fact"),))])
        data = bytearray(log.read_bytes())
        data[size + 50] ^= 1
        log.write_bytes(data)

        [job] = other.jobs()
        assert f"{log} at offset {size} is damaged: its checksum does not fit" in job.head.note
        for _ in range(3):
            assert other.claim_next("bob", 600, 1, dead={"ann"}) == []
        assert caplog.text.count("is damaged") == 1
