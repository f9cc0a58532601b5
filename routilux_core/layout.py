"""Layout: how the objects of one of our attrs classes stand in a document, field by field."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from attrs import NOTHING, field, fields, frozen, resolve_types

from routilux_core.document_part import (
    COUNT,
    DICT,
    FLAG,
    LINEAGE,
    MOMENT,
    NUMBER,
    TEXT,
    VALUE,
    Part,
    optional,
    several,
)
from routilux_core.schema import check_keys

if TYPE_CHECKING:
    from collections.abc import Mapping

    from routilux_core.activation_document import Reader, Writer

BY_TYPE: dict[Any, Part] = {
    int: COUNT,
    float: NUMBER,
    str: TEXT,
    bool: FLAG,
    str | None: optional(TEXT),
    float | None: optional(NUMBER),
    tuple[str, ...]: several(TEXT),
    dict[str, Any]: DICT,
    Any: VALUE,
}
"""What the annotation of a field says about it."""
BY_NAME: dict[str, Part] = {
    "at": MOMENT,
    "created": MOMENT,
    "created_at": MOMENT,
    "due": optional(MOMENT),
    "time": MOMENT,
    "lineage": LINEAGE,
    "reason": VALUE,
}
"""What the name of a field says about it, where the annotation does not say enough."""

NONE: Mapping[str, Part] = MappingProxyType({})


@frozen(eq=False, repr=False)
class Layout:
    """Writes the fields of a class, but those that have their default, and reads them back."""

    kind: type
    parts: tuple[tuple[str, Part, Any], ...]
    """Name, part and default of each field."""
    required: tuple[str, ...] = field(init=False)
    optional: tuple[str, ...] = field(init=False)

    @required.default
    def _required(self) -> tuple[str, ...]:
        return tuple(name for name, _, default in self.parts if default is NOTHING)

    @optional.default
    def _optional(self) -> tuple[str, ...]:
        return tuple(name for name, _, default in self.parts if default is not NOTHING)

    def write(self, value: Any, writer: Writer, path: str) -> dict[str, Any]:
        """Return the fields of `value` as an object."""
        plain = {}
        for name, part, default in self.parts:
            given = getattr(value, name)
            if given is not default and (type(given) is not type(default) or given != default):
                plain[name] = part.write(given, writer, f"{path}.{name}")
        return plain

    def read(self, plain: Any, reader: Reader, path: str, *others: str) -> dict[str, Any]:
        """Return the fields that an object gives; `others` are keys that the caller sees to."""
        check_keys(plain, path, self.required, (*self.optional, *others))
        return {
            name: part.read(plain[name], reader, f"{path}.{name}") if name in plain else default
            for name, part, default in self.parts
        }

    def part(self) -> Part:
        """Return the part for whole objects of the class."""
        return Part(self.write, lambda plain, reader, path: self.kind(**self.read(plain, reader, path)))


def layout(
    kind: type,
    parts: Mapping[str, Part] = NONE,
    *,
    by_type: Mapping[Any, Part] = BY_TYPE,
    without: tuple[str, ...] = (),
) -> Layout:
    """Return the layout of an attrs class; `parts` are for fields whose name and annotation do not tell."""
    named = {**BY_NAME, **parts}
    return Layout(
        kind,
        tuple(
            (each.name, named.get(each.name) or by_type[each.type], each.default)
            for each in fields(resolve_types(kind))
            if each.name not in without
        ),
    )
