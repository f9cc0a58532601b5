"""Values as rows, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from routilux_core import ExecutionStatus, Head

Row = Sequence[Any]


def to_bytes(text: str) -> bytes:
    """Return the bytes of a text that may hold any character, which no text of PostgreSQL may."""
    return text.encode("utf-8", "surrogatepass")


def to_text(content: bytes) -> str:
    """Return the text that has these bytes."""
    return content.decode("utf-8", "surrogatepass")


def head_row(head: Head) -> tuple[Any, ...]:
    """Return the columns of a head."""
    return (
        head.flow_id,
        head.fingerprint,
        head.status.value,
        head.created_at,
        head.updated_at,
        to_bytes(head.note),
    )


def read_head(row: Row) -> Head:
    """Return the head that has these columns."""
    flow_id, fingerprint, status, created_at, updated_at, note = row
    return Head(
        flow_id=flow_id,
        fingerprint=fingerprint,
        status=ExecutionStatus(status),
        created_at=created_at,
        updated_at=updated_at,
        note=to_text(note),
    )
