"""Commits: all of one job's or nothing, refused to those who lost it, and nobody harmed by another's loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routilux_core.status import ExecutionStatus
from routilux_core.store import Claim, Entry, Snapshot
from routilux_core.store_errors import StoreError
from routilux_core.testing.store_contract.sample import (
    COMPLETED,
    FINAL,
    LONG,
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

MEGABYTES = 3_000_000


class CommitTests(Stage):
    """What is written, and what is not."""

    def test_a_commit_is_kept(self, store: Store, again: Store) -> None:
        """Head and entries, one commit after the other, for whoever reads."""
        claim = open_job(store, "job", "ann", entries=entries(1))
        first = commit(claim, 3, after=1)
        second = commit(claim, 4, after=3, status=PAUSED, note="why")
        same(store.commit([first]), set(), "the jobs lost")
        same(store.commit([second]), set(), "the jobs lost")
        for place in (store, again):
            kept = place.load("job")
            same((kept.head, kept.entries), (second.head, entries(4)), "what is kept")
            same(place.history("job"), list(entries(4)), "the history")
            same(place.jobs()[0].head, second.head, "the listed head")

    def test_an_entry_may_hold_many_facts(self, store: Store) -> None:
        """And megabytes."""
        big = bytes(range(256)) * (MEGABYTES // 256)
        claim = open_job(store, "job", "ann", entries=[Entry(1, 40, big)])
        more = (Entry(41, 41, b""), Entry(42, 1000, big[::-1]))
        wanted = commit(claim)
        store.commit([type(wanted)(claim=claim, head=wanted.head, entries=more)])
        found = store.load("job").entries
        assert found == (Entry(1, 40, big), *more), "three entries with megabytes are not what was written"

    def test_a_head_may_come_alone(self, store: Store) -> None:
        """With no entry, any status that is not final may follow any other; a note may go."""
        claim = open_job(store, "job", "ann", entries=entries(1))
        for status in (*(one for one in ExecutionStatus if not one.final), RUNNING):
            for note in ("why", ""):
                alone = commit(claim, status=status, note=note)
                same(store.commit([alone]), set(), "the jobs lost")
                kept = store.load("job")
                same((kept.head, kept.entries), (alone.head, entries(1)), "what is kept")

    def test_many_jobs_are_written_at_once(self, store: Store) -> None:
        """Each with its own."""
        claims = [open_job(store, f"job-{n}", "ann") for n in range(20)]
        batch = [commit(claim, 1 + number) for number, claim in enumerate(claims)]
        same(store.commit(batch), set(), "the jobs lost")
        for number, claim in enumerate(claims):
            same(numbers(store, claim.job_id), list(range(1, number + 2)), f"the facts of {claim.job_id}")
        same(store.commit([]), set(), "the jobs lost of none")

    def test_a_stale_claim_writes_nothing(self, store: Store, again: Store) -> None:
        """Neither entries nor head nor snapshot, and no request is gone."""
        stale = open_job(store, "job", "ann", entries=entries(1))
        store.request("job", "pause", b"", "r1")
        again.claim("job", "bob", LONG, dead={"ann"})
        whole = commit(
            stale, 2, after=1, status=COMPLETED, snapshot=Snapshot(2, b"stale"), handled=("r1",), note="stale"
        )
        before = store.load("job")
        for claim in (stale, Claim("job", "bob", stale.epoch), Claim("job", "ann", stale.epoch + 1)):
            refused = type(whole)(
                claim=claim,
                head=whole.head,
                entries=whole.entries,
                snapshot=whole.snapshot,
                handled=whole.handled,
            )
            same(store.commit([refused]), {"job"}, f"the jobs lost by {claim}")
            same(store.load("job"), before, f"what is kept after the commit of {claim}")
        same([one.request_id for one in store.requests("bob")], ["r1"], "the requests")

    def test_a_stale_claim_harms_no_neighbour(self, store: Store) -> None:
        """Wherever it stands in the batch: the others are written, it alone is named."""
        for place in range(3):
            claims = [open_job(store, f"job-{place}-{n}", "ann") for n in range(3)]
            lost = claims[place].job_id
            store.claim(lost, "bob", LONG, dead={"ann"})
            same(store.commit([commit(claim, 2) for claim in claims]), {lost}, "the jobs lost")
            for claim in claims:
                wanted = [] if claim.job_id == lost else [1, 2]
                same(numbers(store, claim.job_id), wanted, f"the facts of {claim.job_id}")

    def test_unknown_jobs_are_lost(self, store: Store) -> None:
        """As those are that were deleted."""
        claim = open_job(store, "job", "ann")
        gone = open_job(store, "gone", "ann")
        store.release([gone])
        store.delete("gone")
        batch = [commit(Claim("nobody", "ann", 1), 1), commit(claim, 1), commit(gone, 1)]
        same(store.commit(batch), {"nobody", "gone"}, "the jobs lost")
        same([job.job_id for job in store.jobs()], ["job"], "the jobs")

    def test_a_claim_whose_time_has_run_out_still_writes(self, store: Store) -> None:
        """If nobody has claimed the job since."""
        claim = open_job(store, "job", "ann", MOMENT)
        self.wait_for_end(store, "ann")
        same(store.commit([commit(claim, 1)]), set(), "the jobs lost before another's claim")
        store.claim("job", "bob", LONG)
        same(store.commit([commit(claim, 2, after=1)]), {"job"}, "the jobs lost after another's claim")
        same(numbers(store, "job"), [1], "the facts")

    def test_a_final_status_never_changes(self, store: Store) -> None:
        """Whatever comes after it is lost, though the claim is the present one."""
        for status in FINAL:
            claim = open_job(store, status, "ann")
            neighbour = open_job(store, f"{status}-2", "ann")
            store.commit([commit(claim, 2, status=status)])
            before = store.load(status)
            for number, other in enumerate(ExecutionStatus):
                late = commit(claim, 3, after=2, status=other)
                alone = commit(claim, status=other, note="late")
                more = commit(neighbour, number + 1, after=number)
                same(store.commit([late, more]), {status}, f"the jobs lost after {status}")
                same(store.commit([alone]), {status}, f"the jobs lost after {status}")
                same(store.load(status), before, f"a job that was {status}")

    def test_entries_that_go_astray_are_refused(self, store: Store) -> None:
        """With a gap or going back, the whole batch fails and leaves everything as it was."""
        claim = open_job(store, "job", "ann", entries=entries(2))
        other = open_job(store, "other", "ann")
        before = store.load("job"), store.load("other")
        cases = {
            "a gap": [Entry(4, 4, b"")],
            "a gap inside": [Entry(3, 3, b""), Entry(5, 5, b"")],
            "an overlap": [Entry(2, 3, b"")],
            "an overlap inside": [Entry(3, 4, b""), Entry(4, 5, b"")],
        }
        for what, wrong in cases.items():
            sample = commit(claim, status=PAUSED, snapshot=Snapshot(2, b""), note="astray")
            astray = type(sample)(
                claim=claim, head=sample.head, entries=tuple(wrong), snapshot=sample.snapshot
            )
            with raises(StoreError, f"a commit with {what}"):
                store.commit([commit(other, 1), astray])
            same((store.load("job"), store.load("other")), before, f"what is kept after {what}")
        same(store.commit([commit(other, 1), commit(claim, 3, after=2)]), set(), "the jobs lost afterwards")
