"""`memory`: jobs in the memory of this process, for tests and for trying out; they end with the process.

`memory://` is a store of its own. `memory://name` is the same one for all who name it in this process, as long
as one of them has it open.
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_right
from contextlib import contextmanager
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from attrs import define, field

from routilux_core import (
    Claim,
    ClaimRefused,
    DuplicateName,
    Kept,
    Listed,
    Registrar,
    Request,
    Standing,
    Store,
    StoreError,
    UnknownJob,
    hookimpl,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from routilux_core import Commit, Entry, ExecutionStatus, Head, Snapshot, StoreURL

ACTIVE = ("pending", "running")


@define(eq=False)
class Record:
    """All that is kept of one job."""

    job_id: str
    head: Head
    entries: list[Entry]
    snapshot: Snapshot | None
    epoch: int = 0
    owner: str | None = None
    until: float = 0.0
    """When the claim ends."""
    requests: dict[str, Request] = field(factory=dict)
    known: set[str] = field(factory=set)
    """The ids of all requests that ever came."""

    @property
    def age(self) -> tuple[float, str]:
        """What jobs are ordered by."""
        return self.head.created_at, self.job_id

    @property
    def last(self) -> int:
        """The number of the last fact."""
        if self.entries:
            return self.entries[-1].last
        return self.snapshot.number if self.snapshot else 0

    @property
    def claim(self) -> Claim | None:
        """The present claim, though its time may have run out."""
        return None if self.owner is None else Claim(self.job_id, self.owner, self.epoch)

    def holder(self, now: float) -> str | None:
        """Return who has a claim that has not ended."""
        return self.owner if self.until > now else None

    def grant(self, owner: str, until: float) -> Claim:
        """Make a new claim."""
        self.epoch += 1
        self.owner, self.until = owner, until
        return Claim(self.job_id, owner, self.epoch)

    def after(self, number: int) -> list[Entry]:
        """Return the entries whose last fact comes after that number."""
        return self.entries[bisect_right(self.entries, number, key=lambda entry: entry.last) :]


@define(eq=False, weakref_slot=True)
class Shelf:
    """What several stores have in common that were opened by one name."""

    lock: threading.Lock = field(factory=threading.Lock)
    """Guards what follows."""
    jobs: dict[str, Record] = field(factory=dict)
    flows: dict[tuple[str, str], tuple[bytes, float]] = field(factory=dict)
    """Documents, and when they were saved."""


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
                raise StoreError(self._name, "it is closed")
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
            self._add(shelf, job_id, head, entries, snapshot)

    def create(
        self,
        job_id: str,
        head: Head,
        entries: Sequence[Entry],
        owner: str,
        seconds: float,
        snapshot: Snapshot | None = None,
    ) -> Claim:
        """Take in a new job and claim it."""
        with self._open() as shelf:
            record = self._add(shelf, job_id, head, entries, snapshot)
            return record.grant(owner, self._clock() + seconds)

    def _add(
        self, shelf: Shelf, job_id: str, head: Head, entries: Sequence[Entry], snapshot: Snapshot | None
    ) -> Record:
        if job_id in shelf.jobs:
            raise DuplicateName("job", job_id, f"store {self._name}")
        record = shelf.jobs[job_id] = Record(job_id, head, [*entries], snapshot)
        return record

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
            free = [
                record
                for record in shelf.jobs.values()
                if record.head.status in ACTIVE and not record.head.note
                if flows is None or record.head.flow_id in flows
                if (holder := record.holder(now)) is None or holder in dead
            ]
            free.sort(key=lambda record: record.age)
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
                    record.owner, record.until = None, 0.0

    def owners(self) -> set[str]:
        """Return who has a job."""
        with self._open() as shelf:
            now = self._clock()
            return {holder for record in shelf.jobs.values() if (holder := record.holder(now)) is not None}

    # -- writing ---------------------------------------------------------------------------------------

    def commit(self, batch: Sequence[Commit]) -> set[str]:
        """Write for many jobs: first everything is looked at, then everything is written."""
        lost = set()
        new = []
        with self._open() as shelf:
            for commit in batch:
                record = shelf.jobs.get(commit.claim.job_id)
                if record is None:
                    lost.add(commit.claim.job_id)
                    continue
                standing = commit.standing(record.claim, record.head, record.last)
                if standing is Standing.ASTRAY:
                    reason = f"entries of job {record.job_id!r} do not go on after fact {record.last}"
                    raise StoreError(self._name, reason)
                if standing is Standing.LOST:
                    lost.add(record.job_id)
                elif standing is Standing.NEW:
                    new.append((record, commit))
            for record, commit in new:
                self._write(record, commit)
        return lost

    def _write(self, record: Record, commit: Commit) -> None:
        record.head = commit.head
        record.entries += commit.entries
        record.snapshot = commit.snapshot or record.snapshot
        for request_id in commit.handled:
            record.requests.pop(request_id, None)

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
            found = [
                record
                for record in shelf.jobs.values()
                if flow_id is None or record.head.flow_id == flow_id
                if status is None or record.head.status in status
                if before is None or record.age < before
            ]
            found.sort(key=lambda record: record.age, reverse=True)
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

    def prune(self, before: float) -> int:
        """Forget what is over for long."""
        with self._open() as shelf:
            old = [
                job_id
                for job_id, record in shelf.jobs.items()
                if record.head.status.final and record.head.updated_at < before
            ]
            for job_id in old:
                del shelf.jobs[job_id]
            used = {(record.head.flow_id, record.head.fingerprint) for record in shelf.jobs.values()}
            for key, (_, saved_at) in list(shelf.flows.items()):
                if key not in used and saved_at < before:
                    del shelf.flows[key]
            return len(old)

    def close(self) -> None:
        """Let go of the shelf; who else has it open goes on."""
        with self._shelf.lock:
            self._closed = True


_shelves: WeakValueDictionary[str, Shelf] = WeakValueDictionary()
_lock = threading.Lock()


def open_memory(url: StoreURL) -> Memory:
    """Keep jobs in the memory of this process."""
    name = url.place
    with _lock:
        shelf = Shelf()
        return Memory(_shelves.setdefault(name, shelf) if name else shelf, name)


@hookimpl
def register_components(registrar: Registrar) -> None:
    """Offer the store for tests."""
    registrar.store("memory", open_memory)
