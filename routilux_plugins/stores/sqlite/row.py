"""Values as rows, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from routilux_core import ExecutionStatus, Head

Row = Sequence[Any]


def head_row(head: Head) -> tuple[Any, ...]:
    """Return the columns of a head. Notes are bytes, since no text of SQLite may hold a lone surrogate."""
    note = head.note.encode("utf-8", "surrogatepass")
    return (head.flow_id, head.fingerprint, head.status.value, head.created_at, head.updated_at, note)


def read_head(row: Row) -> Head:
    """Return the head that has these columns."""
    flow_id, fingerprint, status, created_at, updated_at, note = row
    return Head(
        flow_id=flow_id,
        fingerprint=fingerprint,
        status=ExecutionStatus(status),
        created_at=created_at,
        updated_at=updated_at,
        note=note.decode("utf-8", "surrogatepass"),
    )
