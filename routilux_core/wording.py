"""How a type is named in an error, for those who gave a wrong value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from attrs import fields, has

WORDS: dict[Any, str] = {
    Any: "anything",
    object: "anything",
    None: "None",
    NoneType: "None",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    bytes: "bytes",
}


def wording(kind: Any) -> str:
    """Say in words which values `kind` takes.

    >>> wording(int | None)
    'a whole number or None'
    >>> wording(list[str])
    'a list, each text'
    """
    origin, arguments = get_origin(kind), get_args(kind)
    shape = origin or kind
    if shape in WORDS:
        return WORDS[shape]
    if origin in {Union, UnionType}:
        return _or([wording(one) for one in arguments])
    if origin is Literal:
        return _or([repr(one) for one in arguments])
    return _class(shape, arguments) if isinstance(shape, type) else str(kind)


def _class(shape: type, arguments: tuple[Any, ...]) -> str:
    if issubclass(shape, Enum):
        return _or([repr(one.value) for one in shape])
    if issubclass(shape, Mapping):
        return _each("a table", arguments[-1:])
    if shape is tuple and arguments and arguments[-1] is not ...:
        return f"a list of {len(arguments)}: {', '.join(wording(one) for one in arguments)}"
    if shape in {list, tuple, set, frozenset} or shape.__module__ == "collections.abc":
        return _each("a list", arguments[:1])
    return f"{'an' if shape.__name__[0] in 'AEIOaeio' else 'a'} {shape.__name__}{_names(shape)}"


def _each(container: str, items: tuple[Any, ...]) -> str:
    words = [wording(one) for one in items if one is not Any]
    return f"{container}, each {words[0]}" if words else container


def _names(shape: type) -> str:
    """Return the names of a class's fields, where it has fields."""
    if has(shape):
        names: Iterable[str] = [one.alias or one.name for one in fields(shape) if one.init]
    else:
        names = [name for name, one in getattr(shape, "__dataclass_fields__", {}).items() if one.init]
    return f" (a table with {', '.join(names)})" if names else ""


def _or(words: list[str]) -> str:
    return " or ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
