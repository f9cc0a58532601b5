"""Record: a fact as plain data, flat, with the names that users know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import asdict, fields

from routilux_core import (
    Activation,
    ActivationCompleted,
    ActivationStarted,
    ErrorRecord,
    EventEmitted,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from routilux_core import Fact

Record = dict[str, Any]
VALUES = frozenset({"checkpoint", "data", "entry", "key", "metadata", "payload", "update", "value"})
"""The fields in which values of users stand."""
INNER = frozenset({"at", "fingerprint", "lane", "legacy", "lineage", "number", "took"})
"""The fields that are written already, or say nothing outside of the engine."""


def _started(job_id: str, fact: ActivationStarted) -> Record:
    work = fact.activation
    return {
        "job_id": job_id,
        "number": fact.number,
        "at": fact.at,
        "fact": "activation_started",
        "activation": work.id,
        "routine_id": work.routine_id,
        "slot": work.slot,
        "attempt": work.attempt,
        "source": work.source,
        "data": work.data,
    }


def _emitted(job_id: str, fact: EventEmitted) -> Record:
    work = fact.activation
    return {
        "job_id": job_id,
        "number": fact.number,
        "at": fact.at,
        "fact": "event_emitted",
        "activation": None if work is None else work.id,
        "routine_id": fact.routine_id,
        "event": fact.event,
        "data": fact.data,
        "activations": [one.id for one in fact.activations],
    }


def _completed(job_id: str, fact: ActivationCompleted) -> Record:
    work = fact.activation
    return {
        "job_id": job_id,
        "number": fact.number,
        "at": fact.at,
        "fact": "activation_completed",
        "activation": work.id,
        "routine_id": work.routine_id,
        "slot": work.slot,
        "attempt": work.attempt,
        "seconds": fact.seconds,
    }


def _other(job_id: str, fact: Fact) -> Record:
    record: Record = {"job_id": job_id, "number": fact.number, "at": fact.at, "fact": fact.tag}
    for one in fields(type(fact)):
        value = getattr(fact, one.name)
        if isinstance(value, Activation):
            record["activation"] = value.id
            record["routine_id"], record["slot"] = value.routine_id, value.slot
            record["attempt"] = value.attempt
        elif one.name == "activations":
            record[one.name] = [work.id for work in value]
        elif isinstance(value, ErrorRecord):
            record[one.name] = asdict(value)
        elif one.name not in INNER:
            record[one.name] = value
    return record


FREQUENT: dict[type[Fact], Callable[[str, Any], Record]] = {
    ActivationStarted: _started,
    EventEmitted: _emitted,
    ActivationCompleted: _completed,
}
"""The kinds of which most facts are, each with a function that is fast; the others share one."""


def record_of(kind: type[Fact], *, data: bool) -> Callable[[str, Any], Record]:
    """Return what makes the record of a fact of that kind, without users' values where `data` is False."""
    whole = FREQUENT.get(kind, _other)
    if data:
        return whole

    def record(job_id: str, fact: Fact) -> Record:
        return {name: value for name, value in whole(job_id, fact).items() if name not in VALUES}

    return record
