"""A commit gives the claim up that it was written under."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from routilux_core.status import ExecutionStatus
from routilux_core.store_errors import ClaimRefused
from routilux_core.testing.store_contract.sample import (
    COMPLETED,
    LONG,
    NEW,
    PAUSED,
    RUNNING,
    commit,
    entries,
    numbers,
    open_job,
)
from routilux_core.testing.store_contract.stage import MOMENT, Stage, raises, same

if TYPE_CHECKING:
    from routilux_core.store import Store


class ReleaseTests(Stage):
    """Commits with `release`."""

    def test_a_claim_is_given_up_with_a_commit(self, store: Store, again: Store) -> None:
        """Whatever the status; nobody has the job then, and the epoch stays known."""
        for status in ExecutionStatus:
            claim = open_job(store, status, "ann", entries=entries(1))
            end = commit(claim, 3, after=1, status=status, release=True)
            same(store.commit([end]), set(), "the jobs lost")
            for place in (again, store):
                kept = place.load(status)
                found = kept.head, kept.entries, kept.epoch
                same(found, (end.head, entries(3), 1), f"a job that was {status}")
                listed = {job.job_id: job.owner for job in place.jobs()}
                same((place.owners(), listed[status]), (set(), None), "its owner")
            same(store.renew([claim], LONG), {status}, "the renewals lost")
            same(store.commit([commit(claim, 4, after=3)]), {status}, "the jobs lost by what comes after it")
        same(store.claim(PAUSED, "ann", LONG).epoch, 2, "the epoch of the next claim")
        taken = {claim.job_id: claim.epoch for claim in again.claim_next("bob", LONG, 9)}
        same(taken, {"pending": 2, "running": 2}, "what should run, and its epochs")
        with raises(ClaimRefused, "claiming a job that is over"):
            store.claim(COMPLETED, "bob", LONG)

    def test_a_head_alone_may_give_it_up(self, store: Store) -> None:
        """That is a pause between two facts, or the end of one who has to go."""
        for status in (PAUSED, RUNNING, COMPLETED):
            claim = open_job(store, status, "ann", entries=entries(1))
            alone = commit(claim, status=status, release=True)
            same(store.commit([alone]), set(), "the jobs lost")
            kept = store.load(status)
            same((kept.head, kept.entries), (alone.head, entries(1)), "what is kept")
        same(store.owners(), set(), "the owners")

    def test_neighbours_keep_their_claims(self, store: Store) -> None:
        """In one batch some go and some stay."""
        claims = [open_job(store, f"job-{n}", f"owner-{n}") for n in range(6)]
        batch = [commit(claim, 1, release=n % 2 == 0) for n, claim in enumerate(claims)]
        same(store.commit(batch), set(), "the jobs lost")
        same(store.owners(), {"owner-1", "owner-3", "owner-5"}, "the owners")
        wanted = {f"job-{n}" for n in (0, 2, 4)}
        same(store.renew(claims, LONG), wanted, "the renewals lost")

    def test_a_lost_claim_gives_nothing_up(self, store: Store) -> None:
        """The job is still the other's."""
        stale = open_job(store, "job", "ann", entries=entries(1))
        store.claim("job", "bob", LONG, dead={"ann"})
        before = store.load("job")
        for last in (0, 1, 2):
            end = commit(stale, last, after=min(last, 1), status=COMPLETED, release=True)
            same(store.commit([end]), {"job"}, "the jobs lost")
        same((store.load("job"), store.owners()), (before, {"bob"}), "what is kept, and the owners")

    def test_a_late_claim_may_be_given_up(self, store: Store) -> None:
        """If nobody has claimed the job since its time ran out."""
        claim = open_job(store, "job", "ann", MOMENT)
        self.wait_for_end(store, "ann")
        same(store.commit([commit(claim, 1, status=PAUSED, release=True)]), set(), "the jobs lost")
        same(store.renew([claim], LONG), {"job"}, "the renewals lost")

    def test_a_repeated_release_is_not_lost(self, store: Store, again: Store) -> None:
        """As long as nobody has claimed the job since."""
        for last in (0, 2):
            for status in (COMPLETED, PAUSED, RUNNING):
                job_id = f"{status}-{last}"
                end = commit(open_job(store, job_id, "ann"), last, status=status, release=True)
                for place in (store, again, store):
                    same(place.commit([end]), set(), f"the jobs lost by the end of {job_id}")
                kept = again.load(job_id)
                found = kept.head, kept.entries, kept.epoch
                same(found, (end.head, entries(last), 1), f"the job {job_id}")
        same(store.owners(), set(), "the owners")

    def test_a_release_that_comes_after_anothers_claim_is_lost(self, store: Store) -> None:
        """Be it that the other has it still, or has given it up."""
        for last in (0, 2):
            job_id = f"job-{last}"
            end = commit(open_job(store, job_id, "ann"), last, status=PAUSED, release=True)
            store.commit([end])
            claim = store.claim(job_id, "bob", LONG)
            same(store.commit([end]), {job_id}, "the jobs lost by what comes after another's claim")
            same(store.owners(), {"bob"}, "the owners")
            store.release([claim])
            same(store.commit([end]), {job_id}, "the jobs lost by what comes after another's release")

    def test_what_comes_after_a_release_is_lost(self, store: Store) -> None:
        """Though it would give the claim up too: only what was written counts as written."""
        claim = open_job(store, "job", "ann", entries=entries(1))
        end = commit(claim, 2, after=1, status=PAUSED, release=True)
        store.commit([end])
        before = store.load("job")
        others = {
            "another entry": commit(claim, 3, after=2, status=PAUSED, release=True),
            "another head": commit(claim, status=RUNNING, release=True),
            "no release": evolve(end, release=False),
        }
        for what, other in others.items():
            same(store.commit([other]), {"job"}, f"the jobs lost by {what}")
        same(store.load("job"), before, "what is kept")

    def test_the_claim_of_a_job_that_is_over_may_be_given_up(self, store: Store) -> None:
        """By the same head once more, which changes nothing else."""
        claim = open_job(store, "job", "ann")
        end = commit(claim, 1, status=COMPLETED)
        store.commit([end])
        alone = evolve(end, entries=(), release=True)
        for _ in range(2):
            same(store.commit([alone]), set(), "the jobs lost")
        kept = store.load("job")
        same((store.owners(), kept.head, kept.entries), (set(), end.head, entries(1)), "what is kept")

    def test_requests_outlive_a_release(self, store: Store) -> None:
        """Those that the commit has answered are gone, the others wait for the next owner."""
        claim = open_job(store, "job", "ann", head=NEW)
        for name in ("r1", "r2"):
            store.request("job", "post", b"", name)
        store.commit([commit(claim, 1, status=PAUSED, handled=("r1",), release=True)])
        same(store.requests("ann"), [], "the requests of one who has given the job up")
        store.claim("job", "bob", LONG)
        same([one.request_id for one in store.requests("bob")], ["r2"], "the requests of the next owner")
        same(numbers(store, "job"), [1], "the facts")
