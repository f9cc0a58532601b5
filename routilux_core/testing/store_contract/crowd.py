"""Many threads and two writers at once."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from attrs import evolve

from routilux_core.store import Snapshot
from routilux_core.store_errors import ClaimRefused, StoreError
from routilux_core.testing.store_contract.sample import (
    LONG,
    NEW,
    START,
    commit,
    entries,
    head,
    numbers,
    open_job,
    opening,
)
from routilux_core.testing.store_contract.stage import Stage, same

if TYPE_CHECKING:
    from collections.abc import Callable

    from routilux_core.store import Claim, Kept, Store

THREADS = 8
JOBS = 60
ROUNDS = 25
BETWEEN = 0.0005
"""Seconds in which another may come between."""
EVERYBODY = tuple(f"owner-{number}" for number in range(THREADS))


class CrowdTests(Stage):
    """Half of the threads use one store, half the other on the same place."""

    def test_each_job_is_given_to_one(self, store: Store, again: Store) -> None:
        """However many take jobs at once."""
        for number in range(JOBS):
            store.submit(f"job-{number}", head(number=number), ())

        def take(number: int, place: Store) -> list[Claim]:
            found: list[Claim] = []
            while claims := place.claim_next(f"owner-{number}", LONG, 3):
                found += claims
            return found

        claims = [claim for found in self._together(store, again, take) for claim in found]
        same(len({claim.job_id for claim in claims}), JOBS, "the number of jobs that were given")
        same(len(claims), JOBS, "the number of claims")

    def test_one_claim_of_many_succeeds(self, store: Store, again: Store) -> None:
        """And one job of an id."""

        def claim(number: int, place: Store) -> list[Claim]:
            found = []
            for job in range(ROUNDS):
                first = opening(f"job-{job}", f"owner-{number}")
                if not place.commit([first]):
                    found.append(first.claim)
                else:
                    with suppress(ClaimRefused):
                        found.append(place.claim(f"job-{job}", f"owner-{number}", LONG))
            return found

        claims = [one for found in self._together(store, again, claim) for one in found]
        same(sorted(one.job_id for one in claims), sorted(f"job-{n}" for n in range(ROUNDS)), "the claims")

    def test_an_id_is_opened_by_one_of_many(self, store: Store, again: Store) -> None:
        """Each batch has the same ids, in an order of its own."""

        def take_in(number: int, place: Store) -> list[str]:
            found = []
            for turn in range(ROUNDS):
                ids = [f"job-{turn}-{(number + n) % THREADS}" for n in range(THREADS)]
                lost = place.commit([opening(job_id, f"owner-{number}") for job_id in ids])
                found += [job_id for job_id in ids if job_id not in lost]
            return found

        opened = [job_id for found in self._together(store, again, take_in) for job_id in found]
        wanted = [f"job-{turn}-{n}" for turn in range(ROUNDS) for n in range(THREADS)]
        same(sorted(opened), sorted(wanted), "the jobs that were taken in")

    def test_owners_that_take_from_each_other_write_one_history(self, store: Store, again: Store) -> None:
        """No fact is lost or doubled, no epoch comes twice."""
        store.submit("job", NEW, ())

        def snatch(number: int, place: Store) -> list[tuple[int, int]]:
            written = []
            for _ in range(ROUNDS):
                try:
                    claim = place.claim("job", f"owner-{number}", LONG, dead=EVERYBODY)
                except ClaimRefused:
                    continue
                last = len(numbers(place, "job"))
                time.sleep(BETWEEN)
                if not place.commit([commit(claim, last + 1, after=last)]):
                    written.append((last + 1, claim.epoch))
            return written

        written = sorted(one for found in self._together(store, again, snatch) for one in found)
        same(numbers(store, "job"), list(range(1, len(written) + 1)), "the facts")
        same([number for number, _ in written], numbers(store, "job"), "what the owners have written")
        epochs = [epoch for _, epoch in written]
        assert epochs == sorted(set(epochs)), f"of two owners with one epoch both have written: {epochs}"

    def test_neighbours_write_at_once(self, store: Store, again: Store) -> None:
        """Each thread its own jobs, in batches, and all of it is there."""

        def write(number: int, place: Store) -> int:
            claims = [open_job(place, f"job-{number}-{n}", f"owner-{number}") for n in range(3)]
            lost: set[str] = set()
            for last in range(ROUNDS):
                lost |= place.commit([commit(claim, last + 1, after=last) for claim in claims])
                place.request(f"job-{number}-0", "post", b"", f"r{last}")
            return len(lost)

        same(self._together(store, again, write), [0] * THREADS, "the jobs lost")
        for number in range(THREADS):
            for n in range(3):
                same(numbers(again, f"job-{number}-{n}"), list(range(1, ROUNDS + 1)), "the facts of a job")
            found = [one.request_id for one in again.requests(f"owner-{number}")]
            same(found, [f"r{last}" for last in range(ROUNDS)], "the requests of an owner")

    def test_a_request_is_taken_once_from_many(self, store: Store, again: Store) -> None:
        """All of them leave the same ones."""
        store.submit("job", NEW, ())

        def ask(_number: int, place: Store) -> None:
            for n in range(ROUNDS):
                place.request("job", "post", b"", f"r{n}")

        self._together(store, again, ask)
        found = [one.request_id for one in store.waiting_requests("job")]
        same(sorted(found), sorted(f"r{n}" for n in range(ROUNDS)), "the requests")

    def test_readers_see_whole_commits(self, store: Store, again: Store) -> None:
        """Head, snapshot and entries of one moment, while somebody writes; lists likewise."""
        claim = open_job(store, "job", "ann", head=evolve(NEW, updated_at=START))
        written = threading.Event()

        def write() -> None:
            try:
                for last in range(ROUNDS * 4):
                    snapshot = Snapshot(last + 1, b"") if last % 3 == 0 else None
                    store.commit([commit(claim, last + 1, after=last, snapshot=snapshot)])
            finally:
                written.set()

        seen: list[Kept] = []

        def read(place: Store) -> None:
            while not written.is_set():
                seen.append(place.load("job"))

        self._run([write, lambda: read(again), lambda: read(store)])
        for kept in (*seen, store.load("job")):
            start = kept.snapshot.number if kept.snapshot else 0
            last = round(kept.head.updated_at - START)
            same(kept.entries, entries(last, after=start), f"a job read at fact {last}, snapshot {start}")

    def test_closing_breaks_nothing(self, store: Store, again: Store) -> None:
        """What others are writing is written whole, or refused with an error that says why."""
        claims = [open_job(store, f"job-{n}", "ann") for n in range(4)]
        began = threading.Barrier(len(claims) + 1)
        written = [0] * len(claims)

        def write(number: int) -> None:
            began.wait(self.patience)
            for last in range(10_000):
                try:
                    store.commit([commit(claims[number], last + 1, after=last)])
                except StoreError:
                    return
                written[number] = last + 1

        def close() -> None:
            began.wait(self.patience)
            self.wait_for(lambda: min(written) > 2, "every thread has written")
            store.close()

        self._run([partial(write, n) for n in range(len(claims))] + [close])
        for number, claim in enumerate(claims):
            found = numbers(again, claim.job_id)[-1:]
            last = again.load(claim.job_id).entries[-1].last
            assert last - written[number] in {0, 1}, f"{written[number]} were written, {last} are kept"
            same(bool(found), True, "a history being there")

    def _together(self, store: Store, again: Store, work: Callable[[int, Store], Any]) -> list[Any]:
        """Run `work` in many threads that begin at once, and return what each has returned."""
        begin = threading.Barrier(THREADS)
        results: list[Any] = [None] * THREADS

        def run(number: int) -> None:
            begin.wait(self.patience)
            results[number] = work(number, (store, again)[number % 2])

        self._run([partial(run, n) for n in range(THREADS)])
        return results

    def _run(self, works: list[Callable[[], None]]) -> None:
        errors: list[BaseException] = []

        def guarded(work: Callable[[], None]) -> None:
            try:
                work()
            except BaseException as error:  # noqa: BLE001 - whatever it is, the test has to tell it
                errors.append(error)

        threads = [threading.Thread(target=guarded, args=(work,), daemon=True) for work in works]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(self.patience)
        if errors:
            raise errors[0]
        assert not any(thread.is_alive() for thread in threads), f"it has not ended within {self.patience} s"
