"""Single values as people give them: text, numbers, truth, dates, paths."""

from __future__ import annotations

from types import NoneType
from typing import TYPE_CHECKING, Any

from routilux_core.errors import InvalidOption
from routilux_core.wording import wording

if TYPE_CHECKING:
    from collections.abc import Callable

TRUTH = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}
READERS: dict[Any, Callable[[str], Any]] = {}
"""How text becomes an instance of a class. A class that is more than its constructor is added here."""
SECRETS: set[Any] = set()
"""Classes of which an error shows only the type of what was given instead."""
DECIMAL = "decimal.Decimal"
CONSTRUCTED = frozenset({DECIMAL, "uuid.UUID"})
"""Classes that take text as it is; by name, since importing them is not free, as are those below."""
DATED = frozenset({"datetime.datetime", "datetime.date", "datetime.time"})
"""Classes that read text as ISO 8601."""


class Text(str):
    """Text from a place that knows nothing else, as an environment variable: there `5` may be a number."""

    __slots__ = ()


def read(reader: Callable[[Any], Any], value: Any) -> Any:
    """Return what `reader` makes of the value, or the value where it can make nothing of it."""
    try:
        return reader(value)
    except InvalidOption:
        raise
    except (ValueError, ArithmeticError, RecursionError):
        return value


def _none(value: Any, where: str) -> None:
    if value is not None and not (isinstance(value, Text) and value.strip().lower() in {"", "none"}):
        raise InvalidOption(where, value, wording(NoneType))


def _bool(value: Any, where: str) -> bool:
    if isinstance(value, Text):
        value = TRUTH.get(value.strip().lower(), value)
    if not isinstance(value, bool):
        raise InvalidOption(where, value, wording(bool))
    return value


def _int(value: Any, where: str) -> int:
    if isinstance(value, Text):
        value = read(int, value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidOption(where, value, wording(int))
    return value


def _float(value: Any, where: str) -> float:
    number = read(float, value) if isinstance(value, (Text, int)) else value
    if isinstance(value, bool) or not isinstance(number, float):
        raise InvalidOption(where, value, wording(float))
    return number


def _str(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise InvalidOption(where, value, wording(str))
    return str(value) if isinstance(value, Text) else value


SCALARS: dict[Any, Callable[[Any, str], Any]] = {
    None: _none,
    NoneType: _none,
    bool: _bool,
    int: _int,
    float: _float,
    str: _str,
}


def instance(value: Any, shape: type, where: str) -> Any:
    """Return an instance of `shape`: `value` itself, or what its text, or its seconds, stand for."""
    try:
        made = read(_reader(shape), value) if isinstance(value, (str, int, float)) else value
    except InvalidOption as error:  # of a reader, which knows what may be shown
        raise InvalidOption(where, error.value, error.wanted) from error
    try:
        fits = isinstance(made, shape)
    except TypeError:  # a protocol says nothing that could be checked
        fits = True
    if not fits:
        raise InvalidOption(where, type(value).__name__ if shape in SECRETS else value, wording(shape))
    return made


def _reader(shape: type) -> Callable[[Any], Any]:
    """Return what makes an instance of the text that it is given, and leaves everything else."""
    name = f"{shape.__module__}.{shape.__qualname__}"
    if name == "datetime.timedelta":
        return lambda value: value if isinstance(value, bool) else shape(seconds=_float(value, ""))
    reader = READERS.get(shape) or (shape if name in CONSTRUCTED or hasattr(shape, "__fspath__") else None)
    if name in DATED:
        reader = shape.fromisoformat  # type: ignore[attr-defined]  # each of them has it
    if reader is None or issubclass(shape, str):
        return lambda value: value
    exact = int if name == DECIMAL else str  # a whole number loses nothing as a decimal
    return lambda value: reader(str(value)) if isinstance(value, str) or type(value) is exact else value


def json_value(text: Text, opening: str) -> Any:
    """Return what the JSON in a text says, if it opens so and is JSON; otherwise the text."""
    if not text.lstrip().startswith(opening):
        return text
    import json  # noqa: PLC0415 - few variables hold JSON

    return read(json.loads, text)
