"""The classes that payloads may hold because the routines of this process know them."""

from __future__ import annotations

import sys
from enum import Enum
from types import FunctionType
from typing import TYPE_CHECKING, Any

from routilux_core.annotation import classes_in, classes_of
from routilux_core.codec import is_fielded
from routilux_core.descendant import descendants, find_descendant
from routilux_core.function import FunctionRoutine
from routilux_core.routine import Routine
from routilux_core.slot import Event

if TYPE_CHECKING:
    from collections.abc import Iterator

OWN = __name__.partition(".")[0]


def routine_classes() -> Iterator[type[Routine]]:
    """Give every Routine class of this process but our own two."""
    return (kind for kind in descendants(Routine) if kind is not FunctionRoutine)


def routine_class(name: str, path: str) -> type[Routine] | None:
    """Return the Routine class that is defined under that name, as `module.qualname`; nothing is imported."""
    return find_descendant(Routine, name, path)


def known_types() -> Iterator[type]:
    """Give the classes that payloads may hold without having been taught.

    Dataclasses, attrs classes, enums and named tuples: those that stand at the top of a module that defines
    a Routine class, and those that such a class names in its configuration, its events or the annotations of
    its methods, with the classes of their fields.
    """
    seen: set[type] = set()
    modules: dict[str, None] = {}
    for kind in routine_classes():
        modules[kind.__module__] = None
        yield from _fresh(_named_by(kind), seen)
    for name in modules:
        module = sys.modules.get(name)
        if module is not None:
            found = [value for value in list(vars(module).values()) if isinstance(value, type)]
            yield from _fresh(found, seen)


def _fresh(found: Any, seen: set[type]) -> Iterator[type]:
    """Give those of `found` that payloads may hold and that are new, and the classes of their fields."""
    open_ends = list(found)
    while open_ends:
        kind = open_ends.pop()
        if kind in seen or not has_fields(kind):
            continue
        seen.add(kind)
        yield kind
        open_ends.extend(classes_of(kind))


def has_fields(kind: type) -> bool:
    """Tell whether objects of the class are known by their fields, and the class is none of our own."""
    return is_fielded(kind) and (issubclass(kind, Enum) or kind.__module__.partition(".")[0] != OWN)


def _named_by(kind: type[Routine]) -> Iterator[type]:
    """Give the classes that a Routine class names."""
    if kind.Config is not None:
        yield kind.Config
    for owner in kind.__mro__:
        if owner is Routine or not issubclass(owner, Routine):
            continue
        for value in list(vars(owner).values()):
            function = value.__func__ if isinstance(value, (staticmethod, classmethod)) else value
            if isinstance(value, Event):
                for field in value.fields.values():
                    yield from classes_in(field)
            elif isinstance(function, FunctionType):
                yield from classes_of(function)
