"""What one job has to write, as frames of its log."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from routilux_core import ClaimRefused, DamagedStore, Standing, StoreError, UnknownJob
from routilux_plugins.stores.files.record import write_head

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from routilux_core import Claim, Commit, Head
    from routilux_plugins.stores.files.frame import Meta
    from routilux_plugins.stores.files.record import Record
    from routilux_plugins.stores.files.transaction import Transaction

logger = logging.getLogger("routilux.stores.file")

ACTIVE = ("pending", "running")


def live(transaction: Transaction, job_id: str) -> Record:
    """Return a job that is not over."""
    record = transaction.find(job_id)
    if record.head.status.final:
        raise ClaimRefused(job_id, f"it is {record.head.status}")
    return record


def grant(transaction: Transaction, record: Record, owner: str, seconds: float) -> Claim:
    """Make a new claim of a job that `find` has found."""
    meta: Meta = {"claim": (owner, record.epoch + 1, transaction.now + seconds)}
    transaction.append(record, meta, listed=True)
    claim = record.claim
    if claim is None:
        raise UnknownJob(record.job_id, ())  # which a frame with a claim does not leave
    return claim


def present(transaction: Transaction, claims: Iterable[Claim]) -> list[Record]:
    """Return the jobs whose present claim is one of these."""
    known = transaction.index.records
    pairs = [(known.get(claim.job_id), claim) for claim in claims]
    return [record for record, claim in pairs if record is not None and record.claim == claim]


def sound(transaction: Transaction, records: Iterable[Record]) -> Iterator[Record]:
    """Return jobs as their logs have them, without those whose log is damaged: they hold up no other."""
    for record in records:
        try:
            yield transaction.find(record.job_id)
        except DamagedStore as error:
            if record.job_id not in transaction.index.reported:
                transaction.index.reported.add(record.job_id)
                logger.error("%s", error)  # noqa: TRY400 - its text says all


def free(transaction: Transaction, flows: Collection[str] | None, dead: Collection[str]) -> list[Record]:
    """Return the jobs that should run and nobody has, the oldest first."""
    found = [
        record
        for record in transaction.index.living()
        if record.head.status in ACTIVE and not record.head.note
        if flows is None or record.head.flow_id in flows
        if (holder := record.holder(transaction.now)) is None or holder in dead
    ]
    return sorted(found, key=lambda record: record.age)


def write_batch(transaction: Transaction, batch: Sequence[Commit]) -> set[str]:
    """Write for many jobs: first everything is looked at, then everything is written.

    Who is killed meanwhile has written what some of the jobs have to write, and of each all of it or nothing.
    """
    lost, new = set(), []
    for commit in batch:
        job_id = commit.claim.job_id
        record = _job_of(transaction, commit)
        if record is None:
            last, standing = 0, commit.standing(None)
            if standing is Standing.NEW and transaction.taken(job_id):
                standing = Standing.LOST
        else:
            last = record.last
            standing = commit.standing(record.head, last, record.epoch, record.owner)
        if standing is Standing.ASTRAY:
            raise StoreError(
                transaction.folder.name, f"entries of job {job_id!r} do not go on after fact {last}"
            )
        if standing is Standing.LOST:
            lost.add(job_id)
        elif standing is Standing.NEW:
            new.append((record, commit))
    for record, commit in new:
        if record is None:
            _open(transaction, commit)
        else:
            _write(transaction, record, commit)
    return lost


def given_up(epoch: int) -> tuple[None, int, float]:
    """Return what a frame says of a claim that nobody has any more."""
    return None, epoch, 0.0


def _job_of(transaction: Transaction, commit: Commit) -> Record | None:
    """Return the job of a commit, if it is there. A new one has no part in the damage of one with its id."""
    try:
        return transaction.find(commit.claim.job_id)
    except UnknownJob:
        return None
    except DamagedStore:
        if commit.opens is None:
            raise
        return None


def _open(transaction: Transaction, commit: Commit) -> None:
    """Take in a new job, in one frame."""
    claim = commit.claim
    made = (claim.owner, claim.epoch, transaction.now + (commit.opens or 0.0))
    held = given_up(claim.epoch) if commit.release else made
    transaction.make(claim.job_id, commit.head, commit.entries, commit.snapshot, held)


def _write(transaction: Transaction, record: Record, commit: Commit) -> None:
    """Write a commit that is new; tell the index what jobs are looked for by, which a step seldom changes."""
    meta: Meta = {"time": commit.head.updated_at}
    changed = _known_by(commit.head) != _known_by(record.head)
    if changed:
        meta = {"head": write_head(commit.head)}
    handled = [request_id for request_id in commit.handled if request_id in record.waiting]
    if handled:
        meta["handled"] = handled
    if commit.release:
        meta["claim"] = given_up(record.epoch)
    listed = changed or bool(handled) or commit.release or commit.snapshot is not None
    transaction.append(record, meta, commit.entries, commit.snapshot, listed=listed)


def _known_by(head: Head) -> tuple[object, ...]:
    return head.status, head.flow_id, head.fingerprint, head.created_at, head.note
