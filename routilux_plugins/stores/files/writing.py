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
        try:
            record = transaction.find(job_id)
        except UnknownJob:
            lost.add(job_id)
            continue
        standing = commit.standing(record.claim, record.head, record.last)
        if standing is Standing.ASTRAY:
            raise StoreError(
                transaction.folder.name, f"entries of job {job_id!r} do not go on after fact {record.last}"
            )
        if standing is Standing.LOST:
            lost.add(job_id)
        elif standing is Standing.NEW:
            new.append((record, commit))
    for record, commit in new:
        _write(transaction, record, commit)
    return lost


def _write(transaction: Transaction, record: Record, commit: Commit) -> None:
    """Write a commit that is new; tell the index what jobs are looked for by, which a step seldom changes."""
    meta: Meta = {"time": commit.head.updated_at}
    changed = _known_by(commit.head) != _known_by(record.head)
    if changed:
        meta = {"head": write_head(commit.head)}
    handled = [request_id for request_id in commit.handled if request_id in record.waiting]
    if handled:
        meta["handled"] = handled
    listed = changed or bool(handled) or commit.snapshot is not None
    transaction.append(record, meta, commit.entries, commit.snapshot, listed=listed)


def _known_by(head: Head) -> tuple[object, ...]:
    return head.status, head.flow_id, head.fingerprint, head.created_at, head.note
