"""Descendants of a class, found by name among those that this process has defined; nothing is imported."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from routilux_core.codec import is_present, name_of
from routilux_core.definition_errors import AmbiguousClass

if TYPE_CHECKING:
    from collections.abc import Iterator

Kind = TypeVar("Kind")


def descendants(root: type[Kind]) -> Iterator[type[Kind]]:
    """Give every subclass of `root` and its subclasses, each once."""
    seen: set[type[Kind]] = set()
    open_ends = [root]
    while open_ends:
        for kind in type.__subclasses__(open_ends.pop(0)):
            if kind not in seen:
                seen.add(kind)
                open_ends.append(kind)
                yield kind


def find_descendant(root: type[Kind], name: str, path: str) -> type[Kind] | None:
    """Return the descendant of that name, or `root` itself; None if there is none.

    `AmbiguousClass` if there are several and it cannot be told which one is meant.
    """
    found = [kind for kind in (root, *descendants(root)) if name_of(kind) == name]
    if len(found) > 1:
        # A module that was run again, or a cell of a notebook: what stands there now is what is meant.
        there = [kind for kind in found if is_present(kind)]
        if len(there) != 1:
            raise AmbiguousClass(name, len(found), path)
        return there[0]
    return found[0] if found else None
