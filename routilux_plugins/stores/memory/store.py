"""Memory: the store, method by method."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from routilux_core import (
    Claim,
    ClaimRefused,
    Kept,
    Listed,
    Request,
    Standing,
    Store,
    StoreError,
    UnknownJob,
)
from routilux_plugins.stores.memory.shelf import Record, Shelf

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from routilux_core import Commit, Entry, ExecutionStatus, Head, Snapshot


class Memory(Store):
    """Keeps jobs in this process. Stores that are given one shelf are the same store."""

    def __init__(
        self, shelf: Shelf | None = None, name: str = "", clock: Callable[[], float] = time.time
    ) -> None:
        self._shelf = shelf or Shelf()
        self._name = f"memory://{name}"
        self._clock = clock
        self._closed = False

    @contextmanager
    def _open(self) -> Iterator[Shelf]:
        with self._shelf.lock:
            if self._closed:
                raise StoreError(self._name, "it is closed; open it again")
            yield self._shelf

    @contextmanager
    def _job(self, job_id: str) -> Iterator[Record]:
        with self._open() as shelf:
            record = shelf.jobs.get(job_id)
            if record is None:
                raise UnknownJob(job_id, ())
            yield record

    # -- claims ----------------------------------------------------------------------------------------

    def submit(
        self, job_id: str, head: Head, entries: Sequence[Entry], snapshot: Snapshot | None = None
    ) -> None:
        """Take in a new job."""
        with self._open() as shelf:
            shelf.add(Record(job_id, head, [*entries], snapshot), self._name)

    def claim(self, job_id: str, owner: str, seconds: float, dead: Collection[str] = ()) -> Claim:
        """Claim a job that nobody else has."""
        with self._job(job_id) as record:
            now = self._clock()
            holder = record.holder(now)
            if record.head.status.final:
                raise ClaimRefused(job_id, f"it is {record.head.status}")
            if holder is not None and holder != owner and holder not in dead:
                raise ClaimRefused(job_id, f"{holder!r} has it")
            return record.grant(owner, now + seconds)

    def claim_next(
        self,
        owner: str,
        seconds: float,
        limit: int,
        flows: Collection[str] | None = None,
        dead: Collection[str] = (),
    ) -> list[Claim]:
        """Claim the oldest jobs that nobody has."""
        with self._open() as shelf:
            now = self._clock()
            free = shelf.free(flows, dead, now)
            return [record.grant(owner, now + seconds) for record in free[:limit]]

    def renew(self, claims: Collection[Claim], seconds: float) -> set[str]:
        """Let claims last."""
        lost = set()
        with self._open() as shelf:
            until = self._clock() + seconds
            for claim in claims:
                record = shelf.jobs.get(claim.job_id)
                if record is None or record.claim != claim:
                    lost.add(claim.job_id)
                else:
                    record.until = until
        return lost

    def release(self, claims: Collection[Claim]) -> None:
        """Give claims up."""
        with self._open() as shelf:
            for claim in claims:
                record = shelf.jobs.get(claim.job_id)
                if record is not None and record.claim == claim:
                    record.give_up()

    def owners(self) -> set[str]:
        """Return who has a job."""
        with self._open() as shelf:
            now = self._clock()
            return {holder for record in shelf.jobs.values() if (holder := record.holder(now)) is not None}

    # -- writing ---------------------------------------------------------------------------------------

    def commit(self, batch: Sequence[Commit]) -> set[str]:
        """Write for many jobs: first everything is looked at, then everything is written."""
        with self._open() as shelf:
            now = self._clock()
            standings = [shelf.standing(commit, self._name) for commit in batch]
            for commit, standing in zip(batch, standings, strict=True):
                if standing is Standing.NEW:
                    shelf.write(commit, now)
        pairs = zip(batch, standings, strict=True)
        return {commit.claim.job_id for commit, standing in pairs if standing is Standing.LOST}

    # -- requests --------------------------------------------------------------------------------------

    def request(self, job_id: str, kind: str, content: bytes, request_id: str) -> None:
        """Leave a request."""
        with self._job(job_id) as record:
            if request_id in record.known:
                return
            if record.head.status.final:
                raise ClaimRefused(job_id, f"it is {record.head.status}")
            record.known.add(request_id)
            record.requests[request_id] = Request(
                job_id=job_id, request_id=request_id, kind=kind, content=content
            )

    def requests(self, owner: str) -> list[Request]:
        """Return what waits for an owner."""
        with self._open() as shelf:
            own = [record for record in shelf.jobs.values() if record.owner == owner]
            return [request for record in own for request in record.requests.values()]

    def waiting_requests(self, job_id: str) -> list[Request]:
        """Return what waits for a job."""
        with self._job(job_id) as record:
            return list(record.requests.values())

    # -- reading ---------------------------------------------------------------------------------------

    def load(self, job_id: str) -> Kept:
        """Return a job's snapshot and what came after."""
        with self._job(job_id) as record:
            snapshot = record.snapshot
            entries = tuple(record.after(snapshot.number if snapshot else 0))
            return Kept(head=record.head, snapshot=snapshot, entries=entries, epoch=record.epoch)

    def history(self, job_id: str, after: int = 0, limit: int = 100) -> list[Entry]:
        """Return a page of entries."""
        with self._job(job_id) as record:
            return record.after(after)[:limit]

    def jobs(
        self,
        flow_id: str | None = None,
        status: Collection[ExecutionStatus] | None = None,
        before: tuple[float, str] | None = None,
        limit: int = 100,
    ) -> list[Listed]:
        """Return a page of jobs."""
        with self._open() as shelf:
            now = self._clock()
            found = shelf.chosen(flow_id, status, before)
            return [
                Listed(job_id=record.job_id, head=record.head, owner=record.holder(now))
                for record in found[:limit]
            ]

    # -- flows -----------------------------------------------------------------------------------------

    def save_flow(self, flow_id: str, fingerprint: str, document: bytes) -> None:
        """Keep a document."""
        with self._open() as shelf:
            shelf.flows[flow_id, fingerprint] = document, self._clock()

    def load_flow(self, flow_id: str, fingerprint: str) -> bytes | None:
        """Return a document."""
        with self._open() as shelf:
            return shelf.flows.get((flow_id, fingerprint), (None, 0.0))[0]

    # -- the end ---------------------------------------------------------------------------------------

    def delete(self, job_id: str) -> None:
        """Forget a job."""
        with self._job(job_id) as record:
            holder = record.holder(self._clock())
            if holder is not None and not record.head.status.final:
                raise ClaimRefused(job_id, f"{holder!r} has it")
            del self._shelf.jobs[job_id]

    def prune(self, before: float, saved_before: float) -> int:
        """Forget what is over for long."""
        with self._open() as shelf:
            return shelf.prune(before, saved_before)

    def close(self) -> None:
        """Let go of the shelf; who else has it open goes on."""
        with self._shelf.lock:
            self._closed = True
