"""The statements that the store has prepared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from routilux_plugins.stores.sqlite.schema import ALIVE

if TYPE_CHECKING:
    from collections.abc import Collection

# What is put into these texts are constants; values are bound.
# ruff: noqa: S608

LAST = 0xFFFFFFFF
"""The half of an entry's place that is the number of its last fact."""
LATER_ENTRY = """FROM entry WHERE place > (job.number << 32) + job.last AND place < (job.number + 1) << 32
    ORDER BY place DESC LIMIT 1"""
HEAD = f"""flow_id, fingerprint, status, created_at,
    coalesce((SELECT updated_at {LATER_ENTRY}), updated_at), note"""

# -- jobs and claims -----------------------------------------------------------------------------------

ADD_JOB = """INSERT INTO job
    (job_id, flow_id, fingerprint, status, created_at, updated_at, note, last, owner, epoch, until)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
FIND_JOB = "SELECT number FROM job WHERE job_id = ?"
FIND_HOLDER = "SELECT number, status, CASE WHEN until > ? THEN owner END, epoch FROM job WHERE job_id = ?"
CLAIM = "UPDATE job SET owner = ?, epoch = ?, until = ? WHERE number = ?"
RENEW = "UPDATE job SET until = ? WHERE job_id = ? AND owner = ? AND epoch = ?"
RELEASE = "UPDATE job SET owner = NULL, until = 0 WHERE job_id = ? AND owner = ? AND epoch = ?"
OWNERS = f"SELECT DISTINCT owner FROM job WHERE {ALIVE} AND until > ?"

# -- writing -------------------------------------------------------------------------------------------

FENCE = f"""SELECT number, owner, epoch, coalesce((SELECT place & {LAST} {LATER_ENTRY}), last),
    flow_id, fingerprint, status, created_at, updated_at, note FROM job WHERE job_id = ?"""
ADD_ENTRY = "INSERT INTO entry (place, first, updated_at, content) VALUES (?, ?, ?, ?)"
CHANGE_JOB = "UPDATE job SET fingerprint = ?, updated_at = ?, note = ?, last = ? WHERE number = ?"
MOVE_JOB = "UPDATE job SET flow_id = ?, status = ?, created_at = ? WHERE number = ?"
"""What stands in indexes, each of which costs as much again."""
KEEP_SNAPSHOT = "INSERT OR REPLACE INTO snapshot (job, number, content) VALUES (?, ?, ?)"
ANSWER = "UPDATE request SET waiting = 0, content = x'' WHERE job = ? AND request_id = ?"

# -- requests ------------------------------------------------------------------------------------------

KNOWN_REQUEST = "SELECT 1 FROM request WHERE job = ? AND request_id = ?"
ADD_REQUEST = "INSERT INTO request (job, request_id, kind, content, waiting) VALUES (?, ?, ?, ?, 1)"
REQUESTS_OF_OWNER = """SELECT job_id, request_id, kind, content FROM request INDEXED BY request_waiting
    JOIN job ON job.number = request.job WHERE waiting AND owner = ? ORDER BY request.number"""
REQUESTS_OF_JOB = "SELECT request_id, kind, content FROM request WHERE job = ? AND waiting ORDER BY number"

# -- reading -------------------------------------------------------------------------------------------

LOAD = f"SELECT number, epoch, {HEAD} FROM job WHERE job_id = ?"
SNAPSHOT = "SELECT number, content FROM snapshot WHERE job = ?"
ENTRIES = f"""SELECT first, place & {LAST}, content FROM entry
    WHERE place > (?1 << 32) + ?2 AND place < (?1 + 1) << 32 ORDER BY place LIMIT ?3"""
LIST = f"SELECT job_id, CASE WHEN until > ? THEN owner END, {HEAD} FROM job"

# -- flows and the end ---------------------------------------------------------------------------------

SAVE_FLOW = "INSERT OR REPLACE INTO flow (flow_id, fingerprint, document, saved_at) VALUES (?, ?, ?, ?)"
LOAD_FLOW = "SELECT document FROM flow WHERE flow_id = ? AND fingerprint = ?"
OVER = """SELECT number FROM job
    WHERE status IN ('completed', 'failed', 'cancelled') AND updated_at < ? AND number > ?
    ORDER BY number LIMIT ?"""
FORGET = (
    "DELETE FROM entry WHERE place > ?1 << 32 AND place < (?1 + 1) << 32",
    "DELETE FROM snapshot WHERE job = ?",
    "DELETE FROM request WHERE job = ?",
    "DELETE FROM job WHERE number = ?",
)
FORGET_FLOWS = """DELETE FROM flow WHERE saved_at < ? AND NOT EXISTS
    (SELECT 1 FROM job WHERE job.flow_id = flow.flow_id AND job.fingerprint = flow.fingerprint)"""


def claimable(dead: Collection[str], flows: Collection[str] | None) -> tuple[str, list[Any]]:
    """Return the query for jobs that may be taken up, and its values between the time and the limit."""
    conditions = [ALIVE, "status IN ('pending', 'running')", "note = x''"]
    conditions.append(f"(owner IS NULL OR until <= ? OR owner IN {_marks(dead)})")
    values = [*dead]
    if flows is not None:
        conditions.append(
            f"+flow_id IN {_marks(flows)}"
        )  # the plus: by the index of the few, not of the flow
        values += flows
    chosen = " AND ".join(conditions)
    query = f"SELECT number, job_id, epoch FROM job WHERE {chosen} ORDER BY created_at, job_id LIMIT ?"
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
