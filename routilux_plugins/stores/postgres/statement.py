"""The statements that the store sends. `$` stands for the schema with our tables."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection

# What is put into these texts are constants; values are bound.
# ruff: noqa: S608

HOLDER = "CASE WHEN until > $.clock() THEN owner END"
HEAD = "flow_id, fingerprint, status, created_at, updated_at, note"
FINAL = "('completed', 'failed', 'cancelled')"

# -- jobs and claims -----------------------------------------------------------------------------------

ADD_JOB = f"SELECT $.add_job({', '.join(['%s'] * 8)}, %s::bigint[], %s::bigint[], %s::bytea[], %s, %s)"
FIND_JOB = "SELECT number FROM $.job WHERE job_id = %s"
FIND_HOLDER = f"SELECT number, status, {HOLDER} FROM $.job WHERE job_id = %s"
CLAIM = f"""UPDATE $.job SET owner = %s, epoch = epoch + 1, until = $.clock() + %s
    WHERE job_id = %s AND status NOT IN {FINAL}
    AND (owner IS NULL OR until <= $.clock() OR owner = ANY(%s::text[]))
    RETURNING epoch"""
CLAIM_NEXT = """WITH free AS MATERIALIZED (
        SELECT number FROM $.job
        WHERE status IN ('pending', 'running') AND note = ''
        AND (owner IS NULL OR until <= $.clock() OR owner = ANY(%s::text[]))
        AND (%s::text[] IS NULL OR flow_id = ANY(%s::text[]))
        ORDER BY created_at, job_id LIMIT %s FOR NO KEY UPDATE SKIP LOCKED
    ), taken AS (
        UPDATE $.job SET owner = %s, epoch = epoch + 1, until = $.clock() + %s
        FROM free WHERE job.number = free.number
        RETURNING job_id, epoch, created_at
    )
    SELECT job_id, epoch FROM taken ORDER BY created_at, job_id"""
_GIVEN = """WITH given AS MATERIALIZED (
        SELECT number FROM $.job JOIN unnest(%s::text[], %s::text[], %s::bigint[])
            AS given (job_id, owner, epoch) USING (job_id, owner, epoch)
        ORDER BY job_id FOR NO KEY UPDATE OF job
    )"""
RENEW = f"""{_GIVEN} UPDATE $.job SET until = $.clock() + %s FROM given WHERE job.number = given.number
    RETURNING job_id"""
RELEASE = f"""{_GIVEN} UPDATE $.job SET owner = NULL FROM given WHERE job.number = given.number
    RETURNING job_id"""
OWNERS = "SELECT DISTINCT owner FROM $.job WHERE owner IS NOT NULL AND until > $.clock()"

# -- writing and requests ------------------------------------------------------------------------------

# The commits that there are most of, at a third of what the lists of `write` cost: one entry of a job that is
# there or of one that is not, and nothing where that is not new.
OPEN = f"""WITH opened AS (
        INSERT INTO $.job (job_id, {HEAD}, last, owner, epoch, until)
        VALUES ({", ".join(["%s"] * 10)}, $.clock() + %s) ON CONFLICT DO NOTHING RETURNING number
    )
    INSERT INTO $.entry (job, first, last, content) SELECT number, %s, %s, %s FROM opened RETURNING job"""
STEP = f"""WITH step AS (
        UPDATE $.job SET flow_id = %s, fingerprint = %s, status = %s, created_at = %s, updated_at = %s,
            note = %s, last = %s, owner = CASE WHEN NOT %s THEN owner END
        WHERE job_id = %s AND owner = %s AND epoch = %s AND status NOT IN {FINAL} AND last = %s
        RETURNING number
    )
    INSERT INTO $.entry (job, first, last, content) SELECT number, %s, %s, %s FROM step RETURNING job"""
WRITE = """SELECT $.write(%s::text[], %s::text[], %s::bigint[], %s::text[], %s::text[], %s::text[],
    %s::float8[], %s::float8[], %s::bytea[], %s::bigint[], %s::bigint[], %s::boolean[],
    %s::float8[], %s::boolean[],
    %s::integer[], %s::bigint[], %s::bigint[], %s::bytea[],
    %s::integer[], %s::bigint[], %s::bytea[], %s::integer[], %s::text[])"""
ASK = "SELECT $.ask(%s, %s, %s, %s)"
REQUESTS_OF_OWNER = """SELECT job_id, request_id, kind, content FROM $.request
    JOIN $.job ON job.number = request.job WHERE waiting AND owner = %s ORDER BY request.number"""
REQUESTS_OF_JOB = """SELECT job_id, request_id, kind, content FROM $.job
    LEFT JOIN $.request ON job.number = request.job AND waiting WHERE job_id = %s ORDER BY request.number"""

# -- reading -------------------------------------------------------------------------------------------

LOAD = f"SELECT number, epoch, {HEAD} FROM $.job WHERE job_id = %s"
SNAPSHOT = "SELECT number, content FROM $.snapshot WHERE job = %s"
ENTRIES = "SELECT first, last, content FROM $.entry WHERE job = %s AND last > %s ORDER BY last LIMIT %s"
LIST = f"SELECT job_id, {HOLDER}, {HEAD} FROM $.job"

# -- flows and the end ---------------------------------------------------------------------------------

SAVE_FLOW = """INSERT INTO $.flow VALUES (%s, %s, %s, $.clock()) ON CONFLICT (flow_id, fingerprint)
    DO UPDATE SET document = excluded.document, saved_at = excluded.saved_at"""
LOAD_FLOW = "SELECT document FROM $.flow WHERE flow_id = %s AND fingerprint = %s"
OVER = f"SELECT number FROM $.job WHERE status IN {FINAL} AND updated_at < %s LIMIT %s"
FORGET = "SELECT $.forget(%s::bigint[])"
FORGET_FLOWS = """DELETE FROM $.flow WHERE saved_at < %s AND NOT EXISTS
    (SELECT 1 FROM $.job WHERE job.flow_id = flow.flow_id AND job.fingerprint = flow.fingerprint)"""


@lru_cache(maxsize=1024)
def placed(statement: str, schema: str) -> bytes:
    """Return a statement for the tables of one schema."""
    return statement.replace("$body$", "\0").replace("$", f'"{schema}"').replace("\0", "$body$").encode()


def listed(
    flow_id: str | None, status: Collection[str] | None, before: tuple[float, str] | None
) -> tuple[str, list[Any]]:
    """Return the query for a list of jobs, and its values but the limit."""
    conditions, values = [], list[Any]()
    if flow_id is not None:
        conditions.append("flow_id = %s")
        values.append(flow_id)
    if status is not None:
        conditions.append("status = ANY(%s::text[])")
        values.append([str(one) for one in status])
    if before is not None:
        conditions.append("(created_at, job_id) < (%s::float8, %s)")
        values += before
    chosen = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"{LIST} {chosen} ORDER BY created_at DESC, job_id DESC LIMIT %s", values
