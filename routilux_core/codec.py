"""How the objects of one class become plain data, and come back."""

from __future__ import annotations

import sys
from collections.abc import Callable
from enum import EnumMeta
from types import ModuleType
from typing import Any

from attrs import frozen


@frozen(eq=False, repr=False)
class Codec:
    """A class, the tag under which its objects are written, and the two directions."""

    kind: type
    tag: str
    encode: Callable[[Any], Any]
    """From an object to a payload value, which is then encoded itself."""
    decode: Callable[[Any], Any]
    """From that payload value to the object; whatever it raises refuses the document."""
    fielded: bool = False
    """Whether `encode` gives a dict of the object's fields."""


def name_of(kind: type) -> str:
    """Say a class: `socket.socket`, but `dict`."""
    if kind.__module__ == "builtins":
        return kind.__qualname__
    return f"{kind.__module__}.{kind.__qualname__}"


def is_present(kind: type) -> bool:
    """Tell whether the class still stands where it was defined; a module that was run again has another."""
    found: Any = sys.modules.get(kind.__module__)
    for name in kind.__qualname__.split("."):
        found = vars(found).get(name) if isinstance(found, (type, ModuleType)) else None
    return found is kind


def is_fielded(kind: type) -> bool:
    """Tell whether the class itself is an attrs class, a dataclass, an Enum or a NamedTuple.

    A class that only inherits from one may hold more than the fields, so it is none.
    """
    own = vars(kind)
    return (
        (isinstance(kind, EnumMeta) and bool(kind.__members__))
        or "__attrs_attrs__" in own
        or "__dataclass_fields__" in own
        or (issubclass(kind, tuple) and hasattr(kind, "_fields"))
    )
