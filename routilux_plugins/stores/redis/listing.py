"""Lists of jobs, by the places that order as their ages do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routilux_core import ExecutionStatus, Listed
from routilux_plugins.stores.redis.row import AGE, HEAD, place, read_head, to_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from routilux_plugins.stores.redis.server import Server

FIELDS = (*HEAD, "owner", "until")
PORTION = 200
"""So many jobs are looked at in one go."""


def job_page(
    server: Server,
    flow_id: str | None,
    status: Collection[ExecutionStatus] | None,
    before: tuple[float, str] | None,
    limit: int,
) -> list[Listed]:
    """Return up to `limit` jobs, the latest first."""
    chosen = list(ExecutionStatus) if status is None else list(status)
    if limit < 1 or not chosen:
        with server.client():
            return []
    start = "+" if before is None else b"(" + place(*before)
    with server.client() as client, client.pipeline() as pipeline:
        for one in chosen:
            key = (
                server.key("status", one.value) if flow_id is None else server.key("flow", one.value, flow_id)
            )
            pipeline.zrevrangebylex(key, start, "-", 0, limit)
        places = sorted((found for page in pipeline.execute() for found in page), reverse=True)[:limit]
    ids = [to_text(found[AGE:]) for found in places]
    with server.client() as client, client.pipeline() as pipeline:
        pipeline.time()
        for job_id in ids:
            pipeline.hmget(server.key("job", job_id), FIELDS)
        (seconds, micros), *rows = pipeline.execute()
    now = seconds + micros / 1_000_000
    found = []
    for job_id, row in zip(ids, rows, strict=True):
        if row[0] is None:  # it was deleted in between
            continue
        fields = dict(zip((name.encode() for name in FIELDS), row, strict=True))
        owner = None if fields[b"owner"] is None else to_text(fields[b"owner"])
        held = float(fields[b"until"]) > now
        found.append(Listed(job_id=job_id, head=read_head(fields), owner=owner if held else None))
    return [job for job in found if job.head.status in chosen]


def over(server: Server) -> Iterator[list[bytes]]:
    """Go through the ids of the jobs of final status, page by page."""
    for status in ExecutionStatus:
        start: str | bytes = "-"
        while status.final:
            with server.client() as client:
                places = client.zrangebylex(server.key("status", status.value), start, "+", 0, PORTION)
            if not places:
                break
            yield [one[AGE:] for one in places]
            start = b"(" + places[-1]
