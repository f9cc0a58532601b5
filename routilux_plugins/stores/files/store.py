"""Files: the store, method by method."""

from __future__ import annotations

import logging
from heapq import nlargest
from itertools import islice
from typing import TYPE_CHECKING

from attrs import evolve

from routilux_core import (
    Claim,
    ClaimRefused,
    Kept,
    Listed,
    Request,
    Snapshot,
    Store,
)
from routilux_plugins.stores.files import flow_shelf, reading, writing
from routilux_plugins.stores.files.folder import Folder
from routilux_plugins.stores.files.repair import snapshot_name
from routilux_plugins.stores.files.settings import FilesSettings
from routilux_plugins.stores.files.sheet import read_sheet

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from routilux_core import Commit, Entry, ExecutionStatus, Head

logger = logging.getLogger("routilux.stores.file")

PORTION = 500
"""So many jobs are forgotten before somebody else may write."""


class Files(Store):
    """Keeps jobs in a folder of this host. Its clock is that of the host."""

    def __init__(self, path: Path, settings: FilesSettings | None = None) -> None:
        self.folder = Folder(path, settings or FilesSettings())

    # -- claims ----------------------------------------------------------------------------------------

    def submit(
        self, job_id: str, head: Head, entries: Sequence[Entry], snapshot: Snapshot | None = None
    ) -> None:
        """Take in a new job."""
        with self.folder.transaction() as transaction:
            transaction.make(job_id, head, entries, snapshot)

    def claim(self, job_id: str, owner: str, seconds: float, dead: Collection[str] = ()) -> Claim:
        """Claim a job that nobody else has."""
        with self.folder.transaction() as transaction:
            record = writing.live(transaction, job_id)
            holder = record.holder(transaction.now)
            if holder is not None and holder != owner and holder not in dead:
                raise ClaimRefused(job_id, f"{holder!r} has it")
            return writing.grant(transaction, record, owner, seconds)

    def claim_next(
        self,
        owner: str,
        seconds: float,
        limit: int,
        flows: Collection[str] | None = None,
        dead: Collection[str] = (),
    ) -> list[Claim]:
        """Claim the oldest jobs that nobody has."""
        with self.folder.transaction() as transaction:
            free = writing.free(transaction, flows, dead)
            taken = islice(writing.sound(transaction, free), limit)
            return [writing.grant(transaction, record, owner, seconds) for record in taken]

    def renew(self, claims: Collection[Claim], seconds: float) -> set[str]:
        """Let claims last."""
        with self.folder.transaction() as transaction:
            present = writing.present(transaction, claims)
            transaction.renew(present, transaction.now + seconds)
            return {claim.job_id for claim in claims} - {record.job_id for record in present}

    def release(self, claims: Collection[Claim]) -> None:
        """Give claims up."""
        with self.folder.transaction() as transaction:
            for record in writing.sound(transaction, writing.present(transaction, claims)):
                transaction.append(record, {"claim": writing.given_up(record.epoch)}, listed=True)

    def owners(self) -> set[str]:
        """Return who has a job."""
        with self.folder.transaction() as transaction:
            records = transaction.index.living()
            return {holder for record in records if (holder := record.holder(transaction.now)) is not None}

    # -- writing ---------------------------------------------------------------------------------------

    def commit(self, batch: Sequence[Commit]) -> set[str]:
        """Write for many jobs in one transaction."""
        with self.folder.transaction() as transaction:
            return writing.write_batch(transaction, batch)

    def request(self, job_id: str, kind: str, content: bytes, request_id: str) -> None:
        """Leave a request."""
        with self.folder.transaction() as transaction:
            record = transaction.find(job_id)
            if record.known is None:
                record.known = reading.known_requests(transaction.log(record), record)
            if request_id not in record.known:
                writing.live(transaction, job_id)
                meta = {"request": (request_id, kind, record.asked)}
                transaction.append(record, meta, content=content, listed=True)

    def requests(self, owner: str) -> list[Request]:
        """Return what waits for an owner."""
        with self.folder.transaction() as transaction:
            asked = [one for one in transaction.index.living() if one.owner == owner and one.waiting]
            records = writing.sound(transaction, asked)
            return [one for record in records for one in reading.requests(transaction.log(record), record)]

    def waiting_requests(self, job_id: str) -> list[Request]:
        """Return what waits for a job."""
        with self.folder.transaction() as transaction:
            record = transaction.find(job_id)
            return reading.requests(transaction.log(record), record)

    # -- reading ---------------------------------------------------------------------------------------

    def load(self, job_id: str) -> Kept:
        """Return a job's snapshot and what came after."""
        with self.folder.transaction() as transaction:
            record = evolve(transaction.find(job_id))
            log = transaction.log(record)
            snapshot = None
            if record.snapshot:
                sheet = read_sheet(self.folder.name, self.folder.jobs / snapshot_name(record))
                snapshot = Snapshot(sheet.meta["number"], sheet.content)
            file = log.reader()
        with file:
            found = reading.entries(log, file, snapshot.number if snapshot else 0, record.size)
            return Kept(head=record.head, snapshot=snapshot, entries=tuple(found), epoch=record.epoch)

    def history(self, job_id: str, after: int = 0, limit: int = 100) -> list[Entry]:
        """Return a page of entries."""
        with self.folder.transaction() as transaction:
            record = transaction.find(job_id)
            log, end = transaction.log(record), record.size
            file = log.reader()
        with file:
            return [*islice(reading.entries(log, file, after, end), limit)]

    def jobs(
        self,
        flow_id: str | None = None,
        status: Collection[ExecutionStatus] | None = None,
        before: tuple[float, str] | None = None,
        limit: int = 100,
    ) -> list[Listed]:
        """Return a page of jobs."""
        with self.folder.transaction() as transaction:
            found = [
                record
                for record in transaction.index.records.values()
                if flow_id is None or record.head.flow_id == flow_id
                if status is None or record.head.status in status
                if before is None or record.age < before
            ]
            page = nlargest(limit, found, key=lambda record: record.age)
            return [reading.listed(transaction, record) for record in page]

    # -- flows and the end -----------------------------------------------------------------------------

    def save_flow(self, flow_id: str, fingerprint: str, document: bytes) -> None:
        """Keep a document."""
        with self.folder.transaction() as transaction:
            flow_shelf.save_flow(transaction, flow_id, fingerprint, document)

    def load_flow(self, flow_id: str, fingerprint: str) -> bytes | None:
        """Return a document."""
        with self.folder.transaction() as transaction:
            return flow_shelf.load_flow(transaction, flow_id, fingerprint)

    def delete(self, job_id: str) -> None:
        """Forget a job."""
        with self.folder.transaction() as transaction:
            record = transaction.find(job_id)
            holder = record.holder(transaction.now)
            if holder is not None and not record.head.status.final:
                raise ClaimRefused(job_id, f"{holder!r} has it")
            transaction.remove([record])

    def prune(self, before: float, saved_before: float) -> int:
        """Forget what is over for long."""
        pruned = 0
        while True:
            with self.folder.transaction() as transaction:
                records = transaction.index.records.values()
                old = [one for one in records if one.head.status.final and one.head.updated_at < before]
                transaction.remove(old[:PORTION])
                pruned += len(old[:PORTION])
                if len(old) <= PORTION:
                    flow_shelf.prune_flows(transaction, saved_before)
                    return pruned

    def close(self) -> None:
        """Close the files."""
        self.folder.close()
