"""How a slot puts the payload that arrives together with those that came before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from routilux_core.errors import InvalidOption, InvalidPayload
from routilux_core.views import ListView

Payload = dict[str, Any]
Merge = str | Callable[[Payload, Payload], Payload]

OVERRIDE = "override"
APPEND = "append"


def checked_merge(value: object) -> Merge:
    """Return `value` if it names or is a merge strategy."""
    if callable(value) or (isinstance(value, str) and value in {OVERRIDE, APPEND}):
        return value
    raise InvalidOption("merge_strategy", value, "'override', 'append' or a function (old, new) -> merged")


def checked_payload(where: str, value: object) -> Payload:
    """Return `value` if it is a dict whose keys are all text."""
    if not isinstance(value, dict):
        raise InvalidPayload(where, f"it is of type {type(value).__name__}")
    for name in value:
        if not isinstance(name, str):
            raise InvalidPayload(where, f"its key {name!r} is of type {type(name).__name__}")
    return value


def gather(gathered: dict[str, list[Any]], payload: Payload) -> None:
    """Add each value of `payload` to the list of its field."""
    for name, value in payload.items():
        values = gathered.get(name)
        if values is None:
            gathered[name] = [value]
        else:
            values.append(value)


def prefixes(gathered: dict[str, list[Any]]) -> Payload:
    """Return what is gathered by now, without copying: each list only ever grows behind what is seen here."""
    return {name: ListView(values, len(values)) for name, values in gathered.items()}


def plain(payload: Payload) -> Payload:
    """Return `payload` with real lists, for a handler."""
    return {name: value.copy() if type(value) is ListView else value for name, value in payload.items()}
