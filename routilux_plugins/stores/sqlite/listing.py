"""Jobs in the order of their ages, out of an index that has those of each status and flow together."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any

from routilux_core import ExecutionStatus, Listed
from routilux_plugins.stores.sqlite import statement
from routilux_plugins.stores.sqlite.row import read_head

if TYPE_CHECKING:
    from collections.abc import Collection
    from sqlite3 import Cursor

    from routilux_plugins.stores.sqlite.row import Row
    from routilux_plugins.stores.sqlite.statement import Query

ACTIVE = (ExecutionStatus.PENDING, ExecutionStatus.RUNNING)


def job_page(
    cursor: Cursor,
    now: float,
    flow_id: str | None,
    status: Collection[str] | None,
    before: tuple[float, str] | None,
    limit: int,
) -> list[Listed]:
    """Return up to `limit` jobs, the latest first."""
    chosen = list(ExecutionStatus) if status is None else status
    flows = None if flow_id is None else [flow_id]
    parts = _parts(cursor, chosen, flows, latest=True, until=before[0] if before else inf)
    rows = _first(cursor, statement.latest(now, before, limit), parts, limit, latest=True)
    return [Listed(job_id=job_id, owner=owner, head=read_head(head)) for _, job_id, owner, *head in rows]


def free_jobs(
    cursor: Cursor, now: float, flows: Collection[str] | None, dead: Collection[str], limit: int
) -> list[Row]:
    """Return up to `limit` jobs that may be taken up, the oldest first: age, id, place and epoch."""
    parts = _parts(cursor, ACTIVE, flows, latest=False, until=inf)
    return _first(cursor, statement.free(now, dead, limit), parts, limit, latest=False)


def _parts(
    cursor: Cursor, status: Collection[str], flows: Collection[str] | None, *, latest: bool, until: float
) -> list[Row]:
    """Return the time of the first job of each status and flow, and these two; what comes first is first."""
    if not status or (flows is not None and not flows):
        return []
    query = statement.parts(set(status), None if flows is None else set(flows), latest=latest, until=until)
    rows = cursor.execute(*query).fetchall()
    return sorted((row for row in rows if row[0] is not None), reverse=latest)


def _first(cursor: Cursor, query: Query, parts: list[Row], limit: int, *, latest: bool) -> list[Row]:
    """Return the first rows of all parts. What comes after those that were found already is not looked at."""
    text, values = query
    found: list[Row] = []
    last = -inf if latest else inf
    for first, status, flow_id in parts if limit > 0 else ():
        if first < last if latest else first > last:
            break
        found += cursor.execute(text, (status, flow_id, last, *values)).fetchall()
        found = sorted(found, key=_age, reverse=latest)[:limit]
        if len(found) == limit:
            last = found[-1][0]
    return found


def _age(row: Row) -> Any:
    return row[:2]
