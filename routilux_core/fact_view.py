"""FactView: a fact as monitors are shown it. It reads the fact and hands out copies, so nothing comes back.

For each kind of fact there is a subclass whose fields are properties. A view is one small object. What can be
changed, as a payload, is copied when a monitor asks for it, and only then.
"""

from __future__ import annotations

from copy import deepcopy
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from attrs import fields

from routilux_core.activation import Activation
from routilux_core.error_record import ErrorRecord

if TYPE_CHECKING:
    from collections.abc import Callable

    from routilux_core.fact import Fact

PLAIN = frozenset({type(None), bool, int, float, str, bytes, ErrorRecord})
"""Types whose values nobody can change."""
FIXED = frozenset({one.__name__ for one in PLAIN} | {"str | None", "float | None", "tuple[str, ...]"})
"""How fields are annotated that hold nothing else."""


def copied(value: Any) -> Any:
    """Return a value that is equal and shares nothing with this one that could be changed.

    An object that refuses to be copied, as a socket does, goes by reference.
    """
    kind = type(value)
    if kind in PLAIN:
        return value
    try:
        if kind is dict:
            for item in value.values():
                if type(item) not in PLAIN:
                    break
            else:
                return value.copy()
        return _copied(value)
    except RuntimeError:  # it holds itself, or somebody changes it right now
        return _deep(value)


def _copied(value: Any) -> Any:
    kind = type(value)
    if kind is dict:
        return {key: item if type(item) in PLAIN else _copied(item) for key, item in value.items()}
    if kind is list or kind is tuple:
        return kind([item if type(item) in PLAIN else _copied(item) for item in value])
    return VIEWS[Activation](value) if kind is Activation else _deep(value)


def _deep(value: Any) -> Any:
    try:
        return deepcopy(value)
    except Exception:  # noqa: BLE001 - objects of users refuse in many ways
        return value


class _Views(dict[type, "Callable[[Any], Any]"]):
    """The class of views for each class of facts, made when the first of them is shown."""

    def __missing__(self, kind: type) -> Callable[[Any], Any]:
        made = self[kind] = _view_class(kind)
        return made


def _view_class(kind: Any) -> Callable[[Any], Any]:
    def __init__(self: Any, seen: Any) -> None:  # noqa: N807 - it becomes the class's own
        self._seen = seen
        self._copies = None

    def __eq__(self: Any, other: object) -> bool:  # noqa: N807 - as above
        return self._seen is getattr(other, "_seen", other)

    def __hash__(self: Any) -> int:  # noqa: N807 - as above
        return hash(self._seen)

    def __reduce__(self: Any) -> tuple[Any, ...]:  # noqa: N807 - as above
        return kind, tuple(getattr(self._seen, one.name) for one in fields(kind))

    content: dict[str, Any] = {
        "__doc__": kind.__doc__,
        "__module__": __name__,
        "__qualname__": kind.__qualname__,
        "__slots__": ("_copies", "_seen"),
        "__init__": __init__,
        "__eq__": __eq__,
        "__hash__": __hash__,
        "__reduce__": __reduce__,
    }
    if hasattr(kind, "tag"):
        content["tag"] = kind.tag
    for one in fields(kind):
        content[one.name] = property(_reader(one.name, getattr(one.type, "__name__", str(one.type))))
    return type(kind)(kind.__name__, (kind,), content)  # type: ignore[no-any-return]  # a class of views


def _reader(name: str, annotation: str) -> Callable[[Any], Any]:
    """Return what reads a field of the fact that is viewed."""
    if annotation in FIXED:
        return attrgetter(f"_seen.{name}")

    def view_of(self: Any) -> Any:
        work = getattr(self._seen, name)
        return None if work is None else VIEWS[Activation](work)

    def copy_of(self: Any) -> Any:
        copies = self._copies
        if copies is None:
            copies = self._copies = {}
        elif name in copies:
            return copies[name]
        value = copies[name] = copied(getattr(self._seen, name))
        return value

    return view_of if annotation in {"Activation", "Activation | None"} else copy_of


VIEWS = _Views()


def view(fact: Fact) -> Fact:
    """Return what a monitor is shown of `fact`."""
    return VIEWS[type(fact)](fact)  # type: ignore[no-any-return]  # a subclass of the fact's own class
