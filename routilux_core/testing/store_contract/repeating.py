"""What comes twice counts once: nobody can tell whether a commit was written when the connection broke."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routilux_core.store import Snapshot
from routilux_core.testing.store_contract.sample import (
    COMPLETED,
    LONG,
    PAUSED,
    commit,
    numbers,
    open_job,
)
from routilux_core.testing.store_contract.stage import Stage, same

if TYPE_CHECKING:
    from routilux_core.store import Store


class RepeatTests(Stage):
    """The same commit, a second time."""

    def test_a_repeated_commit_is_written_once(self, store: Store, again: Store) -> None:
        """And is not lost, however many there are in the batch."""
        claims = [open_job(store, f"job-{n}", "ann") for n in range(3)]
        batch = [commit(claim, 2) for claim in claims]
        store.commit(batch[:2])
        same(again.commit(batch), set(), "the jobs lost by a commit that came twice")
        for claim in claims:
            same(numbers(store, claim.job_id), [1, 2], f"the facts of {claim.job_id}")
        same(store.commit([commit(claims[0], 3, after=2)]), set(), "the jobs lost by what goes on")

    def test_a_repeated_end_is_not_lost(self, store: Store) -> None:
        """Though nothing may follow a final status."""
        for entries in (0, 2):
            claim = open_job(store, f"job-{entries}", "ann")
            end = commit(claim, entries, status=COMPLETED)
            same(store.commit([end]), set(), "the jobs lost by the end")
            same(store.commit([end]), set(), "the jobs lost by the same end")
            kept = store.load(claim.job_id)
            same((kept.head, len(kept.entries)), (end.head, entries), "what is kept")

    def test_a_repeated_commit_takes_its_requests_along_once(self, store: Store) -> None:
        """Those that came in between stay."""
        claim = open_job(store, "job", "ann")
        store.request("job", "post", b"1", "r1")
        answer = commit(claim, 1, status=PAUSED, handled=("r1",), snapshot=Snapshot(1, b"one"))
        store.commit([answer])
        store.request("job", "post", b"2", "r2")
        same(store.commit([answer]), set(), "the jobs lost")
        same([one.request_id for one in store.waiting_requests("job")], ["r2"], "the requests")

    def test_the_repeated_commit_of_a_lost_claim_is_lost(self, store: Store) -> None:
        """Whoever has lost a job has to know it."""
        claim = open_job(store, "job", "ann")
        first = commit(claim, 1)
        store.commit([first])
        store.claim("job", "bob", LONG, dead={"ann"})
        same(store.commit([first]), {"job"}, "the jobs lost")
