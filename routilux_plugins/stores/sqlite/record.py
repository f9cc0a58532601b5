"""One job in the tables, within a transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routilux_core import (
    ClaimRefused,
    DuplicateName,
    ExecutionStatus,
    Standing,
    StoreError,
    UnknownJob,
)
from routilux_plugins.stores.sqlite import statement
from routilux_plugins.stores.sqlite.row import Row, head_row, read_head

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from sqlite3 import Connection

    from routilux_core import Commit, Entry, Head, Snapshot

NOBODY = (None, 0, 0.0)
"""Owner, epoch and end of the claim of a job that nobody has claimed."""


def add_job(
    connection: Connection,
    store: str,
    job_id: str,
    head: Head,
    entries: Sequence[Entry],
    snapshot: Snapshot | None,
    claim: tuple[str | None, int, float],
) -> None:
    """Take in a new job."""
    if connection.execute(statement.FIND_JOB, (job_id,)).fetchone():
        raise DuplicateName("job", job_id, f"store {store}")
    last = entries[-1].last if entries else snapshot.number if snapshot else 0
    row = (job_id, *head_row(head), last, *claim)
    number = connection.execute(statement.ADD_JOB, row).lastrowid or 0  # which is never None after this
    _write(connection, number, head, entries, snapshot)


def find(connection: Connection, job_id: str) -> int:
    """Return the number of a job."""
    row = connection.execute(statement.FIND_JOB, (job_id,)).fetchone()
    if row is None:
        raise UnknownJob(job_id, ())
    found: int = row[0]
    return found


def held(connection: Connection, job_id: str, now: float) -> tuple[int, ExecutionStatus, str | None, int]:
    """Return number, status, the owner whose claim has not ended, and epoch of a job."""
    row = connection.execute(statement.FIND_HOLDER, (now, job_id)).fetchone()
    if row is None:
        raise UnknownJob(job_id, ())
    number, status, holder, epoch = row
    return number, ExecutionStatus(status), holder, epoch


def live(connection: Connection, job_id: str, now: float) -> tuple[int, str | None, int]:
    """Return number, owner and epoch of a job that is not over."""
    number, status, holder, epoch = held(connection, job_id, now)
    if status.final:
        raise ClaimRefused(job_id, f"it is {status}")
    return number, holder, epoch


def write_commit(connection: Connection, store: str, commit: Commit, now: float) -> bool:
    """Write what one job has to write; False where its claim was lost."""
    claim = commit.claim
    row = connection.execute(statement.FENCE, (claim.job_id,)).fetchone()
    if row is None:
        last, standing = 0, commit.standing(None)
    else:
        number, owner, epoch, last, *columns = row
        standing = commit.standing(read_head(columns), last, epoch, owner)
    if standing is not Standing.NEW:
        if standing is Standing.ASTRAY:
            raise StoreError(store, f"entries of job {claim.job_id!r} do not go on after fact {last}")
        return standing is Standing.REPEATED
    if commit.opens is not None:
        owner, until = (None, 0.0) if commit.release else (claim.owner, now + commit.opens)
        held = owner, claim.epoch, until
        add_job(connection, store, claim.job_id, commit.head, commit.entries, commit.snapshot, held)
        return True
    last = commit.entries[-1].last if commit.entries else last
    _change(connection, number, columns, commit, last)
    _write(connection, number, commit.head, commit.entries, commit.snapshot)
    if commit.handled:
        connection.executemany(statement.ANSWER, [(number, request_id) for request_id in commit.handled])
    if commit.release:
        connection.execute(statement.RELEASE, (claim.job_id, claim.owner, claim.epoch))
    return True


def forget(connection: Connection, numbers: Iterable[int]) -> None:
    """Delete jobs with all that belongs to them."""
    rows = [(number,) for number in numbers]
    for one in statement.FORGET:
        connection.executemany(one, rows)


def _write(
    connection: Connection,
    number: int,
    head: Head,
    entries: Sequence[Entry],
    snapshot: Snapshot | None,
) -> None:
    at, place = head.updated_at, number << 32
    for entry in entries:
        connection.execute(statement.ADD_ENTRY, (place + entry.last, entry.first, at, entry.content))
    if snapshot is not None:
        connection.execute(statement.KEEP_SNAPSHOT, (number, snapshot.number, snapshot.content))


def _change(connection: Connection, number: int, columns: Row, commit: Commit, last: int) -> None:
    """Write what of a head has changed. A new time alone stands with the entries."""
    flow_id, fingerprint, status, created_at, updated_at, note = head_row(commit.head)
    place = flow_id, status, created_at
    moved = place != (columns[0], columns[2], columns[3])
    if moved or not commit.entries or (fingerprint, note) != (columns[1], columns[5]):
        connection.execute(statement.CHANGE_JOB, (fingerprint, updated_at, note, last, number))
    if moved:
        connection.execute(statement.MOVE_JOB, (*place, number))
