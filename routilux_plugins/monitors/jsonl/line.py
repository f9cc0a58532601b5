"""Line: plain data as one line of JSON, whatever users have put in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import Enum
from math import isfinite
from typing import TYPE_CHECKING, Any
from uuid import UUID

from attrs import fields, has

if TYPE_CHECKING:
    from collections.abc import Callable

MOST = 1000
"""So many characters stand in a line of an object that is nothing to JSON."""
DEEP = 50
"""So many containers stand inside each other, when something in them is nothing to JSON."""


def _nearest(value: Any) -> Any:
    """Return what stands for an object in JSON, or its class where not even that can be had."""
    try:
        return _said(value)
    except Exception:  # noqa: BLE001 - an object of users may do anything
        return f"<{type(value).__name__}>"


def _said(value: Any) -> Any:
    """Return an object's values, its date, or what it says of itself."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (set, frozenset)):
        return list(value)
    if not isinstance(value, type):
        names = _names_of(value)
        if names:
            return {name: getattr(value, name, None) for name in names}
        if hasattr(value, "isoformat"):
            return value.isoformat()
    return (str if isinstance(value, UUID) else repr)(value)[:MOST]


def _names_of(value: Any) -> list[str]:
    """Return the names of an object's declared values."""
    if has(type(value)):
        return [one.name for one in fields(type(value))]
    return list(getattr(value, "__dataclass_fields__", ()))


_PLAIN = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_nearest)
_SAFE = json.JSONEncoder(separators=(",", ":"))


def _encoder() -> Callable[[Any], bytes]:
    """Return the fastest way from data to a line that is installed here."""
    try:
        import orjson
    except ModuleNotFoundError:
        return lambda record: f"{_PLAIN.encode(record)}\n".encode()
    options = orjson.OPT_NON_STR_KEYS | orjson.OPT_APPEND_NEWLINE
    return lambda record: orjson.dumps(record, _nearest, options)


def writer() -> Callable[[Any], bytes]:
    """Return what makes a line of a record. It never refuses one."""
    encode = _encoder()

    def line(record: Any) -> bytes:
        try:
            return encode(record)
        except (TypeError, ValueError, RecursionError):
            return f"{_SAFE.encode(_simple(record, DEEP))}\n".encode()

    return line


def _simple(value: Any, deep: int) -> Any:
    """Return the nearest that every encoder takes: text as keys, no numbers that are none, no circles."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if isfinite(value) else None
    if not deep:
        return "..."
    try:
        return _inside(value, deep - 1)
    except Exception:  # noqa: BLE001 - as in _nearest
        return f"<{type(value).__name__}>"


def _inside(value: Any, deep: int) -> Any:
    """Return that of a container, or of an object."""
    if isinstance(value, Mapping):
        return {str(_simple(key, deep)): _simple(item, deep) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_simple(item, deep) for item in value]
    return _simple(_nearest(value), deep)
