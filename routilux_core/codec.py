"""How the objects of one class become plain data, and come back."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, EnumMeta, Flag
from inspect import Parameter, signature
from operator import attrgetter
from typing import Any

from attrs import NOTHING, fields, frozen

from routilux_core.errors import _hint, choices


@frozen
class Codec:
    """A class, the tag under which its objects are written, and the two directions."""

    kind: type
    tag: str
    encode: Callable[[Any], Any]
    """From an object to a payload value, which is then encoded itself."""
    decode: Callable[[Any], Any]
    fielded: bool = False
    """Whether `encode` gives a dict of the object's attributes."""


def name_of(kind: type) -> str:
    """Say a class: `socket.socket`, but `dict`."""
    if kind.__module__ == "builtins":
        return kind.__qualname__
    return f"{kind.__module__}.{kind.__qualname__}"


def is_fielded(kind: type) -> bool:
    """Whether objects of the class are known by their fields: attrs class, dataclass, Enum or NamedTuple."""
    own = vars(kind)
    return (
        isinstance(kind, EnumMeta)
        or "__attrs_attrs__" in own
        or "__dataclass_fields__" in own
        or (issubclass(kind, tuple) and hasattr(kind, "_fields"))
    )


def codec_by_fields(kind: type, tag: str) -> Codec:
    """Return the codec that a class's own fields give; a TypeError says why there is none."""
    if isinstance(kind, EnumMeta):
        return _of_flag(kind, tag) if issubclass(kind, Flag) else _of_enum(kind, tag)
    if issubclass(kind, tuple):
        return _of_fields(kind, tag, dict.fromkeys(kind._fields), {}, kind._field_defaults)  # type: ignore[attr-defined]
    if "__attrs_attrs__" in vars(kind):
        every = fields(kind)
        given = {field.name: field.alias for field in every if field.init}
        later = [field.name for field in every if not field.init]
        optional = [field.name for field in every if field.init and field.default is not NOTHING]
    else:
        given, later, optional = _dataclass_fields(kind)
    _check_constructor(kind, given)
    return _of_fields(kind, tag, given, later, optional)


def _of_enum(kind: EnumMeta, tag: str) -> Codec:
    members: dict[str, Any] = dict(kind.__members__)

    def encode(member: Enum) -> str:
        return member.name

    def decode(name: Any) -> Any:
        if type(name) is str and name in members:
            return members[name]
        raise LookupError(f"it has no member {name!r}; it has: {choices(tuple(members))}")

    return Codec(kind, tag, encode, decode)


def _of_flag(kind: EnumMeta, tag: str) -> Codec:
    def decode(value: Any) -> Any:
        if type(value) is not int:
            raise TypeError("a flag is a whole number")
        return kind(value)

    return Codec(kind, tag, attrgetter("value"), decode)


def _of_fields(kind: type, tag: str, given: Any, later: Any, optional: Any) -> Codec:
    """Join the two directions; `given` maps fields to the constructor's names, `later` are set after it."""
    names = (*given, *later)
    required = {*names} - {*optional}

    def encode(value: Any) -> dict[str, Any]:
        return {name: getattr(value, name) for name in names}

    def decode(plain: Any) -> Any:
        if type(plain) is not dict:
            raise TypeError("its fields are wanted, as an object")
        for name in plain:
            if name not in names:
                raise LookupError(f"it has no field {name!r}; it has: {choices(names)}{_hint(name, names)}")
        missing = required - plain.keys()
        if missing:
            raise LookupError(f"it needs {', '.join(sorted(missing))}")
        if issubclass(kind, tuple):
            return kind(**plain)
        made = kind(**{alias: plain[name] for name, alias in given.items() if name in plain})
        for name in later:
            object.__setattr__(made, name, plain[name])
        return made

    return Codec(kind, tag, encode, decode, fielded=True)


def _dataclass_fields(kind: type) -> tuple[dict[str, str], list[str], list[str]]:
    from dataclasses import MISSING  # noqa: PLC0415 - only for those who have dataclasses
    from dataclasses import fields as fields_of

    every = fields_of(kind)  # type: ignore[arg-type]
    return (
        {field.name: field.name for field in every if field.init},
        [field.name for field in every if not field.init],
        [
            field.name
            for field in every
            if field.init and not (field.default is MISSING and field.default_factory is MISSING)
        ],
    )


def _check_constructor(kind: type, given: dict[str, str]) -> None:
    """What is saved must load: the constructor takes the fields, and needs nothing else."""
    try:
        parameters = signature(kind).parameters.values()
    except (TypeError, ValueError) as error:
        raise TypeError("its constructor cannot be read") from error
    free = any(parameter.kind is Parameter.VAR_KEYWORD for parameter in parameters)
    named = {
        parameter.name: parameter
        for parameter in parameters
        if parameter.kind in {Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY}
    }
    foreign = [
        name for name, each in named.items() if each.default is Parameter.empty and name not in given.values()
    ]
    if foreign:
        raise TypeError(f"its constructor needs {', '.join(map(repr, foreign))}, which is no field")
    refused = [name for name in given.values() if name not in named and not free]
    if refused:
        raise TypeError(f"its constructor does not take its field {refused[0]!r}")
