"""Sqlite: the store, method by method."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from routilux_core import (
    Claim,
    ClaimRefused,
    DuplicateName,
    ExecutionStatus,
    Kept,
    Request,
    Snapshot,
    Store,
    UnknownJob,
)
from routilux_plugins.stores.sqlite import record, statement
from routilux_plugins.stores.sqlite.database import Database
from routilux_plugins.stores.sqlite.listing import free_jobs, job_page
from routilux_plugins.stores.sqlite.row import read_head
from routilux_plugins.stores.sqlite.settings import SqliteSettings

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from routilux_core import Commit, Entry, Head, Listed

PORTION = 500
"""So many jobs are forgotten before somebody else may write."""
FIRST = ("", float("-inf"), 0)
"""What comes before every flow, time and place."""


class Sqlite(Store):
    """Keeps jobs in a file of this host. Its clock is that of the host."""

    def __init__(self, path: Path, settings: SqliteSettings | None = None) -> None:
        self.database = Database(path, settings or SqliteSettings())

    # -- claims ----------------------------------------------------------------------------------------

    def submit(
        self, job_id: str, head: Head, entries: Sequence[Entry], snapshot: Snapshot | None = None
    ) -> None:
        """Take in a new job."""
        with self.database.write() as cursor:
            if not record.add_job(cursor, job_id, head, entries, snapshot, record.NOBODY):
                raise DuplicateName("job", job_id, f"store {self.database.name}")

    def claim(self, job_id: str, owner: str, seconds: float, dead: Collection[str] = ()) -> Claim:
        """Claim a job that nobody else has."""
        with self.database.write() as cursor:
            now = time.time()
            place, holder, epoch = record.live(cursor, job_id, now)
            if holder is not None and holder != owner and holder not in dead:
                raise ClaimRefused(job_id, f"{holder!r} has it")
            cursor.execute(statement.CLAIM, (owner, epoch + 1, now + seconds, place))
        return Claim(job_id, owner, epoch + 1)

    def claim_next(
        self,
        owner: str,
        seconds: float,
        limit: int,
        flows: Collection[str] | None = None,
        dead: Collection[str] = (),
    ) -> list[Claim]:
        """Claim the oldest jobs that nobody has."""
        with self.database.write() as cursor:
            now = time.time()
            found = free_jobs(cursor, now, flows, dead, limit)
            rows = [(owner, epoch + 1, now + seconds, place) for _, _, place, epoch in found]
            cursor.executemany(statement.CLAIM, rows)
        return [Claim(job_id, owner, epoch + 1) for _, job_id, _, epoch in found]

    def renew(self, claims: Collection[Claim], seconds: float) -> set[str]:
        """Let claims last."""
        with self.database.write() as cursor:
            until = time.time() + seconds
            return {
                claim.job_id
                for claim in claims
                if not cursor.execute(
                    statement.RENEW, (until, claim.job_id, claim.owner, claim.epoch)
                ).rowcount
            }

    def release(self, claims: Collection[Claim]) -> None:
        """Give claims up."""
        rows = [(claim.job_id, claim.owner, claim.epoch) for claim in claims]
        with self.database.write() as cursor:
            cursor.executemany(statement.RELEASE, rows)

    def owners(self) -> set[str]:
        """Return who has a job."""
        with self.database.read() as cursor:
            return {owner for (owner,) in cursor.execute(statement.OWNERS, (time.time(),))}

    # -- writing ---------------------------------------------------------------------------------------

    def commit(self, batch: Sequence[Commit]) -> set[str]:
        """Write for many jobs in one transaction."""
        with self.database.write() as cursor:
            name, now = self.database.name, time.time()
            return {
                commit.claim.job_id for commit in batch if not record.write_commit(cursor, name, commit, now)
            }

    def request(self, job_id: str, kind: str, content: bytes, request_id: str) -> None:
        """Leave a request."""
        with self.database.write() as cursor:
            place = record.find(cursor, job_id)
            if not cursor.execute(statement.KNOWN_REQUEST, (place, request_id)).fetchone():
                record.live(cursor, job_id, time.time())
                cursor.execute(statement.ADD_REQUEST, (place, request_id, kind, content))

    def requests(self, owner: str) -> list[Request]:
        """Return what waits for an owner."""
        with self.database.read() as cursor:
            rows = cursor.execute(statement.REQUESTS_OF_OWNER, (owner,)).fetchall()
        return [
            Request(job_id=job_id, request_id=request_id, kind=kind, content=content)
            for job_id, request_id, kind, content in rows
        ]

    def waiting_requests(self, job_id: str) -> list[Request]:
        """Return what waits for a job."""
        with self.database.read() as cursor:
            place = record.find(cursor, job_id)
            rows = cursor.execute(statement.REQUESTS_OF_JOB, (place,)).fetchall()
        return [
            Request(job_id=job_id, request_id=request_id, kind=kind, content=content)
            for request_id, kind, content in rows
        ]

    # -- reading ---------------------------------------------------------------------------------------

    def load(self, job_id: str) -> Kept:
        """Return a job's snapshot and what came after."""
        with self.database.read() as cursor:
            row = cursor.execute(statement.LOAD, (job_id,)).fetchone()
            if row is None:
                raise UnknownJob(job_id, ())
            place, epoch, *head = row
            there = cursor.execute(statement.SNAPSHOT, (place,)).fetchone()
            snapshot = Snapshot(*there) if there else None
            after = snapshot.number if snapshot else 0
            entries = tuple(record.entries(cursor, place, after))
        return Kept(head=read_head(head), snapshot=snapshot, entries=entries, epoch=epoch)

    def history(self, job_id: str, after: int = 0, limit: int = 100) -> list[Entry]:
        """Return a page of entries."""
        with self.database.read() as cursor:
            return record.entries(cursor, record.find(cursor, job_id), after, limit)

    def jobs(
        self,
        flow_id: str | None = None,
        status: Collection[ExecutionStatus] | None = None,
        before: tuple[float, str] | None = None,
        limit: int = 100,
    ) -> list[Listed]:
        """Return a page of jobs."""
        with self.database.read() as cursor:
            return job_page(cursor, time.time(), flow_id, status, before, limit)

    # -- flows and the end -----------------------------------------------------------------------------

    def save_flow(self, flow_id: str, fingerprint: str, document: bytes) -> None:
        """Keep a document."""
        with self.database.write() as cursor:
            cursor.execute(statement.SAVE_FLOW, (flow_id, fingerprint, document, time.time()))

    def load_flow(self, flow_id: str, fingerprint: str) -> bytes | None:
        """Return a document."""
        with self.database.read() as cursor:
            row = cursor.execute(statement.LOAD_FLOW, (flow_id, fingerprint)).fetchone()
        return None if row is None else row[0]

    def delete(self, job_id: str) -> None:
        """Forget a job."""
        with self.database.write() as cursor:
            place, status, holder, _ = record.held(cursor, job_id, time.time())
            if holder is not None and not status.final:
                raise ClaimRefused(job_id, f"{holder!r} has it")
            record.forget(cursor, [place])

    def prune(self, before: float, saved_before: float) -> int:
        """Forget what is over for long."""
        pruned = 0
        for status in (one for one in ExecutionStatus if one.final):
            after: tuple[Any, ...] | None = FIRST
            while after is not None:
                with self.database.write() as cursor:
                    found = cursor.execute(statement.OVER, (status, *after, before, PORTION)).fetchall()
                    record.forget(cursor, [place for _, _, place in found])
                pruned += len(found)
                after = found[-1] if len(found) == PORTION else None
        with self.database.write() as cursor:
            cursor.execute(statement.FORGET_FLOWS, (saved_before,))
        return pruned

    def close(self) -> None:
        """Close the file."""
        self.database.close()
