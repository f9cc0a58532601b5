"""Shelf: all jobs and flows of a store in memory."""

from __future__ import annotations

import threading
from bisect import bisect_right
from typing import TYPE_CHECKING

from attrs import define, field

from routilux_core import Claim, DuplicateName, Entry, Head, Request, Snapshot, Standing, StoreError

if TYPE_CHECKING:
    from collections.abc import Collection

    from routilux_core import Commit

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

    def give_up(self) -> None:
        """End the claim; the epoch stays known."""
        self.owner, self.until = None, 0.0

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

    def add(self, record: Record, store: str) -> None:
        """Take in a new job."""
        if record.job_id in self.jobs:
            raise DuplicateName("job", record.job_id, f"store {store}")
        self.jobs[record.job_id] = record

    def standing(self, commit: Commit, store: str) -> Standing:
        """Say what a commit is to its job; refuse one that is astray."""
        record = self.jobs.get(commit.claim.job_id)
        if record is None:
            found, last = commit.standing(None), 0
        else:
            last = record.last
            found = commit.standing(record.head, last, record.epoch, record.owner)
        if found is Standing.ASTRAY:
            raise StoreError(store, f"entries of job {commit.claim.job_id!r} do not go on after fact {last}")
        return found

    def write(self, commit: Commit, now: float) -> None:
        """Write a commit that is new."""
        job_id = commit.claim.job_id
        if commit.opens is not None:
            self.jobs[job_id] = Record(job_id, commit.head, [], None)
            self.jobs[job_id].grant(commit.claim.owner, now + commit.opens)
        record = self.jobs[job_id]
        record.head = commit.head
        record.entries += commit.entries
        record.snapshot = commit.snapshot or record.snapshot
        if commit.release:
            record.give_up()
        for request_id in commit.handled:
            record.requests.pop(request_id, None)

    def free(self, flows: Collection[str] | None, dead: Collection[str], now: float) -> list[Record]:
        """Return the jobs that should run and nobody has, the oldest first."""
        found = [
            record
            for record in self.jobs.values()
            if record.head.status in ACTIVE and not record.head.note
            if flows is None or record.head.flow_id in flows
            if (holder := record.holder(now)) is None or holder in dead
        ]
        return sorted(found, key=lambda record: record.age)

    def chosen(
        self, flow_id: str | None, status: Collection[str] | None, before: tuple[float, str] | None
    ) -> list[Record]:
        """Return the jobs of a flow, a status and before a time, the latest first."""
        found = [
            record
            for record in self.jobs.values()
            if flow_id is None or record.head.flow_id == flow_id
            if status is None or record.head.status in status
            if before is None or record.age < before
        ]
        return sorted(found, key=lambda record: record.age, reverse=True)

    def prune(self, before: float, saved_before: float) -> int:
        """Forget what is over for long, and documents without a job; return how many jobs that was."""
        old = [
            job_id
            for job_id, record in self.jobs.items()
            if record.head.status.final and record.head.updated_at < before
        ]
        for job_id in old:
            del self.jobs[job_id]
        used = {(record.head.flow_id, record.head.fingerprint) for record in self.jobs.values()}
        for key, (_, saved_at) in list(self.flows.items()):
            if key not in used and saved_at < saved_before:
                del self.flows[key]
        return len(old)
