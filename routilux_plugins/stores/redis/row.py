"""Values as what Redis keeps, and back."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from routilux_core import Entry, ExecutionStatus, Head, Request, Snapshot

if TYPE_CHECKING:
    from collections.abc import Mapping

HEAD = ("flow", "fingerprint", "status", "created", "updated", "note")
AGE = 16
"""So many characters of a place stand for the time."""


def to_text(content: bytes) -> str:
    """Return the text that has these bytes; it may hold any character."""
    return content.decode("utf-8", "surrogatepass")


def to_bytes(text: str) -> bytes:
    """Return the bytes of a text."""
    return text.encode("utf-8", "surrogatepass")


def place(created_at: float, job_id: str) -> bytes:
    """Return what jobs are ordered by: bytes that order as time and id do."""
    [bits] = struct.unpack(">Q", struct.pack(">d", created_at))
    bits ^= 0xFFFF_FFFF_FFFF_FFFF if bits >> 63 else 1 << 63
    return b"%016x" % bits + to_bytes(job_id)


def head_row(job_id: str, head: Head) -> tuple[bytes, str]:
    """Return what seldom changes of a head, each part with its length before it, and what does."""
    created_at = float(head.created_at)
    texts = (head.flow_id, head.fingerprint, head.status.value, repr(created_at), head.note)
    parts = (*map(to_bytes, texts), place(created_at, job_id))
    return b"".join([b"%d:%s" % (len(part), part) for part in parts]), repr(float(head.updated_at))


def read_head(fields: Mapping[bytes, bytes]) -> Head:
    """Return the head that has these fields."""
    flow_id, fingerprint, status, created_at, updated_at, note = (fields[name.encode()] for name in HEAD)
    return Head(
        flow_id=to_text(flow_id),
        fingerprint=to_text(fingerprint),
        status=ExecutionStatus(status.decode()),
        created_at=float(created_at),
        updated_at=float(updated_at),
        note=to_text(note),
    )


def read_snapshot(fields: Mapping[bytes, bytes]) -> Snapshot | None:
    """Return the snapshot in these fields, if there is one."""
    return Snapshot(int(fields[b"number"]), fields[b"snapshot"]) if b"number" in fields else None


def read_entry(item: tuple[bytes, Mapping[bytes, bytes]]) -> Entry:
    """Return the entry that stands in a stream."""
    name, fields = item
    return Entry(int(fields[b"f"]), int(name.partition(b"-")[0]), fields[b"c"])


def read_requests(job_id: str, fields: Mapping[bytes, bytes]) -> list[Request]:
    """Return the requests of a job, in the order they came."""
    found = []
    for name, value in fields.items():
        number, length, rest = value.split(b":", 2)
        kind, content = to_text(rest[: int(length)]), rest[int(length) :]
        request = Request(job_id=job_id, request_id=to_text(name), kind=kind, content=content)
        found.append((int(number), request))
    return [request for _, request in sorted(found, key=lambda one: one[0])]
