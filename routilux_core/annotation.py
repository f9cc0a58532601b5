"""What annotations say, as far as they can be read."""

from __future__ import annotations

import inspect
import re
import sys
from types import ModuleType, SimpleNamespace
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    ForwardRef,
    NewType,
    TypeVar,
    get_args,
    get_origin,
    get_type_hints,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

UNREADABLE = object()
"""Stands for an annotation whose names are only there for a type checker, or are gone."""
MOST = 1000
"""How many parts of one annotation are looked at; a recursive alias would have no end."""
NAME = r"[A-Za-z_][\w.]*"


def meaning(hint: Any, space: Mapping[str, Any]) -> Any:
    """Return what an annotation means in the code that wrote it, or `UNREADABLE`."""
    holder = SimpleNamespace(__annotations__={"it": hint})
    try:
        return get_type_hints(holder, dict(space), {}, include_extras=True)["it"]
    except Exception:  # noqa: BLE001 - an annotation is any expression, and may name what is not there
        return UNREADABLE


def bare(hint: Any) -> Any:
    """Return an annotation without the names and remarks around it."""
    while True:
        if isinstance(hint, NewType):
            hint = hint.__supertype__
        elif get_origin(hint) is Annotated:
            hint = get_args(hint)[0]
        elif hasattr(hint, "__value__") and not isinstance(hint, type):  # `type Name = ...`
            hint = hint.__value__
        else:
            return hint


def classes_in(hint: Any, space: Mapping[str, Any] | None = None) -> Iterator[type]:
    """Give the classes that an annotation names, however deep; names in text are those of `space`.

    Nothing is evaluated: this is asked while documents are read.
    """
    open_ends, seen = [hint], 0
    while open_ends and seen < MOST:
        one = bare(open_ends.pop())
        seen += 1
        if isinstance(one, (str, ForwardRef)):
            open_ends.extend(_named(one if isinstance(one, str) else one.__forward_arg__, space or {}))
        elif isinstance(one, TypeVar):
            open_ends.extend(bound for bound in (one.__bound__, *one.__constraints__) if bound is not None)
        else:
            arguments = get_args(one)
            if isinstance(one, type) and not arguments:
                yield one
            open_ends.extend(arguments)
            origin = get_origin(one)
            if origin is not None:
                open_ends.append(origin)


def classes_of(thing: Any) -> Iterator[type]:
    """Give the classes that the annotations of a function or a class name."""
    for owner in thing.__mro__ if isinstance(thing, type) else (thing,):
        module = sys.modules.get(getattr(owner, "__module__", ""))
        space = {} if module is None else vars(module)
        for hint in _annotations(owner):
            yield from classes_in(hint, space)


def _annotations(thing: Any) -> Iterable[Any]:
    try:
        return inspect.get_annotations(thing).values()
    except Exception:  # noqa: BLE001 - where annotations are evaluated late, they may name what is not there
        return ()


def _named(text: str, space: Mapping[str, Any]) -> Iterator[Any]:
    """Give what the names in a text stand for."""
    for dotted in re.findall(NAME, text[:MOST]):
        first, *rest = dotted.split(".")
        found = space.get(first)
        for name in rest:
            found = vars(found).get(name) if isinstance(found, (type, ModuleType)) else None
        if found is not None and not isinstance(found, (str, ModuleType)):
            yield found
