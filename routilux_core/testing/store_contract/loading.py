"""A job is loaded by its snapshot and what came after; its history stays whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routilux_core.job_errors import UnknownJob
from routilux_core.store import Entry, Snapshot
from routilux_core.testing.store_contract.sample import (
    COMPLETED,
    NEW,
    commit,
    entries,
    head,
    numbers,
    open_job,
)
from routilux_core.testing.store_contract.stage import Stage, raises, same

if TYPE_CHECKING:
    from routilux_core.store import Store


class LoadTests(Stage):
    """`load` and `history`."""

    def test_unknown_jobs_are_named(self, store: Store) -> None:
        """By both."""
        for call in (store.load, store.history):
            with raises(UnknownJob, "reading an unknown job") as text:
                call("nobody")
            assert "nobody" in text[0], f"the error does not name the job: {text[0]}"

    def test_a_job_without_a_snapshot_is_all_its_entries(self, store: Store) -> None:
        """Which may be none."""
        store.submit("empty", NEW, ())
        claim = open_job(store, "job", "ann", entries=entries(3))
        store.commit([commit(claim, 300, after=3)])
        same((store.load("empty").snapshot, store.load("empty").entries), (None, ()), "a job with no entry")
        same(store.load("job").entries, entries(300), "all entries")

    def test_a_snapshot_stands_for_what_was_before(self, store: Store, again: Store) -> None:
        """What comes after its number is loaded with it, also if it was there before the snapshot."""
        claim = open_job(store, "job", "ann", entries=entries(3))
        store.commit([commit(claim, 5, after=3, snapshot=Snapshot(4, b"four"))])
        kept = again.load("job")
        same((kept.snapshot, kept.entries), (Snapshot(4, b"four"), entries(5, after=4)), "what is loaded")
        store.commit([commit(claim, 7, after=5)])
        same(store.load("job").entries, entries(7, after=4), "the entries after the snapshot")
        store.commit([commit(claim, 8, after=7, snapshot=Snapshot(8, b"eight"))])
        kept = again.load("job")
        same((kept.snapshot, kept.entries), (Snapshot(8, b"eight"), ()), "what is loaded of the next one")
        store.commit([commit(claim, 9, after=8)])
        kept = store.load("job")
        same((kept.snapshot, kept.entries), (Snapshot(8, b"eight"), entries(9, after=8)), "and after that")

    def test_a_snapshot_may_come_alone(self, store: Store) -> None:
        """For what is there already."""
        claim = open_job(store, "job", "ann", entries=entries(4))
        store.commit([commit(claim, snapshot=Snapshot(2, b"two"))])
        kept = store.load("job")
        same((kept.snapshot, kept.entries), (Snapshot(2, b"two"), entries(4, after=2)), "what is loaded")

    def test_a_snapshot_takes_nothing_from_the_history(self, store: Store) -> None:
        """It is there from the first entry on."""
        claim = open_job(store, "job", "ann", entries=entries(3))
        store.commit([commit(claim, 5, after=3, snapshot=Snapshot(5, b"five"))])
        same(store.history("job"), list(entries(5)), "the history")

    def test_a_job_comes_with_its_past(self, store: Store) -> None:
        """One that was kept elsewhere is taken in with a snapshot, with its history or without."""
        past = Snapshot(40, b"forty")
        store.submit("short", NEW, entries(42, after=40), past)
        store.submit("whole", head(number=1), entries(42), past)
        claim = open_job(store, "bare", "ann", head=head(number=2), snapshot=past)
        open_job(store, "opened-short", "ann", entries=entries(42, after=40), snapshot=past)
        open_job(store, "opened-whole", "ann", entries=entries(42), snapshot=past)
        for job_id in ("short", "whole", "opened-short", "opened-whole"):
            kept = store.load(job_id)
            same((kept.snapshot, kept.entries), (past, entries(42, after=40)), f"what is loaded of {job_id}")
            wanted = list(range(41 if "short" in job_id else 1, 43))
            same(numbers(store, job_id), wanted, f"the history of {job_id}")
        same((store.load("bare").snapshot, store.load("bare").entries), (past, ()), "the bare one")
        same(store.commit([commit(claim, 42, after=40)]), set(), "the jobs lost")
        same(numbers(store, "bare"), [41, 42], "what follows a snapshot")

    def test_history_comes_in_pages(self, store: Store) -> None:
        """From after a fact on, and no more than was asked for."""
        many = [Entry(number * 3 + 1, number * 3 + 3, f"{number}".encode()) for number in range(250)]
        open_job(store, "job", "ann", entries=many)
        same(len(store.history("job")), 100, "the entries of a page where none is named")
        found: list[Entry] = []
        while page := store.history("job", found[-1].last if found else 0, 40):
            assert len(page) <= 40, f"{len(page)} entries on a page of 40"
            found += page
        same(found, many, "all pages")
        same(store.history("job", 750), [], "what comes after the last fact")
        same(store.history("job", 0, 0), [], "a page of none")

    def test_the_history_of_a_job_that_is_over_is_whole(self, store: Store, again: Store) -> None:
        """With the entries of its end, in pages of any size."""
        for release in (False, True):
            job_id = f"job-{release}"
            claim = open_job(store, job_id, "ann", entries=entries(3))
            store.commit([commit(claim, 5, after=3)])
            end = commit(claim, 8, after=5, status=COMPLETED, release=release, snapshot=Snapshot(6, b"six"))
            store.commit([end])
            for limit in range(1, 10):
                found: list[Entry] = []
                while page := again.history(job_id, found[-1].last if found else 0, limit):
                    assert len(page) <= limit, f"{len(page)} entries on a page of {limit}"
                    found += page
                same(found, list(entries(8)), f"pages of {limit}")
            same(store.load(job_id).entries, entries(8, after=6), "what comes after the snapshot")
            same(store.history(job_id, 8), [], "what comes after the end")

    def test_an_entry_is_given_whole(self, store: Store) -> None:
        """Also if the number is inside it."""
        many = [Entry(1, 3, b"a"), Entry(4, 6, b"b"), Entry(7, 9, b"c")]
        store.submit("job", NEW, many)
        same(store.history("job", 4), many[1:], "what comes after a fact in the midst of an entry")
        same(store.history("job", 6), many[2:], "what comes after the last fact of an entry")
