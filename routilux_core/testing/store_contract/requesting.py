"""Requests wait until the commit that answers them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routilux_core.job_errors import UnknownJob
from routilux_core.store import Request
from routilux_core.store_errors import ClaimRefused
from routilux_core.testing.store_contract.sample import FINAL, LONG, NEW, commit, open_job
from routilux_core.testing.store_contract.stage import MOMENT, Stage, raises, same

if TYPE_CHECKING:
    from routilux_core.store import Store


def waiting(store: Store, job_id: str) -> list[str]:
    """Return the ids of the requests that wait for a job."""
    return [request.request_id for request in store.waiting_requests(job_id)]


class RequestTests(Stage):
    """What others ask of a job."""

    def test_requests_wait_in_order(self, store: Store, again: Store) -> None:
        """For the owner of the job, whoever left them."""
        open_job(store, "job", "ann")
        wanted = []
        for number, request_id in enumerate(("z", "b", "a", "10", "9")):
            place = (store, again)[number % 2]
            place.request("job", f"kind-{number}", bytes([number, 0, 255]), request_id)
            wanted.append(
                Request(
                    job_id="job",
                    request_id=request_id,
                    kind=f"kind-{number}",
                    content=bytes([number, 0, 255]),
                )
            )
        for place in (store, again):
            same(place.requests("ann"), wanted, "the requests for the owner")
            same(place.waiting_requests("job"), wanted, "the requests for the job")

    def test_an_owner_gets_those_of_its_jobs(self, store: Store) -> None:
        """And nobody else's; a job changes hands with its requests."""
        for number, owner in enumerate(("ann", "bob", "ann")):
            open_job(store, f"job-{number}", owner)
            for name in ("first", "second"):
                store.request(f"job-{number}", "post", b"", name)
        store.submit("free", NEW, ())
        store.request("free", "post", b"", "first")
        for owner, jobs in {"ann": {"job-0", "job-2"}, "bob": {"job-1"}, "cat": set()}.items():
            found = store.requests(owner)
            same({request.job_id for request in found}, jobs, f"the jobs of {owner} with requests")
            for job_id in jobs:
                order = [request.request_id for request in found if request.job_id == job_id]
                same(order, ["first", "second"], f"the requests of {job_id}")
        store.claim("job-0", "cat", LONG, dead={"ann"})
        store.claim("free", "cat", LONG)
        same({one.job_id for one in store.requests("cat")}, {"job-0", "free"}, "those of the new owner")
        same({one.job_id for one in store.requests("ann")}, {"job-2"}, "those of the former owner")

    def test_a_late_owner_still_gets_them(self, store: Store) -> None:
        """The job is its own while nobody has claimed it since; released, it is not."""
        claim = open_job(store, "job", "ann", MOMENT)
        store.request("job", "pause", b"", "r")
        self.wait_for_end(store, "ann")
        same(len(store.requests("ann")), 1, "the number of requests for a late owner")
        store.release([claim])
        same(store.requests("ann"), [], "the requests for one who has released the job")

    def test_a_request_comes_once(self, store: Store, again: Store) -> None:
        """By its id, for each job; the first one stays."""
        for job_id in ("job", "other"):
            open_job(store, job_id, "ann")
        for place in (store, again, store):
            place.request("job", "post", b"first" if place is store else b"later", "r")
            place.request("other", "post", b"", "r")
        same([one.content for one in store.waiting_requests("job")], [b"first"], "the requests")
        same(waiting(store, "other"), ["r"], "the requests of the other job")

    def test_a_request_is_gone_with_the_commit_that_answers_it(self, store: Store, again: Store) -> None:
        """Not before, and no other with it."""
        claim = open_job(store, "job", "ann")
        other = open_job(store, "other", "ann")
        for name in ("r1", "r2", "r3"):
            store.request("job", "post", b"", name)
            store.request("other", "post", b"", name)
        store.requests("ann")
        store.commit([commit(claim, 1)])
        same(waiting(again, "job"), ["r1", "r2", "r3"], "the requests after a commit that answers none")
        answer = commit(claim, 2, after=1, handled=("r3", "r1", "unknown"))
        same(store.commit([answer, commit(other, 1)]), set(), "the jobs lost")
        same(waiting(again, "job"), ["r2"], "the requests after their answer")
        same(waiting(again, "other"), ["r1", "r2", "r3"], "the requests of the other job")

    def test_an_answered_request_stays_known(self, store: Store) -> None:
        """Who asks again, since no answer came back, does not get it done twice."""
        claim = open_job(store, "job", "ann")
        store.request("job", "post", b"", "r1")
        store.commit([commit(claim, 1, handled=("r1",))])
        store.request("job", "post", b"", "r1")
        same(waiting(store, "job"), [], "the requests")

    def test_requests_wait_while_nobody_has_the_job(self, store: Store) -> None:
        """And outlive its owners."""
        claim = open_job(store, "job", "ann")
        store.request("job", "pause", b"", "r1")
        store.release([claim])
        store.request("job", "resume", b"", "r2")
        same(waiting(store, "job"), ["r1", "r2"], "the requests of a job that nobody has")
        store.claim("job", "bob", LONG)
        same([one.request_id for one in store.requests("bob")], ["r1", "r2"], "those of the new owner")

    def test_what_is_over_or_unknown_gets_no_request(self, store: Store) -> None:
        """Each for its reason."""
        with raises(UnknownJob, "a request to an unknown job"):
            store.request("nobody", "pause", b"", "r")
        with raises(UnknownJob, "the requests of an unknown job"):
            store.waiting_requests("nobody")
        for status in FINAL:
            claim = open_job(store, status, "ann")
            store.commit([commit(claim, 1, status=status)])
            with raises(ClaimRefused, f"a request to a {status} job"):
                store.request(status, "pause", b"", "r")
            same(waiting(store, status), [], "the requests of a job that is over")
