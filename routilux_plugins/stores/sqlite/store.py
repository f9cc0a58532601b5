"""Sqlite: the store, method by method."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from routilux_core import (
    Claim,
    ClaimRefused,
    Entry,
    Kept,
    Listed,
    Request,
    Snapshot,
    Store,
    UnknownJob,
)
from routilux_plugins.stores.sqlite import record, statement
from routilux_plugins.stores.sqlite.database import Database
from routilux_plugins.stores.sqlite.row import read_head
from routilux_plugins.stores.sqlite.settings import SqliteSettings

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from routilux_core import Commit, ExecutionStatus, Head

PORTION = 500
"""So many jobs are forgotten before somebody else may write."""
ALL = -1
"""The limit of those that want no limit."""


class Sqlite(Store):
    """Keeps jobs in a file of this host. Its clock is that of the host."""

    def __init__(self, path: Path, settings: SqliteSettings | None = None) -> None:
        self.database = Database(path, settings or SqliteSettings())

    # -- claims ----------------------------------------------------------------------------------------

    def submit(
        self, job_id: str, head: Head, entries: Sequence[Entry], snapshot: Snapshot | None = None
    ) -> None:
        """Take in a new job."""
        with self.database.write() as connection:
            record.add_job(connection, self.database.name, job_id, head, entries, snapshot, record.NOBODY)

    def claim(self, job_id: str, owner: str, seconds: float, dead: Collection[str] = ()) -> Claim:
        """Claim a job that nobody else has."""
        with self.database.write() as connection:
            now = time.time()
            number, holder, epoch = record.live(connection, job_id, now)
            if holder is not None and holder != owner and holder not in dead:
                raise ClaimRefused(job_id, f"{holder!r} has it")
            connection.execute(statement.CLAIM, (owner, epoch + 1, now + seconds, number))
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
        query, values = statement.claimable(dead, flows)
        with self.database.write() as connection:
            now = time.time()
            found = connection.execute(query, (now, *values, limit)).fetchall()
            rows = [(owner, epoch + 1, now + seconds, number) for number, _, epoch in found]
            connection.executemany(statement.CLAIM, rows)
        return [Claim(job_id, owner, epoch + 1) for _, job_id, epoch in found]

    def renew(self, claims: Collection[Claim], seconds: float) -> set[str]:
        """Let claims last."""
        with self.database.write() as connection:
            until = time.time() + seconds
            return {
                claim.job_id
                for claim in claims
                if not connection.execute(
                    statement.RENEW, (until, claim.job_id, claim.owner, claim.epoch)
                ).rowcount
            }

    def release(self, claims: Collection[Claim]) -> None:
        """Give claims up."""
        rows = [(claim.job_id, claim.owner, claim.epoch) for claim in claims]
        with self.database.write() as connection:
            connection.executemany(statement.RELEASE, rows)

    def owners(self) -> set[str]:
        """Return who has a job."""
        with self.database.read() as connection:
            return {owner for (owner,) in connection.execute(statement.OWNERS, (time.time(),))}

    # -- writing ---------------------------------------------------------------------------------------

    def commit(self, batch: Sequence[Commit]) -> set[str]:
        """Write for many jobs in one transaction."""
        with self.database.write() as connection:
            name, now = self.database.name, time.time()
            return {
                commit.claim.job_id
                for commit in batch
                if not record.write_commit(connection, name, commit, now)
            }

    def request(self, job_id: str, kind: str, content: bytes, request_id: str) -> None:
        """Leave a request."""
        with self.database.write() as connection:
            number = record.find(connection, job_id)
            if not connection.execute(statement.KNOWN_REQUEST, (number, request_id)).fetchone():
                record.live(connection, job_id, time.time())
                connection.execute(statement.ADD_REQUEST, (number, request_id, kind, content))

    def requests(self, owner: str) -> list[Request]:
        """Return what waits for an owner."""
        with self.database.read() as connection:
            rows = connection.execute(statement.REQUESTS_OF_OWNER, (owner,)).fetchall()
        return [
            Request(job_id=job_id, request_id=request_id, kind=kind, content=content)
            for job_id, request_id, kind, content in rows
        ]

    def waiting_requests(self, job_id: str) -> list[Request]:
        """Return what waits for a job."""
        with self.database.read() as connection:
            number = record.find(connection, job_id)
            rows = connection.execute(statement.REQUESTS_OF_JOB, (number,)).fetchall()
        return [
            Request(job_id=job_id, request_id=request_id, kind=kind, content=content)
            for request_id, kind, content in rows
        ]

    # -- reading ---------------------------------------------------------------------------------------

    def load(self, job_id: str) -> Kept:
        """Return a job's snapshot and what came after."""
        with self.database.read() as connection:
            row = connection.execute(statement.LOAD, (job_id,)).fetchone()
            if row is None:
                raise UnknownJob(job_id, ())
            number, epoch, *head = row
            there = connection.execute(statement.SNAPSHOT, (number,)).fetchone()
            snapshot = Snapshot(*there) if there else None
            after = snapshot.number if snapshot else 0
            rows = connection.execute(statement.ENTRIES, (number, after, ALL)).fetchall()
        entries = tuple(Entry(*one) for one in rows)
        return Kept(head=read_head(head), snapshot=snapshot, entries=entries, epoch=epoch)

    def history(self, job_id: str, after: int = 0, limit: int = 100) -> list[Entry]:
        """Return a page of entries."""
        with self.database.read() as connection:
            number = record.find(connection, job_id)
            rows = connection.execute(statement.ENTRIES, (number, after, limit)).fetchall()
        return [Entry(*row) for row in rows]

    def jobs(
        self,
        flow_id: str | None = None,
        status: Collection[ExecutionStatus] | None = None,
        before: tuple[float, str] | None = None,
        limit: int = 100,
    ) -> list[Listed]:
        """Return a page of jobs."""
        query, values = statement.listed(flow_id, status, before)
        with self.database.read() as connection:
            rows = connection.execute(query, (time.time(), *values, limit)).fetchall()
        return [Listed(job_id=job_id, owner=owner, head=read_head(head)) for job_id, owner, *head in rows]

    # -- flows and the end -----------------------------------------------------------------------------

    def save_flow(self, flow_id: str, fingerprint: str, document: bytes) -> None:
        """Keep a document."""
        with self.database.write() as connection:
            connection.execute(statement.SAVE_FLOW, (flow_id, fingerprint, document, time.time()))

    def load_flow(self, flow_id: str, fingerprint: str) -> bytes | None:
        """Return a document."""
        with self.database.read() as connection:
            row = connection.execute(statement.LOAD_FLOW, (flow_id, fingerprint)).fetchone()
        return None if row is None else row[0]

    def delete(self, job_id: str) -> None:
        """Forget a job."""
        with self.database.write() as connection:
            number, status, holder, _ = record.held(connection, job_id, time.time())
            if holder is not None and not status.final:
                raise ClaimRefused(job_id, f"{holder!r} has it")
            record.forget(connection, [number])

    def prune(self, before: float, saved_before: float) -> int:
        """Forget what is over for long."""
        pruned, after = 0, 0
        while True:
            with self.database.write() as connection:
                found = connection.execute(statement.OVER, (before, after, PORTION))
                old = [number for (number,) in found]
                record.forget(connection, old)
                pruned += len(old)
                if not old:
                    connection.execute(statement.FORGET_FLOWS, (saved_before,))
                    return pruned
                after = old[-1]

    def close(self) -> None:
        """Close the file."""
        self.database.close()
