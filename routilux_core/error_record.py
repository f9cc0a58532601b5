"""ErrorRecord: an error as a job keeps it."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

from attrs import frozen

from routilux_core.job_errors import RemoteError

if TYPE_CHECKING:
    from routilux_core.activation import Activation


@frozen(kw_only=True)
class ErrorRecord:
    """An error as a job keeps it."""

    type: str
    message: str
    traceback: str
    routine_id: str | None
    slot: str | None
    attempt: int
    at: float

    def __str__(self) -> str:
        where = f" in {self.routine_id}.{self.slot}" if self.routine_id is not None else ""
        return f"{self.type}: {self.message}{where}"


def text_of(error: BaseException) -> str:
    """Return what `error` says, whatever its own `__str__` does."""
    try:
        return str(error)
    except BaseException as failure:  # noqa: BLE001 - it is foreign code, and only a text
        return f"<its __str__ raised {type(failure).__name__}>"


def describe(error: BaseException, activation: Activation | None, at: float) -> ErrorRecord:
    """Write `error` down as an `ErrorRecord`."""
    kind, message = type(error).__name__, text_of(error)
    if isinstance(error, RemoteError):  # it stands for one that could not come here
        kind, message = error.kind, error.message
    return ErrorRecord(
        type=kind,
        message=message,
        traceback="".join(traceback.format_exception(error)),
        routine_id=None if activation is None else activation.routine_id,
        slot=None if activation is None else activation.slot,
        attempt=1 if activation is None else activation.attempt,
        at=at,
    )
