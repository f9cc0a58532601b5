"""Jobs that nobody has are taken up, each by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routilux_core.status import ExecutionStatus
from routilux_core.testing.store_contract.sample import ACTIVE, LONG, RUNNING, commit, head, open_job
from routilux_core.testing.store_contract.stage import MOMENT, Stage, same

if TYPE_CHECKING:
    from routilux_core.store import Claim, Store


def ids(claims: list[Claim]) -> list[str]:
    """Return the ids of the claimed jobs in the order in which they were given."""
    return [claim.job_id for claim in claims]


class RecoveryTests(Stage):
    """`claim_next`."""

    def test_the_oldest_come_first(self, store: Store) -> None:
        """By the time at which they were made, whenever they came into the store."""
        for number in (3, 1, 5, 2, 4):
            store.submit(f"job-{number}", head(number=number), ())
        same(ids(store.claim_next("ann", LONG, 2)), ["job-1", "job-2"], "the first two")
        same(ids(store.claim_next("bob", LONG, 2)), ["job-3", "job-4"], "the next two")
        same(ids(store.claim_next("ann", LONG, 2)), ["job-5"], "the last one")
        same(store.claim_next("ann", LONG, 2), [], "what is left")

    def test_a_taken_job_is_its_takers(self, store: Store) -> None:
        """With an epoch of its own, and for as long as was asked."""
        store.submit("job", head(), ())
        [claim] = store.claim_next("ann", MOMENT, 10)
        same((claim.owner, store.owners()), ("ann", {"ann"}), "who has the job")
        same(store.load("job").epoch, claim.epoch, "the epoch of the job")
        same(store.commit([commit(claim, 1)]), set(), "the jobs lost")
        self.wait_for_end(store, "ann")
        [after] = store.claim_next("bob", LONG, 10)
        assert after.epoch > claim.epoch, f"epoch {after.epoch} comes after {claim.epoch}"
        same(store.commit([commit(claim, 2, after=1)]), {"job"}, "the jobs lost by the former owner")

    def test_only_what_should_run_is_taken(self, store: Store) -> None:
        """Pending and running jobs that have no note."""
        for number, status in enumerate(ExecutionStatus):
            claim = open_job(store, status, "ann", head=head(number=number))
            store.commit([commit(claim, 1, status=status)])
            store.release([claim])
        claim = open_job(store, "noted", "ann", head=head(number=20))
        store.commit([commit(claim, 1, note="its flow is not here")])
        store.release([claim])
        found = sorted(ids(store.claim_next("bob", LONG, 100, dead={"ann"})))
        same(found, sorted(ACTIVE), "the jobs taken")

    def test_a_job_without_its_note_is_taken(self, store: Store) -> None:
        """Once somebody has taken the note away."""
        claim = open_job(store, "job", "ann", head=head(RUNNING, note="its flow is not here"))
        store.release([claim])
        same(store.claim_next("bob", LONG, 10), [], "the jobs taken with a note")
        claim = store.claim("job", "ann", LONG)
        store.commit([commit(claim)])
        store.release([claim])
        same(ids(store.claim_next("bob", LONG, 10)), ["job"], "the jobs taken without a note")

    def test_what_somebody_has_is_not_taken(self, store: Store, again: Store) -> None:
        """Not from others, nor from oneself a second time; what was released or has ended is."""
        open_job(store, "others", "bob", head=head(number=1))
        open_job(store, "own", "ann", head=head(number=2))
        open_job(store, "ended", "cat", MOMENT, head=head(number=3))
        store.release([open_job(store, "released", "bob", head=head(number=4))])
        self.wait_for_end(store, "cat")
        same(ids(again.claim_next("ann", LONG, 10)), ["ended", "released"], "the jobs taken")

    def test_what_dead_owners_had_is_taken(self, store: Store) -> None:
        """At once, though their claims have not ended; and never by two."""
        for number, owner in enumerate(("ann", "bob", "cat", "ann")):
            open_job(store, f"job-{number}", owner, head=head(number=number))
        taken = store.claim_next("dan", LONG, 10, dead={"ann", "cat", "nobody"})
        same(ids(taken), ["job-0", "job-2", "job-3"], "the jobs taken")
        same(store.claim_next("eve", LONG, 10, dead={"ann", "cat"}), [], "the jobs taken a second time")

    def test_only_the_flows_named_are_taken(self, store: Store) -> None:
        """All where none are given, none where none are named."""
        for number, flow_id in enumerate(("a", "b", "a", "c")):
            store.submit(f"job-{number}", head(number=number, flow_id=flow_id), ())
        same(store.claim_next("ann", LONG, 10, flows=()), [], "the jobs taken of no flow")
        same(store.claim_next("ann", LONG, 10, flows={"d"}), [], "the jobs taken of a flow without jobs")
        same(ids(store.claim_next("ann", LONG, 1, flows=["a"])), ["job-0"], "the first of one flow")
        same(ids(store.claim_next("ann", LONG, 10, flows={"a", "c"})), ["job-2", "job-3"], "those of two")
        same(ids(store.claim_next("ann", LONG, 10)), ["job-1"], "the rest")

    def test_none_are_taken_where_none_are_wanted(self, store: Store) -> None:
        """A limit of 0 claims nothing."""
        store.submit("job", head(), ())
        same(store.claim_next("ann", LONG, 0), [], "the jobs taken")
        same(store.owners(), set(), "the owners")
