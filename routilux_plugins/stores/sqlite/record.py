"""One job in the tables, within a transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routilux_core import (
    ClaimRefused,
    Entry,
    ExecutionStatus,
    Standing,
    StoreError,
    UnknownJob,
)
from routilux_plugins.stores.sqlite import statement
from routilux_plugins.stores.sqlite.row import Row, head_row, read_head

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from sqlite3 import Cursor

    from routilux_core import Commit, Head, Snapshot

NOBODY = (None, 0, 0.0)
"""Owner, epoch and end of the claim of a job that nobody has claimed."""
ALL = -1
"""The limit of those that want no limit."""


def add_job(
    cursor: Cursor,
    job_id: str,
    head: Head,
    entries: Sequence[Entry],
    snapshot: Snapshot | None,
    claim: tuple[str | None, int, float],
) -> bool:
    """Take in a new job; False if its id is taken."""
    last = entries[-1].last if entries else snapshot.number if snapshot else 0
    cursor.execute(statement.ADD_JOB, (job_id, *head_row(head), last, *claim))
    if not cursor.rowcount:
        return False
    _write(cursor, cursor.lastrowid or 0, head, entries, snapshot)
    return True


def find(cursor: Cursor, job_id: str) -> int:
    """Return the place of a job."""
    row = cursor.execute(statement.FIND_JOB, (job_id,)).fetchone()
    if row is None:
        raise UnknownJob(job_id, ())
    found: int = row[0]
    return found


def held(cursor: Cursor, job_id: str, now: float) -> tuple[int, ExecutionStatus, str | None, int]:
    """Return place, status, the owner whose claim has not ended, and epoch of a job."""
    row = cursor.execute(statement.FIND_HOLDER, (now, job_id)).fetchone()
    if row is None:
        raise UnknownJob(job_id, ())
    place, status, holder, epoch = row
    return place, ExecutionStatus(status), holder, epoch


def live(cursor: Cursor, job_id: str, now: float) -> tuple[int, str | None, int]:
    """Return place, owner and epoch of a job that is not over."""
    place, status, holder, epoch = held(cursor, job_id, now)
    if status.final:
        raise ClaimRefused(job_id, f"it is {status}")
    return place, holder, epoch


def entries(cursor: Cursor, place: int, after: int, limit: int = ALL) -> list[Entry]:
    """Return up to `limit` entries of a job whose last fact comes after that number."""
    rows = cursor.execute(statement.ENTRIES, (place, after, limit)).fetchall()
    if len(rows) < limit or limit == ALL:
        rows += cursor.execute(statement.LAST_ENTRY, (place, after)).fetchall()
    return [Entry(*row) for row in rows]


def write_commit(cursor: Cursor, store: str, commit: Commit, now: float) -> bool:
    """Write what one job has to write; False where its claim was lost."""
    if commit.opens is not None and _open(cursor, commit, now + commit.opens):
        return True
    job_id, last = commit.claim.job_id, 0
    row = cursor.execute(statement.FENCE, (job_id,)).fetchone()
    if row is None:
        standing = commit.standing(None)
    else:
        place, owner, epoch, last, *columns = row
        standing = commit.standing(read_head(columns), last, epoch, owner)
    if standing is Standing.ASTRAY:
        raise StoreError(store, f"entries of job {job_id!r} do not go on after fact {last}")
    if standing is not Standing.NEW:
        return standing is Standing.REPEATED
    entries = _change(cursor, place, columns, commit, last)
    _write(cursor, place, commit.head, entries, commit.snapshot)
    if commit.handled:
        cursor.executemany(statement.ANSWER, [(place, request_id) for request_id in commit.handled])
    return True


def forget(cursor: Cursor, places: Iterable[int]) -> None:
    """Delete jobs with all that belongs to them."""
    rows = [(place,) for place in places]
    for one in statement.FORGET:
        cursor.executemany(one, rows)


def _open(cursor: Cursor, commit: Commit, until: float) -> bool:
    """Take in the job of a commit, if there is none of its id; SQLite says so by itself."""
    if commit.standing(None) is not Standing.NEW:
        return False
    claim = commit.claim
    held = (None if commit.release else claim.owner, claim.epoch, until)
    return add_job(cursor, claim.job_id, commit.head, commit.entries, commit.snapshot, held)


def _write(
    cursor: Cursor,
    place: int,
    head: Head,
    entries: Sequence[Entry],
    snapshot: Snapshot | None,
) -> None:
    at = head.updated_at
    for entry in entries:
        cursor.execute(statement.ADD_ENTRY, (place + entry.last, entry.first, at, entry.content))
    if snapshot is not None:
        cursor.execute(statement.KEEP_SNAPSHOT, (place, snapshot.number, snapshot.content))


def _change(cursor: Cursor, place: int, columns: Row, commit: Commit, last: int) -> Sequence[Entry]:
    """Write what of a head has changed; return the entries that want rows of their own.

    A new time alone stands with them. The last entry of a job that ends goes into the row of the job, which
    is written then anyhow, and never again.
    """
    flow_id, fingerprint, status, created_at, updated_at, note = head_row(commit.head)
    entries: Sequence[Entry] = commit.entries
    owner = None if commit.release else commit.claim.owner
    changed = fingerprint, updated_at, note, entries[-1].last if entries else last
    if commit.head.status.final and entries:
        *entries, end = entries
        cursor.execute(statement.END_JOB, (*changed, status, owner, end.first, end.content, place))
    elif commit.release or status != columns[2]:
        cursor.execute(statement.TURN_JOB, (*changed, status, owner, place))
    elif not entries or (fingerprint, note) != (columns[1], columns[5]):
        cursor.execute(statement.CHANGE_JOB, (*changed, place))
    if (flow_id, created_at) != (columns[0], columns[3]):
        cursor.execute(statement.MOVE_JOB, (flow_id, created_at, place))
    return entries
