"""What is read from the log of one job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from routilux_core import DamagedStore, Entry, Listed, Request
from routilux_plugins.stores.files.log import HEADER

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from routilux_plugins.stores.files.frame import Frame
    from routilux_plugins.stores.files.log import Log
    from routilux_plugins.stores.files.record import Record
    from routilux_plugins.stores.files.transaction import Transaction


def entries(log: Log, file: BinaryIO, after: int, end: int) -> Iterator[Entry]:
    """Return the entries whose last fact comes after that number, as they are read."""
    start = log.find(file, after, end) if after else HEADER
    for frame in log.frames(file, start, end):
        if frame.meta["last"] > after:
            at = 0
            for first, last, length in frame.meta.get("entries", ()):
                if last > after:
                    yield Entry(first, last, frame.content[at : at + length])
                at += length


def listed(transaction: Transaction, record: Record) -> Listed:
    """Return a job as a list shows it; one whose log is damaged has a note of that."""
    owner = record.holder(transaction.now)
    try:
        head = transaction.find(record.job_id).head
    except DamagedStore as error:
        head = evolve(record.head, note=str(error))
    return Listed(job_id=record.job_id, head=head, owner=owner)


def requests(log: Log, record: Record) -> list[Request]:
    """Return the requests that wait for a job."""
    if not record.waiting:
        return []
    with log.reader() as file:
        return [_request(record, _frame(log, file, at, record.size)) for at in record.waiting.values()]


def known_requests(log: Log, record: Record) -> set[str]:
    """Return the ids of all requests that a job ever had; each frame knows the one before."""
    known = set()
    at = record.asked
    if at:
        with log.reader() as file:
            while at:
                frame = _frame(log, file, at, record.size)
                request_id, _, at = frame.meta["request"]
                known.add(request_id)
    return known


def _frame(log: Log, file: BinaryIO, at: int, end: int) -> Frame:
    return next(log.frames(file, at, end))


def _request(record: Record, frame: Frame) -> Request:
    request_id, kind, _ = frame.meta["request"]
    return Request(job_id=record.job_id, request_id=request_id, kind=kind, content=frame.content)
