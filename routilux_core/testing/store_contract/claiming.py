"""One owner at a time has a job, and every claim has an epoch of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routilux_core.errors import DuplicateName
from routilux_core.job_errors import UnknownJob
from routilux_core.store_errors import ClaimRefused
from routilux_core.testing.store_contract.sample import (
    FINAL,
    LONG,
    NEW,
    PAUSED,
    commit,
    entries,
    head,
    open_job,
)
from routilux_core.testing.store_contract.stage import MOMENT, Stage, raises, same

if TYPE_CHECKING:
    from routilux_core.store import Store


class ClaimTests(Stage):
    """New jobs, and claims of one job by its id."""

    def test_a_submitted_job_is_nobodys(self, store: Store) -> None:
        """`submit` takes it in for whoever comes."""
        store.submit("job", NEW, entries(2))
        kept = store.load("job")
        same((kept.head, kept.entries, kept.epoch), (NEW, entries(2), 0), "what was taken in")
        same((store.owners(), store.jobs()[0].owner), (set(), None), "its owner")

    def test_an_id_is_taken_once(self, store: Store, again: Store) -> None:
        """And the job that has it stays as it is."""
        store.submit("one", NEW, entries(1))
        claim = open_job(store, "two", "ann", entries=entries(1))
        other = head(number=1, flow_id="other")
        for job_id in ("one", "two"):
            for place in (store, again):
                with raises(DuplicateName, f"submitting {job_id!r} again"):
                    place.submit(job_id, other, entries(2))
            same((store.load(job_id).head, store.load(job_id).entries), (NEW, entries(1)), "the first job")
        same(store.commit([commit(claim, 2, after=1)]), set(), "the jobs lost by what was refused")

    def test_a_claimed_job_is_refused_to_others(self, store: Store, again: Store) -> None:
        """With the name of who has it."""
        store.submit("job", NEW, ())
        store.claim("job", "ann", LONG)
        for place in (store, again):
            with raises(ClaimRefused, "claiming a job that somebody has") as text:
                place.claim("job", "bob", LONG)
            assert "ann" in text[0], f"the error does not say who has the job: {text[0]}"

    def test_an_unknown_job_cannot_be_claimed(self, store: Store) -> None:
        """Nor is it made by that."""
        with raises(UnknownJob, "claiming what is not there"):
            store.claim("nobody", "ann", LONG)
        same(store.jobs(), [], "the jobs")

    def test_a_job_that_is_over_cannot_be_claimed(self, store: Store) -> None:
        """Not even by the one who ended it, nor when that one is dead."""
        for status in FINAL:
            claim = open_job(store, status, "ann")
            store.commit([commit(claim, 1, status=status)])
            for free in (False, True):
                for owner in ("ann", "bob"):
                    with raises(ClaimRefused, f"claiming a {status} job"):
                        store.claim(status, owner, LONG, dead={"ann"})
                if not free:
                    store.release([claim])

    def test_a_paused_job_is_claimed_by_its_id(self, store: Store) -> None:
        """That is how it is resumed, also with a note."""
        claim = open_job(store, "job", "ann")
        store.commit([commit(claim, 1, status=PAUSED, note="no flow")])
        store.release([claim])
        same(store.claim("job", "bob", LONG).owner, "bob", "who has the job")

    def test_an_epoch_is_never_used_twice(self, store: Store, again: Store) -> None:
        """Not after a release, not after an end, not for the same owner."""
        epochs = [0, open_job(store, "job", "ann").epoch]
        epochs.append(store.claim("job", "ann", LONG).epoch)
        for place in (store, again):
            claim = place.claim("job", "ann", LONG)
            place.release([claim])
            epochs += [claim.epoch, again.claim("job", "bob", MOMENT).epoch]
            self.wait_for_end(store, "bob")
        epochs += [claim.epoch for claim in store.claim_next("bob", LONG, 1)]
        epochs.append(store.claim("job", "cat", LONG, dead={"bob"}).epoch)
        assert epochs == sorted(set(epochs)), f"epochs do not grow with each claim: {epochs}"
        same(store.load("job").epoch, epochs[-1], "the epoch of the last claim")

    def test_a_new_claim_ends_the_same_owners_former_one(self, store: Store) -> None:
        """What was begun under the former one is refused."""
        former = open_job(store, "job", "ann")
        present = store.claim("job", "ann", LONG)
        same(store.commit([commit(former, 1)]), {"job"}, "the jobs lost by the former claim")
        same(store.renew([former], LONG), {"job"}, "the renewals lost by the former claim")
        store.release([former])
        same(store.commit([commit(present, 1)]), set(), "the jobs lost by the present claim")

    def test_a_claim_ends_by_itself(self, store: Store, again: Store) -> None:
        """After its seconds on the store's clock, and not before."""
        open_job(store, "short", "ann", MOMENT)
        open_job(store, "long", "bob")
        self.wait_for_end(again, "ann")
        same(store.claim("short", "cat", LONG).owner, "cat", "who has the job whose claim has ended")
        with raises(ClaimRefused, "claiming a job whose claim has not ended"):
            again.claim("long", "cat", LONG)

    def test_a_dead_owners_job_is_free_at_once(self, store: Store) -> None:
        """For those who know that it is dead."""
        former = open_job(store, "job", "ann")
        with raises(ClaimRefused, "claiming a job whose owner lives"):
            store.claim("job", "bob", LONG, dead={"cat", "dan"})
        present = store.claim("job", "bob", LONG, dead={"cat", "ann"})
        assert present.epoch > former.epoch, f"{present.epoch} comes after {former.epoch}"
        same(store.commit([commit(former, 1)]), {"job"}, "the jobs lost by the dead owner")
