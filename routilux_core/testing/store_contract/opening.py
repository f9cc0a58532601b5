"""A commit takes a new job in and claims it, beside others that write what is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from routilux_core.store import Claim, Entry, Snapshot
from routilux_core.store_errors import ClaimRefused, StoreError
from routilux_core.testing.store_contract.sample import (
    COMPLETED,
    LONG,
    NEW,
    PAUSED,
    RUNNING,
    START,
    commit,
    entries,
    head,
    numbers,
    open_job,
    opening,
)
from routilux_core.testing.store_contract.stage import Stage, raises, same

if TYPE_CHECKING:
    from routilux_core.store import Commit, Store


class OpeningTests(Stage):
    """Commits with `opens`."""

    def test_a_new_job_is_its_makers(self, store: Store, again: Store) -> None:
        """With its first claim, for as long as was asked."""
        same(store.commit([opening("job", "ann", entries=entries(2))]), set(), "the jobs lost")
        for place in (store, again):
            kept = place.load("job")
            same((kept.head, kept.entries, kept.epoch), (NEW, entries(2), 1), "what was taken in")
            same((place.owners(), place.jobs()[0].owner), ({"ann"}, "ann"), "its owner")
            with raises(ClaimRefused, "claiming a job that its maker has"):
                place.claim("job", "bob", LONG)
        same(
            again.commit([commit(Claim("job", "ann", 1), 3, after=2)]), set(), "the jobs lost by what follows"
        )

    def test_new_jobs_come_with_what_others_write(self, store: Store) -> None:
        """Many of both in one batch, and each has its own."""
        claims = [open_job(store, f"old-{n}", "ann", entries=entries(1)) for n in range(10)]
        batch = [
            one
            for n, claim in enumerate(claims)
            for one in (
                opening(f"new-{n}", "bob", head=head(number=n), entries=entries(n)),
                commit(claim, 2 + n, after=1),
            )
        ]
        same(store.commit(batch), set(), "the jobs lost")
        for n in range(10):
            kept = store.load(f"new-{n}")
            same((kept.head, kept.entries, kept.epoch), (head(number=n), entries(n), 1), f"new job {n}")
            same(numbers(store, f"old-{n}"), list(range(1, n + 3)), f"the facts of old job {n}")
        same(store.owners(), {"ann", "bob"}, "the owners")

    def test_a_taken_id_harms_nobody(self, store: Store, again: Store) -> None:
        """Wherever it stands in the batch: it alone is lost, the job that has it stays as it is."""
        store.submit("submitted", NEW, entries(1))
        open_job(store, "opened", "ann", entries=entries(1))
        over = open_job(store, "over", "ann", entries=entries(1))
        store.commit([commit(over, 2, after=1, status=COMPLETED, release=True)])
        before = [store.load(job_id) for job_id in ("submitted", "opened", "over")]
        other = head(number=1, flow_id="other")
        past = Snapshot(1, b"other")
        for place, job_id in enumerate(("submitted", "opened", "over")):
            batch = [opening(f"new-{place}-{n}", "bob", entries=entries(2)) for n in range(2)]
            claim = open_job(store, f"old-{place}", "bob")
            batch.append(commit(claim, 1))
            batch.insert(place, opening(job_id, "bob", head=other, entries=entries(3), snapshot=past))
            same((store, again)[place % 2].commit(batch), {job_id}, "the jobs lost")
            for n in range(2):
                same(numbers(store, f"new-{place}-{n}"), [1, 2], "the facts of a new job beside it")
            same(numbers(store, f"old-{place}"), [1], "the facts of a job beside it")
        after = [store.load(job_id) for job_id in ("submitted", "opened", "over")]
        same(after, before, "the jobs that had the ids")
        same(store.jobs("other"), [], "the jobs of the flow that was refused")
        same({job.job_id: job.owner for job in store.jobs()}["opened"], "ann", "who has the opened job")

    def test_a_repeated_opening_is_written_once(self, store: Store, again: Store) -> None:
        """And is not lost, though others of the batch were not written yet."""
        past = Snapshot(4, b"four")
        batch = [
            opening("empty", "ann"),
            opening("full", "ann", entries=entries(2)),
            opening("moved", "ann", entries=entries(6, after=4), snapshot=past),
            opening("bare", "ann", snapshot=past),
        ]
        same(store.commit(batch[:3]), set(), "the jobs lost")
        for place in (again, store):
            same(place.commit(batch), set(), "the jobs lost by what came again")
        wanted = {"empty": [], "full": [1, 2], "moved": [5, 6], "bare": []}
        for one in batch:
            job_id = one.claim.job_id
            same(numbers(store, job_id), wanted[job_id], f"the facts of {job_id}")
            same(store.load(job_id).epoch, 1, f"the epoch of {job_id}")
            last = _last(one)
            same(again.commit([commit(one.claim, last + 1, after=last)]), set(), "the jobs lost")

    def test_a_repeated_opening_of_a_lost_claim_is_lost(self, store: Store) -> None:
        """Be the job another's by now, or nobody's."""
        taken, released = opening("taken", "ann", entries=entries(1)), opening("released", "ann")
        store.commit([taken, released])
        store.claim("taken", "bob", LONG, dead={"ann"})
        store.release([released.claim])
        same(store.commit([taken, released]), {"taken", "released"}, "the jobs lost")
        same(store.owners(), {"bob"}, "the owners")

    def test_another_job_of_that_id_is_no_repetition(self, store: Store) -> None:
        """Also of the same owner: it was made at another time."""
        for release in (False, True):
            first = opening(f"job-{release}", "ann", entries=entries(2), release=release)
            later = evolve(first, head=evolve(first.head, created_at=START + 1))
            same(store.commit([first]), set(), "the jobs lost")
            same(store.commit([later]), {f"job-{release}"}, "the jobs lost by another job of that id")
            same(store.load(f"job-{release}").head, NEW, "the head of the first job")

    def test_a_job_may_come_and_go_at_once(self, store: Store, again: Store) -> None:
        """Taken in over, paused or running, and nobody has it; so it stays when it comes again."""
        batch = [
            opening("over", "ann", head=head(COMPLETED), entries=entries(3), release=True),
            opening("paused", "ann", head=head(PAUSED, number=1), release=True, snapshot=Snapshot(9, b"")),
            opening("running", "ann", head=head(RUNNING, number=2), entries=entries(1), release=True),
        ]
        for place in (store, again):
            same(place.commit(batch), set(), "the jobs lost")
            same(place.owners(), set(), "the owners")
            for one in batch:
                kept = place.load(one.claim.job_id)
                found = kept.head, kept.snapshot, kept.entries, kept.epoch
                same(found, (one.head, one.snapshot, one.entries, 1), f"the job {one.claim.job_id!r}")
        with raises(ClaimRefused, "claiming a job that came over"):
            store.claim("over", "bob", LONG)
        same(store.claim("paused", "bob", LONG), Claim("paused", "bob", 2), "the claim of the paused one")
        same(store.claim_next("bob", LONG, 9), [Claim("running", "bob", 2)], "the claims of what should run")
        same(store.commit(batch), {"paused", "running"}, "the jobs lost by what comes after another's claim")

    def test_a_gap_in_a_new_job_is_refused(self, store: Store) -> None:
        """With the whole batch."""
        gap = opening("job", "ann", entries=[Entry(1, 2, b""), Entry(4, 4, b"")])
        with raises(StoreError, "a new job with a gap"):
            store.commit([opening("other", "ann"), gap])
        same(store.jobs(), [], "the jobs")

    def test_an_id_may_be_opened_anew(self, store: Store) -> None:
        """Once its job was deleted."""
        store.commit([opening("job", "ann", entries=entries(5))])
        store.release([Claim("job", "ann", 1)])
        store.delete("job")
        same(store.commit([opening("job", "bob", entries=entries(1))]), set(), "the jobs lost")
        same(
            (numbers(store, "job"), store.owners()), ([1], {"bob"}), "the facts and the owner of the new job"
        )


def _last(commit: Commit) -> int:
    if commit.entries:
        return commit.entries[-1].last
    return commit.snapshot.number if commit.snapshot else 0
