"""Jobs are forgotten when nobody needs them, and a store that is closed says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from routilux_core.job_errors import UnknownJob
from routilux_core.store import Snapshot
from routilux_core.store_errors import ClaimRefused, StoreError
from routilux_core.testing.store_contract.sample import (
    ACTIVE,
    COMPLETED,
    FINAL,
    LONG,
    NEW,
    PAUSED,
    START,
    commit,
    entries,
    numbers,
    open_job,
    opening,
)
from routilux_core.testing.store_contract.stage import MOMENT, Stage, raises, same

if TYPE_CHECKING:
    from collections.abc import Callable

    from routilux_core.store import Claim, Store

NEVER = 0.0


class EndingTests(Stage):
    """`delete`, `prune` and `close`."""

    def test_a_deleted_job_is_gone(self, store: Store, again: Store) -> None:
        """With all that belongs to it; its id may be taken anew."""
        claim = open_job(store, "job", "ann", entries=entries(3))
        store.request("job", "post", b"", "r1")
        store.commit([commit(claim, 4, after=3, status=PAUSED, snapshot=Snapshot(4, b""))])
        store.submit("neighbour", NEW, entries(2))
        store.release([claim])
        store.delete("job")
        for place in (store, again):
            for call in (place.load, place.history, place.waiting_requests, place.delete):
                with raises(UnknownJob, "asking for a deleted job"):
                    call("job")
            same([job.job_id for job in place.jobs()], ["neighbour"], "the jobs")
        same(numbers(store, "neighbour"), [1, 2], "the facts of its neighbour")
        store.submit("job", NEW, entries(1))
        kept = store.load("job")
        same((kept.snapshot, kept.entries), (None, entries(1)), "a new job of that id")
        same(store.waiting_requests("job"), [], "the requests of a new job of that id")

    def test_what_somebody_has_is_not_deleted(self, store: Store) -> None:
        """Unless it is over; a claim that has ended is no claim."""
        open_job(store, "held", "ann", entries=entries(1))
        with raises(ClaimRefused, "deleting a job that somebody has"):
            store.delete("held")
        same(numbers(store, "held"), [1], "the facts of a job that was not deleted")
        open_job(store, "ended", "bob", MOMENT)
        self.wait_for_end(store, "bob")
        store.delete("ended")
        over = open_job(store, "over", "ann")
        store.commit([commit(over, 1, status=COMPLETED)])
        store.delete("over")
        same([job.job_id for job in store.jobs()], ["held"], "the jobs")

    def test_what_is_over_for_long_is_pruned(self, store: Store, again: Store) -> None:
        """By the time of its last change; the number is told."""
        for number, status in enumerate((*FINAL, *ACTIVE, PAUSED)):
            for age in (1, 3):
                claim = open_job(store, f"{status}-{age}", "ann", entries=entries(1))
                made = commit(claim, 2, after=1, status=status, snapshot=Snapshot(1, b"one"))
                at = evolve(made.head, updated_at=START + 10 * age + number)
                store.commit([evolve(made, head=at)])
        same(store.prune(START + 25, NEVER), len(FINAL), "the number of jobs pruned")
        left = {job.job_id for job in again.jobs()}
        wanted = {f"{status}-3" for status in FINAL}
        wanted |= {f"{status}-{age}" for status in (*ACTIVE, PAUSED) for age in (1, 3)}
        same(left, wanted, "the jobs that are left")
        for job_id in left:
            same(numbers(store, job_id), [1, 2], f"the facts of {job_id}")
        with raises(UnknownJob, "reading a pruned job"):
            store.history("completed-1")
        same(store.prune(START + 25, NEVER), 0, "the number of jobs pruned by the same again")

    def test_what_was_kept_outlives_the_one_who_wrote_it(self, store: Store, again: Store) -> None:
        """Another that has the place open goes on with it."""
        claim = open_job(store, "job", "ann", entries=entries(1))
        store.commit([commit(claim, 2, after=1)])
        store.close()
        same(numbers(again, "job"), [1, 2], "the facts")
        same(again.commit([commit(claim, 3, after=2)]), set(), "the jobs lost")

    def test_a_store_may_be_closed_twice(self, store: Store) -> None:
        """The second time does nothing."""
        store.close()
        store.close()

    def test_a_closed_store_says_so(self, store: Store) -> None:
        """Whatever it is asked for."""
        claim = open_job(store, "job", "ann")
        store.close()
        for what, call in _calls(store, claim).items():
            with raises(StoreError, f"{what} of a closed store"):
                call()


def _calls(store: Store, claim: Claim) -> dict[str, Callable[[], object]]:
    """Return everything that a store can be asked for."""
    return {
        "submit": lambda: store.submit("other", NEW, ()),
        "claim": lambda: store.claim("job", "bob", LONG),
        "claim_next": lambda: store.claim_next("bob", LONG, 1),
        "renew": lambda: store.renew([claim], LONG),
        "release": lambda: store.release([claim]),
        "owners": store.owners,
        "commit": lambda: store.commit([commit(claim, 1)]),
        "a new job": lambda: store.commit([opening("other", "ann")]),
        "request": lambda: store.request("job", "pause", b"", "r"),
        "requests": lambda: store.requests("ann"),
        "waiting_requests": lambda: store.waiting_requests("job"),
        "load": lambda: store.load("job"),
        "history": lambda: store.history("job"),
        "jobs": store.jobs,
        "save_flow": lambda: store.save_flow("flow", "v1", b""),
        "load_flow": lambda: store.load_flow("flow", "v1"),
        "delete": lambda: store.delete("job"),
        "prune": lambda: store.prune(START, NEVER),
    }
