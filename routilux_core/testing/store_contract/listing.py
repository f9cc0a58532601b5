"""Jobs are listed by flow, status and time, in pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routilux_core.status import ExecutionStatus
from routilux_core.testing.store_contract.sample import (
    COMPLETED,
    RUNNING,
    START,
    commit,
    head,
    open_job,
)
from routilux_core.testing.store_contract.stage import Stage, same

if TYPE_CHECKING:
    from routilux_core.store import Listed, Store


def ids(jobs: list[Listed]) -> list[str]:
    """Return the ids in the order of the list."""
    return [job.job_id for job in jobs]


class ListTests(Stage):
    """`jobs`."""

    def test_the_latest_come_first(self, store: Store, again: Store) -> None:
        """With head and owner; an empty store has none."""
        same(store.jobs(), [], "the jobs of an empty store")
        store.submit("b", head(number=2), ())
        open_job(store, "c", "ann", head=head(number=3))
        store.submit("a", head(number=1), ())
        for place in (store, again):
            found = [(job.job_id, job.head, job.owner) for job in place.jobs()]
            wanted = [("c", head(number=3), "ann"), ("b", head(number=2), None), ("a", head(number=1), None)]
            same(found, wanted, "the jobs")

    def test_pages_hold_every_job_once(self, store: Store) -> None:
        """Also those made at one moment, and while others come in."""
        wanted = []
        for number in range(60):
            job_id = f"job-{number * 37 % 60:02}"
            store.submit(job_id, head(number=number // 7), ())
            wanted.append((START + number // 7, job_id))
        found: list[tuple[float, str]] = []
        while page := store.jobs(before=found[-1] if found else None, limit=11):
            assert len(page) <= 11, f"{len(page)} jobs on a page of 11"
            found += [(job.head.created_at, job.job_id) for job in page]
            store.submit(f"late-{len(found)}", head(number=1000 + len(found)), ())
        same(found, sorted(wanted, reverse=True), "the jobs of all pages")

    def test_jobs_are_chosen_by_flow(self, store: Store) -> None:
        """One flow's, page by page."""
        for number in range(10):
            store.submit(f"job-{number}", head(number=number, flow_id=f"flow-{number % 2}"), ())
        same(ids(store.jobs("flow-1")), [f"job-{n}" for n in (9, 7, 5, 3, 1)], "the jobs of a flow")
        page = store.jobs("flow-1", limit=2)
        last = page[-1]
        rest = store.jobs("flow-1", before=(last.head.created_at, last.job_id))
        same(ids(page) + ids(rest), [f"job-{n}" for n in (9, 7, 5, 3, 1)], "its pages")
        same(store.jobs("flow"), [], "the jobs of a flow that has none")

    def test_jobs_are_chosen_by_status(self, store: Store) -> None:
        """By one or several, as they are now."""
        claims = {}
        for number, status in enumerate(ExecutionStatus):
            claims[status] = open_job(store, status, "ann", head=head(number=number))
            store.commit([commit(claims[status], 1, status=status)])
        for status in ExecutionStatus:
            same(ids(store.jobs(status=[status])), [status], f"the {status} jobs")
        store.commit([commit(claims[RUNNING], 2, after=1, status=COMPLETED)])
        same(store.jobs(status={RUNNING}), [], "the running jobs")
        found = set(ids(store.jobs("flow", {COMPLETED, ExecutionStatus.FAILED})))
        same(found, {"running", "completed", "failed"}, "the jobs of two statuses")
        same(store.jobs(status=()), [], "the jobs of no status")

    def test_a_page_may_be_empty(self, store: Store) -> None:
        """Nothing comes before the first one."""
        store.submit("job", head(), ())
        same(store.jobs(before=(START, "job")), [], "what comes before the first")
        same(store.jobs(limit=0), [], "a page of none")
