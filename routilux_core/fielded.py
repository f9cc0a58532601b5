"""Codecs that nobody has to write: of attrs classes, dataclasses, NamedTuples and Enums."""

from __future__ import annotations

from enum import EnumMeta, Flag
from inspect import Parameter, signature
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from attrs import NOTHING, fields

from routilux_core.codec import Codec
from routilux_core.document_errors import shorten_line
from routilux_core.errors import choices, hint

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def codec_by_fields(kind: Any, tag: str) -> Codec:
    """Return the codec of a class by its fields; a TypeError says why it cannot have one."""
    if isinstance(kind, EnumMeta):
        return _of_flag(kind, tag) if issubclass(kind, Flag) else _of_enum(kind, tag)
    if issubclass(kind, tuple):
        names = dict.fromkeys(kind._fields)
        form = _Form(kind, {name: name for name in names}, (), {*names} - {*kind._field_defaults})
    elif "__attrs_attrs__" in vars(kind):
        form = _attrs_form(kind)
    else:
        form = _dataclass_form(kind)
    form.check_constructor()
    return Codec(kind, tag, form.take_apart, form.put_together, fielded=True)


class _Form:
    """The fields of a class."""

    def __init__(
        self, kind: Any, given: Mapping[str, str], later: Iterable[str], required: Iterable[str]
    ) -> None:
        self.kind = kind
        self.given = given
        """Fields that the constructor takes, and what it calls them."""
        self.later = tuple(later)
        """Fields that it does not take; they are set on the object that it made."""
        self.names = (*given, *self.later)
        self.required = frozenset(required)

    def take_apart(self, value: Any) -> dict[str, Any]:
        return {name: getattr(value, name) for name in self.names}

    def put_together(self, plain: Any) -> Any:
        if type(plain) is not dict:
            raise TypeError("an object with its fields is wanted")
        names = self.names
        for name in plain:
            if name not in names:
                name = shorten_line(name)  # noqa: PLW2901 - a hint for megabytes would take long
                raise LookupError(f"it has no field {name!r}; it has: {choices(names)}{hint(name, names)}")
        missing = self.required - plain.keys()
        if missing:
            raise LookupError(f"it needs {choices(tuple(sorted(missing)))}")
        made = self.kind(**{alias: plain[name] for name, alias in self.given.items() if name in plain})
        for name in self.later:
            if name in plain:
                object.__setattr__(made, name, plain[name])  # a frozen class lets nobody else
        return made

    def check_constructor(self) -> None:
        """What is saved has to load: the constructor takes the fields, and needs nothing else."""
        try:
            parameters = signature(self.kind).parameters.values()
        except (TypeError, ValueError) as error:
            raise TypeError("nothing says what its constructor takes") from error
        taken = {*self.given.values()}
        by_name = {Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY}
        for each in parameters:
            if each.kind in by_name and each.default is Parameter.empty and each.name not in taken:
                raise TypeError(f"its constructor needs {each.name!r}, which is none of its fields")
        if any(each.kind is Parameter.VAR_KEYWORD for each in parameters):
            return
        foreign = taken - {each.name for each in parameters if each.kind in by_name}
        if foreign:
            raise TypeError(f"its constructor does not take its field {min(foreign)!r}")


def _attrs_form(kind: Any) -> _Form:
    every = fields(kind)
    return _Form(
        kind,
        {field.name: field.alias for field in every if field.init},
        [field.name for field in every if not field.init],
        [field.name for field in every if field.init and field.default is NOTHING],
    )


def _dataclass_form(kind: Any) -> _Form:
    from dataclasses import MISSING  # noqa: PLC0415 - who has a dataclass has imported it
    from dataclasses import fields as fields_of  # noqa: PLC0415

    every = fields_of(kind)
    return _Form(
        kind,
        {field.name: field.name for field in every if field.init},
        [field.name for field in every if not field.init],
        [
            field.name
            for field in every
            if field.init and field.default is MISSING and field.default_factory is MISSING
        ],
    )


def _of_enum(kind: Any, tag: str) -> Codec:
    def encode(member: Any) -> str:
        name: str = member.name
        if kind.__members__.get(name) is not member:
            raise TypeError("it is none of the members that the class names")
        return name

    def decode(name: Any) -> Any:
        if type(name) is str and name in kind.__members__:
            return kind.__members__[name]
        names = tuple(kind.__members__)
        raise LookupError(f"it has no such member; it has: {choices(names)}{hint(str(name)[:80], names)}")

    return Codec(kind, tag, encode, decode)


def _of_flag(kind: Any, tag: str) -> Codec:
    def decode(value: Any) -> Any:
        if type(value) is not int:
            raise TypeError("a whole number is wanted")
        return kind(value)

    return Codec(kind, tag, attrgetter("value"), decode)
