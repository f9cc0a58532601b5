"""Jobs for the tests of stores: heads, entries and commits with little to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from routilux_core.status import ExecutionStatus
from routilux_core.store import Claim, Commit, Entry, Head

if TYPE_CHECKING:
    from collections.abc import Iterable

    from routilux_core.store import Snapshot, Store

LONG = 600.0
"""Seconds of a claim that does not end while a test runs."""
START = 1_700_000_000.123456
"""When the first job was made. No number that is rounded on its way comes back as this one."""
RUNNING, PAUSED, COMPLETED = ExecutionStatus.RUNNING, ExecutionStatus.PAUSED, ExecutionStatus.COMPLETED
ACTIVE = (ExecutionStatus.PENDING, RUNNING)
FINAL = tuple(one for one in ExecutionStatus if one.final)
NEW = Head(
    flow_id="flow",
    fingerprint="0f" * 16,
    status=ExecutionStatus.PENDING,
    created_at=START,
    updated_at=START,
)


def head(
    status: ExecutionStatus = ExecutionStatus.PENDING, number: int = 0, flow_id: str = "flow", note: str = ""
) -> Head:
    """Return the head of a job that is `number` seconds younger than the first one."""
    at = START + number
    return evolve(NEW, flow_id=flow_id, status=status, created_at=at, updated_at=at + 0.5, note=note)


def entries(last: int, after: int = 0) -> tuple[Entry, ...]:
    """Return entries of one fact each, up to `last`."""
    return tuple(Entry(number, number, f"fact {number}".encode()) for number in range(after + 1, last + 1))


def opening(
    job_id: str,
    owner: str,
    seconds: float = LONG,
    *,
    head: Head = NEW,
    entries: Iterable[Entry] = (),
    snapshot: Snapshot | None = None,
    release: bool = False,
) -> Commit:
    """Return the commit that takes in a new job and claims it."""
    return Commit(
        claim=Claim(job_id, owner, 1),
        head=head,
        entries=tuple(entries),
        snapshot=snapshot,
        opens=seconds,
        release=release,
    )


def open_job(
    store: Store,
    job_id: str,
    owner: str,
    seconds: float = LONG,
    *,
    head: Head = NEW,
    entries: Iterable[Entry] = (),
    snapshot: Snapshot | None = None,
) -> Claim:
    """Take in a new job by a commit of its own; return the claim."""
    first = opening(job_id, owner, seconds, head=head, entries=entries, snapshot=snapshot)
    if store.commit([first]):
        raise AssertionError(f"the new job {job_id!r} is said to be lost")
    return first.claim


def commit(
    claim: Claim,
    last: int = 0,
    after: int = 0,
    status: ExecutionStatus = RUNNING,
    *,
    note: str = "",
    snapshot: Snapshot | None = None,
    handled: tuple[str, ...] = (),
    release: bool = False,
) -> Commit:
    """Return a commit of the facts after `after` up to `last`; the head's time says up to where."""
    changed = evolve(NEW, status=status, updated_at=START + last, note=note)
    return Commit(
        claim=claim,
        head=changed,
        entries=entries(last, after),
        snapshot=snapshot,
        handled=handled,
        release=release,
    )


def numbers(store: Store, job_id: str) -> list[int]:
    """Return the numbers of all facts of a job, as its history has them."""
    return [
        number for entry in store.history(job_id, limit=1000) for number in range(entry.first, entry.last + 1)
    ]
