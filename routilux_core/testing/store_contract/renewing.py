"""Claims last as long as they are renewed, and end when they are released."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routilux_core.store import Claim
from routilux_core.store_errors import ClaimRefused
from routilux_core.testing.store_contract.sample import LONG, commit, open_job
from routilux_core.testing.store_contract.stage import MOMENT, Stage, raises, same

if TYPE_CHECKING:
    from routilux_core.store import Store


class RenewalTests(Stage):
    """`renew`, `release` and `owners`."""

    def test_a_renewed_claim_lasts(self, store: Store, again: Store) -> None:
        """From then on for so many seconds, whatever it was made for."""
        claim = open_job(store, "job", "ann", MOMENT)
        same(again.renew([claim], LONG), set(), "the renewals lost")
        self.let_pass(store, MOMENT)
        with raises(ClaimRefused, "claiming a job whose claim was renewed"):
            store.claim("job", "bob", LONG)
        same(store.load("job").epoch, claim.epoch, "the epoch after a renewal")

    def test_a_renewal_may_shorten_a_claim(self, store: Store) -> None:
        """The seconds count from now."""
        claim = open_job(store, "job", "ann")
        store.renew([claim], MOMENT)
        self.wait_for_end(store, "ann")

    def test_a_late_renewal_holds(self, store: Store) -> None:
        """If nobody has claimed the job since."""
        claim = open_job(store, "job", "ann", MOMENT)
        self.wait_for_end(store, "ann")
        same(store.renew([claim], LONG), set(), "the renewals lost")
        with raises(ClaimRefused, "claiming a job whose claim was renewed late"):
            store.claim("job", "bob", LONG)
        same(store.commit([commit(claim, 1)]), set(), "the jobs lost after a late renewal")

    def test_a_renewal_after_anothers_claim_is_lost(self, store: Store, again: Store) -> None:
        """And does not prolong the other's."""
        claim = open_job(store, "job", "ann", MOMENT)
        self.wait_for_end(store, "ann")
        again.claim("job", "bob", MOMENT)
        same(store.renew([claim], LONG), {"job"}, "the renewals lost")
        self.wait_for_end(store, "bob")
        same(store.owners(), set(), "the owners")

    def test_what_is_lost_harms_no_other_renewal(self, store: Store) -> None:
        """Of many claims, those that were lost are named, in whatever place they stand."""
        claims = [open_job(store, f"job-{n}", "ann", MOMENT) for n in range(6)]
        self.wait_for_end(store, "ann")
        taken = {claims[n].job_id for n in (0, 3, 5)}
        for job_id in taken:
            store.claim(job_id, "bob", LONG)
        nobodys = Claim("nobody", "ann", 1)
        same(store.renew([*claims, nobodys], LONG), {*taken, "nobody"}, "the renewals lost")
        for claim in claims:
            with raises(ClaimRefused, "claiming a job that somebody has") as text:
                store.claim(claim.job_id, "cat", LONG)
            owner = "bob" if claim.job_id in taken else "ann"
            assert owner in text[0], f"{owner} has {claim.job_id}, and the error says: {text[0]}"
        same(store.renew([], LONG), set(), "the renewals lost of none")

    def test_a_released_job_is_free(self, store: Store, again: Store) -> None:
        """At once and for anybody; who has released it cannot write it any more."""
        claims = [open_job(store, f"job-{n}", "ann") for n in range(3)]
        store.release(claims)
        same(store.owners(), set(), "the owners")
        same(store.load("job-0").epoch, claims[0].epoch, "the epoch after a release")
        same(store.renew(claims, LONG), {"job-0", "job-1", "job-2"}, "the renewals lost by a release")
        same(store.commit([commit(claims[0], 1)]), {"job-0"}, "the jobs lost by a release")
        claim = again.claim("job-0", "bob", LONG)
        assert claim.epoch > claims[0].epoch, f"epoch {claim.epoch} comes after {claims[0].epoch}"

    def test_a_lost_claim_releases_nothing(self, store: Store) -> None:
        """The job is still the other's; and the other claims are released."""
        lost = open_job(store, "lost", "ann")
        mine = open_job(store, "mine", "ann")
        store.claim("lost", "bob", LONG, dead={"ann"})
        store.release([lost, Claim("nobody", "ann", 1), mine])
        store.release([])
        same(store.owners(), {"bob"}, "the owners")
        with raises(ClaimRefused, "claiming what another has"):
            store.claim("lost", "cat", LONG)
        store.claim("mine", "cat", LONG)

    def test_owners_are_those_whose_claims_have_not_ended(self, store: Store, again: Store) -> None:
        """Each once."""
        for number, owner in enumerate(("ann", "bob", "ann", "cat")):
            open_job(store, f"job-{number}", owner, MOMENT if owner == "cat" else LONG)
        self.wait_for_end(store, "cat")
        same(again.owners(), {"ann", "bob"}, "the owners")
        listed = {job.job_id: job.owner for job in store.jobs()}
        same(listed, {"job-0": "ann", "job-1": "bob", "job-2": "ann", "job-3": None}, "the listed owners")
