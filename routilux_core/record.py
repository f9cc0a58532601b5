"""The history of a job as people read it: facts, seen as `ExecutionRecord`s."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import frozen

from routilux_core import facts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime  # noqa: TC004 - nothing asks attrs what a field holds

    from routilux_core.error_record import ErrorRecord
    from routilux_core.fact import Fact


@frozen
class ExecutionRecord:
    """One line of a job's history."""

    routine_id: str
    event_name: str
    data: dict[str, Any]
    timestamp: datetime


def moment(at: float) -> datetime:
    """Return seconds since the epoch as an aware time."""
    from datetime import UTC, datetime  # noqa: PLC0415 - costly, and needed only when somebody looks

    return datetime.fromtimestamp(at, UTC)


def shown_error(error: ErrorRecord) -> dict[str, Any]:
    """Return what the history says of an error."""
    return {"type": error.type, "message": error.message, "attempt": error.attempt}


SHOW: dict[type[Fact], Callable[[Any], tuple[str, str, dict[str, Any]]]] = {
    facts.ActivationStarted: lambda f: (f.activation.routine_id, "start", f.activation.data),
    facts.EventEmitted: lambda f: (f.routine_id, f.event, f.data),
    facts.ActivationCompleted: lambda f: (f.activation.routine_id, "completed", {}),
    facts.ActivationFailed: lambda f: (f.activation.routine_id, "failed", shown_error(f.error)),
    facts.ActivationRetried: lambda f: (f.activation.routine_id, "retry", shown_error(f.error)),
    facts.ActivationSkipped: lambda f: (f.activation.routine_id, "skipped", shown_error(f.error)),
    facts.ExecutionRecorded: lambda f: (f.routine_id, f.event_name, f.data),
    facts.PayloadsUnmatched: lambda f: (f.routine_id, "unmatched", {"slot": f.slot, "count": f.count()}),
    facts.DeferredEventsLeft: lambda f: ("", "deferred events left", {"count": f.count}),
}
"""The facts that the history shows."""


def as_record(fact: Fact) -> ExecutionRecord | None:
    """Return the line that `fact` gives, or None where the history does not show it."""
    show = SHOW.get(type(fact))
    if show is None:
        return None
    routine_id, name, data = show(fact)
    return ExecutionRecord(routine_id, name, data, moment(fact.at))


def as_records(happened: Iterable[Fact], routine_id: str | None = None) -> Iterator[ExecutionRecord]:
    """Give the lines of all `happened` facts, of one routine where it is named."""
    for fact in happened:
        record = as_record(fact)
        if record is not None and routine_id in {None, record.routine_id}:
            yield record
