"""What annotations say, as far as they can be read."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Annotated, Any, NewType, TypeVar, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

UNREADABLE = object()
"""Stands for an annotation whose names are only there for a type checker, or are gone."""


def hints_of(thing: Any) -> dict[str, Any]:
    """Return the annotations of a function or class by name, leaving out those that cannot be read."""
    if not isinstance(thing, type):
        return _read(thing, getattr(thing, "__globals__", {}))
    found: dict[str, Any] = {}
    for owner in reversed(thing.__mro__):
        module = sys.modules.get(owner.__module__)
        found.update(_read(owner, {} if module is None else vars(module), vars(owner)))
    return found


def _read(thing: Any, space: Mapping[str, Any], local: Mapping[str, Any] | None = None) -> dict[str, Any]:
    own = vars(thing) if isinstance(thing, type) else None
    written = (getattr(thing, "__annotations__", None) if own is None else own.get("__annotations__")) or {}
    found = {name: meaning(hint, space, local) for name, hint in dict(written).items()}
    return {name: hint for name, hint in found.items() if hint is not UNREADABLE}


def meaning(hint: Any, space: Mapping[str, Any], local: Mapping[str, Any] | None = None) -> Any:
    """Return what an annotation means in the code that wrote it, or `UNREADABLE`."""
    holder = SimpleNamespace(__annotations__={"it": hint})
    try:
        return get_type_hints(holder, dict(space), dict(local or {}), include_extras=True)["it"]
    except Exception:  # noqa: BLE001 - an annotation is any expression, and may name what is not there
        return UNREADABLE


def bare(hint: Any) -> Any:
    """Return an annotation without the names and remarks around it."""
    while True:
        if isinstance(hint, NewType):
            hint = hint.__supertype__
        elif get_origin(hint) is Annotated:
            hint = get_args(hint)[0]
        elif hasattr(hint, "__value__"):  # `type Name = ...`
            hint = hint.__value__
        else:
            return hint


def classes_in(hint: Any) -> Iterator[type]:
    """Give the classes that an annotation names, however deep."""
    open_ends, seen = [hint], 0
    while open_ends and seen < MOST:
        one = bare(open_ends.pop())
        seen += 1
        if isinstance(one, TypeVar):
            open_ends.extend(bound for bound in (one.__bound__, *one.__constraints__) if bound is not None)
        else:
            arguments = get_args(one)
            if isinstance(one, type) and not arguments:
                yield one
            open_ends.extend(arguments)
            origin = getattr(one, "__origin__", None)
            if origin is not None:
                open_ends.append(origin)


MOST = 1000
"""How many parts of one annotation are looked at; a recursive alias would have no end."""
