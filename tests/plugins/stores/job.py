"""A job to fill stores with, and how it is taken in."""

from routilux_core import Claim, Commit, ExecutionStatus, Head

HEAD = Head(flow_id="flow", fingerprint="0", status=ExecutionStatus.RUNNING, created_at=1.0, updated_at=1.0)


def opening(job_id, owner="ann", seconds=600.0, *, head=HEAD, entries=(), release=False):
    """Return the commit that takes in a new job."""
    claim = Claim(job_id, owner, 1)
    return Commit(claim=claim, head=head, entries=tuple(entries), opens=seconds, release=release)


def open_job(store, job_id, owner="ann", seconds=600.0, *, head=HEAD, entries=()):
    """Take in a new job, and return the claim of its maker."""
    first = opening(job_id, owner, seconds, head=head, entries=entries)
    assert store.commit([first]) == set()
    return first.claim
