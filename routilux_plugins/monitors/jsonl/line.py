"""Line: plain data as one line of JSON, whatever users have put in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import Enum
from math import isfinite
from typing import TYPE_CHECKING, Any

from attrs import fields, has

if TYPE_CHECKING:
    from collections.abc import Callable

MOST = 1000
"""So many characters stand in a line of an object that is nothing to JSON."""
DEEP = 50
"""So many containers stand inside each other, when something in them is nothing to JSON."""


def _nearest(value: Any) -> Any:
    """Return what stands for an object in JSON: its values, its date, or what it says of itself."""
    if isinstance(value, Enum):
        return value.value
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if hasattr(value, "__dataclass_fields__"):
        return {name: getattr(value, name, None) for name in value.__dataclass_fields__}
    if has(type(value)):
        return {one.name: getattr(value, one.name, None) for one in fields(type(value))}
    if isinstance(value, (set, frozenset)):
        return list(value)
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - a repr may do anything
        text = f"<{type(value).__name__}>"
    return text[:MOST]


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
    if isinstance(value, Mapping):
        return {str(_simple(key, deep - 1)): _simple(item, deep - 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_simple(item, deep - 1) for item in value]
    return _simple(_nearest(value), deep - 1)
