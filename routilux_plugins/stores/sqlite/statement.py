"""The statements that the store has prepared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection

LAST_ENTRY = (
    "FROM entry WHERE entry.job = job.number AND entry.last > job.last ORDER BY entry.last DESC LIMIT 1"
)
HEAD = f"""flow_id, fingerprint, status, created_at,
    coalesce((SELECT updated_at {LAST_ENTRY}), updated_at), note"""

# -- jobs and claims -----------------------------------------------------------------------------------

ADD_JOB = """INSERT INTO job
    (job_id, flow_id, fingerprint, status, created_at, updated_at, note, last, owner, epoch, until)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
FIND_JOB = "SELECT number FROM job WHERE job_id = ?"
FIND_HOLDER = "SELECT number, status, CASE WHEN until > ? THEN owner END, epoch FROM job WHERE job_id = ?"
CLAIM = "UPDATE job SET owner = ?, epoch = ?, until = ? WHERE number = ?"
RENEW = "UPDATE job SET until = ? WHERE job_id = ? AND owner = ? AND epoch = ?"
RELEASE = "UPDATE job SET owner = NULL, until = 0 WHERE job_id = ? AND owner = ? AND epoch = ?"
OWNERS = "SELECT DISTINCT owner FROM job WHERE owner IS NOT NULL AND until > ?"

# -- writing -------------------------------------------------------------------------------------------

FENCE = f"""SELECT number, owner, epoch, coalesce((SELECT last {LAST_ENTRY}), last),
    flow_id, fingerprint, status, created_at, updated_at, note FROM job WHERE job_id = ?"""  # noqa: S608 - a constant
ADD_ENTRY = "INSERT INTO entry (job, last, first, updated_at, content) VALUES (?, ?, ?, ?, ?)"
CHANGE_JOB = """UPDATE job
    SET flow_id = ?, fingerprint = ?, status = ?, created_at = ?, updated_at = ?, note = ?, last = ?
    WHERE number = ?"""
KEEP_SNAPSHOT = "INSERT OR REPLACE INTO snapshot (job, number, content) VALUES (?, ?, ?)"
ANSWER = "UPDATE request SET waiting = 0, content = x'' WHERE job = ? AND request_id = ?"

# -- requests ------------------------------------------------------------------------------------------

KNOWN_REQUEST = "SELECT 1 FROM request WHERE job = ? AND request_id = ?"
ADD_REQUEST = "INSERT INTO request (job, request_id, kind, content, waiting) VALUES (?, ?, ?, ?, 1)"
REQUESTS_OF_OWNER = """SELECT job_id, request_id, kind, content FROM job
    JOIN request ON request.job = job.number WHERE owner = ? AND waiting ORDER BY request.number"""
REQUESTS_OF_JOB = "SELECT request_id, kind, content FROM request WHERE job = ? AND waiting ORDER BY number"

# -- reading -------------------------------------------------------------------------------------------

LOAD = f"SELECT number, epoch, {HEAD} FROM job WHERE job_id = ?"  # noqa: S608 - a constant
SNAPSHOT = "SELECT number, content FROM snapshot WHERE job = ?"
ENTRIES = "SELECT first, last, content FROM entry WHERE job = ? AND last > ? ORDER BY last LIMIT ?"
LIST = f"SELECT job_id, CASE WHEN until > ? THEN owner END, {HEAD} FROM job"  # noqa: S608 - a constant

# -- flows and the end ---------------------------------------------------------------------------------

SAVE_FLOW = "INSERT OR REPLACE INTO flow (flow_id, fingerprint, document, saved_at) VALUES (?, ?, ?, ?)"
LOAD_FLOW = "SELECT document FROM flow WHERE flow_id = ? AND fingerprint = ?"
OVER = """SELECT number FROM job
    WHERE status IN ('completed', 'failed', 'cancelled') AND updated_at < ?"""
FORGET = (
    "DELETE FROM entry WHERE job = ?",
    "DELETE FROM snapshot WHERE job = ?",
    "DELETE FROM request WHERE job = ?",
    "DELETE FROM job WHERE number = ?",
)
FORGET_FLOWS = """DELETE FROM flow WHERE saved_at < ? AND NOT EXISTS
    (SELECT 1 FROM job WHERE job.flow_id = flow.flow_id AND job.fingerprint = flow.fingerprint)"""


def claimable(dead: Collection[str], flows: Collection[str] | None) -> tuple[str, list[Any]]:
    """Return the query for jobs that may be taken up, and its values between the time and the limit."""
    conditions = ["status IN ('pending', 'running')", "note = x''"]
    conditions.append(f"(owner IS NULL OR until <= ? OR owner IN {_marks(dead)})")
    values = [*dead]
    if flows is not None:
        conditions.append(f"flow_id IN {_marks(flows)}")
        values += flows
    chosen = " AND ".join(conditions)
    query = f"SELECT number, job_id, epoch FROM job WHERE {chosen} ORDER BY created_at, job_id LIMIT ?"  # noqa: S608 - marks alone
    return query, values


def listed(
    flow_id: str | None, status: Collection[str] | None, before: tuple[float, str] | None
) -> tuple[str, list[Any]]:
    """Return the query for a list of jobs, and its values between the time and the limit."""
    conditions, values = [], list[Any]()
    if flow_id is not None:
        conditions.append("flow_id = ?")
        values.append(flow_id)
    if status is not None:
        conditions.append(f"status IN {_marks(status)}")
        values += status
    if before is not None:
        conditions.append("(created_at, job_id) < (?, ?)")
        values += before
    chosen = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"{LIST} {chosen} ORDER BY created_at DESC, job_id DESC LIMIT ?", values


def _marks(values: Collection[str]) -> str:
    return f"({', '.join('?' * len(values))})"
