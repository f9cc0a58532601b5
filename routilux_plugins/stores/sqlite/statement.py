"""The statements that the store has prepared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from routilux_core import ExecutionStatus
from routilux_plugins.stores.sqlite.schema import ACTIVE, SPAN

if TYPE_CHECKING:
    from collections.abc import Collection

    Query = tuple[str, list[Any]]

# What is put into these texts are constants; values are bound.
# ruff: noqa: S608

LATER_ENTRY = f"""FROM journal AS entry WHERE entry.place > job.place + job.last
    AND entry.place < job.place + {SPAN} ORDER BY entry.place DESC LIMIT 1"""
HEAD = f"""flow_id, fingerprint, status, created_at,
    coalesce((SELECT entry.updated_at {LATER_ENTRY}), updated_at), note"""
EVERY = str(tuple(one.value for one in ExecutionStatus))

# -- jobs and claims -----------------------------------------------------------------------------------

ADD_JOB = f"""INSERT OR IGNORE INTO journal
    (place, job_id, flow_id, fingerprint, status, created_at, updated_at, note, last, owner, epoch, until)
    VALUES ((coalesce((SELECT max(place) FROM journal), 0) / {SPAN} + 1) * {SPAN},
        ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
FIND_JOB = "SELECT place FROM journal WHERE job_id = ?"
FIND_HOLDER = "SELECT place, status, CASE WHEN until > ? THEN owner END, epoch FROM journal WHERE job_id = ?"
CLAIM = "UPDATE journal SET owner = ?, epoch = ?, until = ? WHERE place = ?"
RENEW = "UPDATE journal SET until = ? WHERE job_id = ? AND owner = ? AND epoch = ?"
RELEASE = "UPDATE journal SET owner = NULL WHERE job_id = ? AND owner = ? AND epoch = ?"
OWNERS = f"""SELECT owner FROM journal WHERE status IN {ACTIVE} AND owner NOTNULL AND until > ?1
    UNION SELECT owner FROM journal WHERE status NOT IN {ACTIVE} AND owner NOTNULL AND until > ?1"""

# -- writing -------------------------------------------------------------------------------------------

FENCE = f"""SELECT place, owner, epoch, coalesce((SELECT entry.place - job.place {LATER_ENTRY}), last),
    flow_id, fingerprint, status, created_at, updated_at, note FROM journal AS job WHERE job_id = ?"""
ADD_ENTRY = "INSERT INTO journal (place, first, updated_at, content) VALUES (?, ?, ?, ?)"
CHANGE_JOB = "UPDATE journal SET fingerprint = ?, updated_at = ?, note = ?, last = ? WHERE place = ?"
TURN_JOB = """UPDATE journal SET fingerprint = ?, updated_at = ?, note = ?, last = ?, status = ?, owner = ?
    WHERE place = ?"""
END_JOB = """UPDATE journal SET fingerprint = ?, updated_at = ?, note = ?, last = ?, status = ?, owner = ?,
    first = ?, content = ? WHERE place = ?"""
MOVE_JOB = "UPDATE journal SET flow_id = ?, created_at = ? WHERE place = ?"
KEEP_SNAPSHOT = "INSERT OR REPLACE INTO snapshot (job, number, content) VALUES (?, ?, ?)"
ANSWER = "UPDATE request SET waiting = 0, content = x'' WHERE job = ? AND request_id = ?"

# -- requests ------------------------------------------------------------------------------------------

KNOWN_REQUEST = "SELECT 1 FROM request WHERE job = ? AND request_id = ?"
ADD_REQUEST = "INSERT INTO request (job, request_id, kind, content, waiting) VALUES (?, ?, ?, ?, 1)"
REQUESTS_OF_OWNER = """SELECT job_id, request_id, kind, request.content
    FROM request INDEXED BY request_waiting JOIN journal ON place = job
    WHERE waiting AND owner = ? ORDER BY request.number"""
REQUESTS_OF_JOB = "SELECT request_id, kind, content FROM request WHERE job = ? AND waiting ORDER BY number"

# -- reading -------------------------------------------------------------------------------------------

LOAD = f"SELECT place, epoch, {HEAD} FROM journal AS job WHERE job_id = ?"
SNAPSHOT = "SELECT number, content FROM snapshot WHERE job = ?"
ENTRIES = f"""SELECT first, place - ?1, content FROM journal
    WHERE place > ?1 + ?2 AND place < ?1 + {SPAN} ORDER BY place LIMIT ?3"""
LAST_ENTRY = "SELECT first, last, content FROM journal WHERE place = ? AND content NOTNULL AND last > ?"

# -- flows and the end ---------------------------------------------------------------------------------

SAVE_FLOW = "INSERT OR REPLACE INTO flow (flow_id, fingerprint, document, saved_at) VALUES (?, ?, ?, ?)"
LOAD_FLOW = "SELECT document FROM flow WHERE flow_id = ? AND fingerprint = ?"
OVER = """SELECT flow_id, created_at, place FROM journal
    WHERE status = ? AND (flow_id, created_at, place) > (?, ?, ?) AND updated_at < ?
    ORDER BY flow_id, created_at, place LIMIT ?"""
FORGET = (
    f"DELETE FROM journal WHERE place >= ?1 AND place < ?1 + {SPAN}",
    "DELETE FROM snapshot WHERE job = ?",
    "DELETE FROM request WHERE job = ?",
)
FORGET_FLOWS = f"""DELETE FROM flow WHERE saved_at < ? AND NOT EXISTS (SELECT 1 FROM journal AS job
    WHERE status IN {EVERY} AND job.flow_id = flow.flow_id AND job.fingerprint = flow.fingerprint)"""


def parts(status: Collection[str], flows: Collection[str] | None, *, latest: bool, until: float) -> Query:
    """Return the query for the time of the first job of each status and flow, with the two.

    It goes from flow to flow, without a look at the jobs between, where none are named.
    """
    if flows is None:
        chosen = """SELECT status, (SELECT min(flow_id) FROM journal WHERE status = wanted.status) FROM wanted
            UNION ALL SELECT status, (SELECT min(flow_id) FROM journal
                WHERE status = part.status AND flow_id > part.flow_id) FROM part WHERE flow_id NOTNULL"""
    else:
        chosen = f"SELECT status, column1 FROM wanted, (VALUES {_rows(flows)})"
    query = f"""WITH RECURSIVE wanted (status) AS (VALUES {_rows(status)}),
        part (status, flow_id) AS ({chosen})
        SELECT (SELECT {"max" if latest else "min"}(created_at) FROM journal
            WHERE status = part.status AND flow_id = part.flow_id AND created_at <= ?), * FROM part"""
    return query, [*status, *(flows or ()), until]


def latest(now: float, before: tuple[float, str] | None, limit: int) -> Query:
    """Return the query for the latest jobs of a status and a flow from a time on, without these three."""
    values: list[Any] = [now, limit]
    earlier = ""
    if before is not None:
        earlier = "AND (created_at, job_id) < (?6, ?7)"
        values += before
    query = f"""SELECT created_at, job_id, CASE WHEN until > ?4 THEN owner END, {HEAD} FROM journal AS job
        WHERE status = ?1 AND flow_id = ?2 AND created_at >= ?3 {earlier}
        ORDER BY created_at DESC, job_id DESC LIMIT ?5"""
    return query, values


def free(now: float, dead: Collection[str], limit: int) -> Query:
    """Return the query for the oldest free jobs of a status and a flow up to a time, without these three."""
    marks = ", ".join(f"?{number}" for number in range(6, 6 + len(dead)))
    query = f"""SELECT created_at, job_id, place, epoch FROM journal
        WHERE status = ?1 AND flow_id = ?2 AND created_at <= ?3 AND note = x''
        AND (owner IS NULL OR until <= ?4 OR owner IN ({marks})) ORDER BY created_at, job_id LIMIT ?5"""
    return query, [now, limit, *dead]


def _rows(values: Collection[str]) -> str:
    return ", ".join(["(?)"] * len(values))
