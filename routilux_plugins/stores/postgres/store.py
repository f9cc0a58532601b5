"""Postgres: the store, method by method."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routilux_core import (
    Claim,
    ClaimRefused,
    DuplicateName,
    Entry,
    ExecutionStatus,
    Kept,
    Listed,
    Request,
    Snapshot,
    Store,
    UnknownJob,
)
from routilux_plugins.stores.postgres import statement
from routilux_plugins.stores.postgres.batch import batch_row, short_form
from routilux_plugins.stores.postgres.database import Database
from routilux_plugins.stores.postgres.row import head_row, read_head, to_bytes, to_text
from routilux_plugins.stores.postgres.settings import PostgresSettings

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from routilux_core import Commit, Head, StoreURL
    from routilux_plugins.stores.postgres.row import Row

PORTION = 500
"""So many jobs are forgotten in one transaction."""


class Postgres(Store):
    """Keeps jobs in a PostgreSQL database. Its clock is that of the server."""

    def __init__(self, url: StoreURL, settings: PostgresSettings | None = None) -> None:
        self.database = Database(url, settings or PostgresSettings())

    # -- claims ----------------------------------------------------------------------------------------

    def submit(
        self, job_id: str, head: Head, entries: Sequence[Entry], snapshot: Snapshot | None = None
    ) -> None:
        """Take in a new job."""
        last = entries[-1].last if entries else snapshot.number if snapshot else 0
        columns = zip(*((one.first, one.last, one.content) for one in entries), strict=True)
        kept = (snapshot.number, snapshot.content) if snapshot else (None, None)
        lists = [list(column) for column in columns] or [[], [], []]
        values = (job_id, *head_row(head), last, *lists, *kept)
        [[added]] = self.database.run(statement.ADD_JOB, values)
        if not added:
            raise DuplicateName("job", job_id, f"store {self.database.name}")

    def claim(self, job_id: str, owner: str, seconds: float, dead: Collection[str] = ()) -> Claim:
        """Claim a job that nobody else has."""
        while True:
            row = self.database.run(statement.CLAIM, (owner, seconds, job_id, [owner, *dead]))
            if row:
                return Claim(job_id, owner, row[0][0])
            _, status, holder = self._held(job_id)
            if status.final:
                raise ClaimRefused(job_id, f"it is {status}")
            if holder is not None and holder != owner and holder not in dead:
                raise ClaimRefused(job_id, f"{holder!r} has it")

    def claim_next(
        self,
        owner: str,
        seconds: float,
        limit: int,
        flows: Collection[str] | None = None,
        dead: Collection[str] = (),
    ) -> list[Claim]:
        """Claim the oldest jobs that nobody has."""
        chosen = None if flows is None else list(flows)
        values = (list(dead), chosen, chosen, limit, owner, seconds)
        rows = self.database.run(statement.CLAIM_NEXT, values)
        return [Claim(job_id, owner, epoch) for job_id, epoch in rows]

    def renew(self, claims: Collection[Claim], seconds: float) -> set[str]:
        """Let claims last."""
        rows = self.database.run(statement.RENEW, (*_columns(claims), seconds))
        return {claim.job_id for claim in claims} - {job_id for (job_id,) in rows}

    def release(self, claims: Collection[Claim]) -> None:
        """Give claims up."""
        self.database.run(statement.RELEASE, _columns(claims))

    def owners(self) -> set[str]:
        """Return who has a job."""
        return {owner for (owner,) in self.database.run(statement.OWNERS)}

    # -- writing ---------------------------------------------------------------------------------------

    def commit(self, batch: Sequence[Commit]) -> set[str]:
        """Write for many jobs in one statement."""
        short = short_form(batch)
        if short and self.database.run(*short):
            return set()
        [[lost]] = self.database.run(statement.WRITE, batch_row(batch))
        return set(lost)

    def request(self, job_id: str, kind: str, content: bytes, request_id: str) -> None:
        """Leave a request."""
        [[answer]] = self.database.run(statement.ASK, (job_id, request_id, to_bytes(kind), content))
        if answer is None:
            raise UnknownJob(job_id, ())
        if answer:
            raise ClaimRefused(job_id, f"it is {answer}")

    def requests(self, owner: str) -> list[Request]:
        """Return what waits for an owner."""
        return [_request(row) for row in self.database.run(statement.REQUESTS_OF_OWNER, (owner,))]

    def waiting_requests(self, job_id: str) -> list[Request]:
        """Return what waits for a job."""
        rows = self.database.run(statement.REQUESTS_OF_JOB, (job_id,))
        if not rows:
            raise UnknownJob(job_id, ())
        return [_request(row) for row in rows if row[1] is not None]

    # -- reading ---------------------------------------------------------------------------------------

    def load(self, job_id: str) -> Kept:
        """Return a job's snapshot and what came after."""
        with self.database.moment() as run:
            rows = run(statement.LOAD, (job_id,))
            if not rows:
                raise UnknownJob(job_id, ())
            number, epoch, *head = rows[0]
            there = run(statement.SNAPSHOT, (number,))
            snapshot = Snapshot(*there[0]) if there else None
            found = run(statement.ENTRIES, (number, snapshot.number if snapshot else 0, None))
        entries = tuple(Entry(*one) for one in found)
        return Kept(head=read_head(head), snapshot=snapshot, entries=entries, epoch=epoch)

    def history(self, job_id: str, after: int = 0, limit: int = 100) -> list[Entry]:
        """Return a page of entries."""
        with self.database.moment() as run:
            rows = run(statement.FIND_JOB, (job_id,))
            if not rows:
                raise UnknownJob(job_id, ())
            found = run(statement.ENTRIES, (rows[0][0], after, limit))
        return [Entry(*row) for row in found]

    def jobs(
        self,
        flow_id: str | None = None,
        status: Collection[ExecutionStatus] | None = None,
        before: tuple[float, str] | None = None,
        limit: int = 100,
    ) -> list[Listed]:
        """Return a page of jobs."""
        query, values = statement.listed(flow_id, status, before)
        rows = self.database.run(query, (*values, limit))
        return [Listed(job_id=job_id, owner=owner, head=read_head(head)) for job_id, owner, *head in rows]

    # -- flows and the end -----------------------------------------------------------------------------

    def save_flow(self, flow_id: str, fingerprint: str, document: bytes) -> None:
        """Keep a document."""
        self.database.run(statement.SAVE_FLOW, (flow_id, fingerprint, document))

    def load_flow(self, flow_id: str, fingerprint: str) -> bytes | None:
        """Return a document."""
        rows = self.database.run(statement.LOAD_FLOW, (flow_id, fingerprint))
        return rows[0][0] if rows else None

    def delete(self, job_id: str) -> None:
        """Forget a job."""
        while True:
            number, status, holder = self._held(job_id)
            if holder is not None and not status.final:
                raise ClaimRefused(job_id, f"{holder!r} has it")
            if self.database.run(statement.FORGET, ([number],)) == [(1,)]:
                return

    def prune(self, before: float, saved_before: float) -> int:
        """Forget what is over for long."""
        pruned = 0
        while old := [number for (number,) in self.database.run(statement.OVER, (before, PORTION))]:
            pruned += self.database.run(statement.FORGET, (old,))[0][0]
        self.database.run(statement.FORGET_FLOWS, (saved_before,))
        return pruned

    def close(self) -> None:
        """Close the connections."""
        self.database.close()

    def _held(self, job_id: str) -> tuple[int, ExecutionStatus, str | None]:
        """Return number, status and the owner whose claim has not ended of a job."""
        rows = self.database.run(statement.FIND_HOLDER, (job_id,))
        if not rows:
            raise UnknownJob(job_id, ())
        number, status, holder = rows[0]
        return number, ExecutionStatus(status), holder


def _columns(claims: Collection[Claim]) -> tuple[list[str], list[str], list[int]]:
    return (
        [claim.job_id for claim in claims],
        [claim.owner for claim in claims],
        [claim.epoch for claim in claims],
    )


def _request(row: Row) -> Request:
    job_id, request_id, kind, content = row
    return Request(job_id=job_id, request_id=request_id, kind=to_text(kind), content=content)
