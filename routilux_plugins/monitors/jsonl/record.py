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
INNER = frozenset({"fingerprint", "lane", "legacy", "lineage", "took"})
"""The fields that say nothing outside of the engine."""


def _started(fact: ActivationStarted) -> Record:
    work = fact.activation
    return {
        "activation": work.id,
        "routine_id": work.routine_id,
        "slot": work.slot,
        "attempt": work.attempt,
        "source": work.source,
        "data": work.data,
    }


def _emitted(fact: EventEmitted) -> Record:
    work = fact.activation
    return {
        "activation": None if work is None else work.id,
        "routine_id": fact.routine_id,
        "event": fact.event,
        "data": fact.data,
        "activations": [one.id for one in fact.activations],
    }


def _completed(fact: ActivationCompleted) -> Record:
    work = fact.activation
    return {
        "activation": work.id,
        "routine_id": work.routine_id,
        "slot": work.slot,
        "attempt": work.attempt,
        "seconds": fact.seconds,
    }


def _other(fact: Fact) -> Record:
    record: Record = {}
    for one in fields(type(fact))[2:]:  # after number and time
        if one.name in INNER:
            continue
        value = getattr(fact, one.name)
        if isinstance(value, Activation):
            record |= {
                "activation": value.id,
                "routine_id": value.routine_id,
                "slot": value.slot,
                "attempt": value.attempt,
            }
        elif one.name == "activations":
            record[one.name] = [work.id for work in value]
        elif isinstance(value, ErrorRecord):
            record[one.name] = asdict(value)
        else:
            record[one.name] = value
    return record


def record_of(kind: type[Fact], *, data: bool) -> Callable[[str, Fact], Record]:
    """Return what makes the record of a fact of that kind, without users' values where `data` is False."""
    special: dict[type[Fact], Callable[[Any], Record]] = {
        ActivationStarted: _started,
        EventEmitted: _emitted,
        ActivationCompleted: _completed,
    }
    content, tag = special.get(kind, _other), kind.tag

    def record(job_id: str, fact: Fact) -> Record:
        head = {"job_id": job_id, "number": fact.number, "at": fact.at, "fact": tag}
        body = content(fact)
        return head | (body if data else {name: body[name] for name in body if name not in VALUES})

    return record
