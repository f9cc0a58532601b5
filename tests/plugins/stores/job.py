"""A job to fill stores with, and how it is taken in."""

from attrs import evolve

from routilux_core import Claim, Commit, Entry, ExecutionStatus, Head

HEAD = Head(flow_id="flow", fingerprint="0", status=ExecutionStatus.RUNNING, created_at=1.0, updated_at=1.0)


def opening(job_id, owner="ann", seconds=600.0, *, head=HEAD, entries=(), release=False):
    """Return the commit that takes in a new job."""
    claim = Claim(job_id, owner, 1)
    return Commit(claim=claim, head=head, entries=tuple(entries), opens=seconds, release=release)


def ending(job_id, owner="ann"):
    """Return the commit that ends a job which was taken in with one fact."""
    head = evolve(HEAD, status=ExecutionStatus.COMPLETED, updated_at=2.0)
    return Commit(claim=Claim(job_id, owner, 1), head=head, entries=(Entry(2, 2, b"over"),), release=True)


def open_job(store, job_id, owner="ann", seconds=600.0, *, head=HEAD, entries=()):
    """Take in a new job, and return the claim of its maker."""
    first = opening(job_id, owner, seconds, head=head, entries=entries)
    assert store.commit([first]) == set()
    return first.claim
