"""Values that people give, made into what an annotation says: settings, options, configuration."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from enum import Enum
from functools import lru_cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from attrs import NOTHING, Converter, fields, has

from routilux_core.annotation import bare
from routilux_core.errors import InvalidOption, UnknownOption, choices
from routilux_core.scalar import SCALARS, Text, instance, json_value, read
from routilux_core.wording import wording

LISTS: dict[Any, Callable[[Iterable[Any]], Any]] = {
    list: list,
    tuple: tuple,
    Sequence: tuple,
    Collection: tuple,
    Iterable: tuple,
    set: set,
    frozenset: frozenset,
    AbstractSet: frozenset,
}


def typed(value: Any, kind: Any, where: str) -> Any:
    """Return `value` as `kind`, or raise `InvalidOption`, which names `where`, the value and what is wanted.

    Nothing is guessed: text is no number unless it is `Text`, and a boolean is never one. A table becomes an
    attrs class or a dataclass; unknown fields are refused with the nearest name. A list becomes the container
    that is wanted. Text becomes a path, a date, a decimal, or a member of an enum, by its value or its name.

    >>> typed([1, 2], tuple[int, ...], "sizes")
    (1, 2)
    >>> typed("5", int, "size")
    Traceback (most recent call last):
        ...
    routilux_core.errors.InvalidOption: size cannot be '5'; it takes a whole number
    """
    kind = bare(kind)
    shape = _shape(kind)
    if shape in SCALARS:
        return SCALARS[shape](value, where)
    return _way(shape)(value, kind, where)


def _way(shape: Any) -> Callable[[Any, Any, str], Any]:
    """Return the function that makes values of that shape."""
    found = WAYS.get(shape)
    if found is None and isinstance(shape, type):
        for way, fits in (
            (_member, issubclass(shape, Enum)),
            (_record, has(shape) or hasattr(shape, "__dataclass_fields__")),
            (_table, issubclass(shape, Mapping)),
        ):
            if fits:
                return way
        return lambda value, _kind, where: instance(value, shape, where)
    return found or (_any if isinstance(shape, TypeVar) else _never)


def _any(value: Any, _kind: Any, _where: str) -> Any:
    return value


def _never(value: Any, kind: Any, where: str) -> Any:
    raise InvalidOption(where, value, wording(kind))


def _shape(kind: Any) -> Any:
    origin: Any = get_origin(kind)
    return kind if origin is None else origin


def _union(value: Any, kind: Any, where: str) -> Any:
    members = list(get_args(kind))
    if isinstance(value, Text):  # whatever it could be comes before text, which it always is
        order = {NoneType: 0, bool: 1, int: 2, float: 3, str: 5}
        members.sort(key=lambda one: order.get(one, 4))
    else:  # what it is comes before what it could become
        members.sort(key=lambda one: _shape(one) is not type(value))
    inner = []
    for one in members:
        try:
            return typed(value, one, where)
        except InvalidOption as error:
            if error.option != where or error.value is not value:
                inner.append(error)
    if len(inner) == 1:  # it was meant as this one, and is wrong further in, or not to be shown
        raise inner[0]
    raise InvalidOption(where, value, wording(kind))


def _literal(value: Any, kind: Any, where: str) -> Any:
    for one in get_args(kind):
        if one == (value if type(value) is type(one) else _as_text(value, one)):
            return one
    raise InvalidOption(where, value, wording(kind))


def _member(value: Any, kind: type[Enum], where: str) -> Any:
    if isinstance(value, kind):
        return value
    for one in kind:
        if one.value == (value if type(value) is type(one.value) else _as_text(value, one.value)):
            return one
    if isinstance(value, str) and value in kind.__members__:
        return kind[value]
    found = value if type(value) is bool else read(kind._missing_, value)  # flags put together, and the like
    if isinstance(found, kind):
        return found
    raise InvalidOption(where, value, wording(kind))


def _as_text(value: Any, wanted: Any) -> Any:
    """Return `wanted` where `value` is the text for it."""
    return wanted if isinstance(value, Text) and value == str(wanted) else NOTHING


def _list(value: Any, kind: Any, where: str) -> Any:
    made = LISTS[_shape(kind)]
    items = json_value(value, "[") if isinstance(value, Text) else value
    if isinstance(items, Text):
        items = [Text(one.strip()) for one in items.split(",") if one.strip()]
    fits = (list, tuple, set, frozenset) if made in {set, frozenset} else (list, tuple)
    arguments = get_args(kind) or (Any, ...)
    if not isinstance(items, fits):
        raise InvalidOption(where, value, wording(kind))
    each = _shape(kind) is not tuple or arguments[-1] is ...
    kinds = (arguments[0],) * len(items) if each else arguments
    if len(items) != len(kinds):
        raise InvalidOption(where, value, wording(kind))
    return made(
        typed(item, one, f"{where}[{number}]")
        for number, (item, one) in enumerate(zip(items, kinds, strict=True))
    )


def _table(value: Any, kind: Any, where: str) -> dict[Any, Any]:
    table = json_value(value, "{") if isinstance(value, Text) else value
    if not isinstance(table, Mapping):
        raise InvalidOption(where, value, wording(kind))
    key_kind, item_kind = get_args(kind) or (Any, Any)
    return {
        typed(Text(key) if type(key) is str else key, key_kind, where): typed(
            item, item_kind, f"{where}.{key}"
        )
        for key, item in table.items()
    }


@lru_cache(maxsize=256)
def fields_of(shape: type) -> dict[str, tuple[Any, bool]]:
    """Return the arguments that make an attrs class or a dataclass: the type, and whether it must be given.

    What has a converter may be anything.
    """
    try:
        hints = get_type_hints(shape)
    except NameError as error:
        wanted = "annotations that its module can resolve"
        raise InvalidOption(shape.__qualname__, str(error), wanted) from error
    if has(shape):
        return {
            one.alias or one.name: (
                Any if one.converter else hints.get(one.name, Any),
                one.default is NOTHING,
            )
            for one in fields(shape)
            if one.init
        }
    import dataclasses  # noqa: PLC0415 - who has a dataclass has imported it

    missing = dataclasses.MISSING
    return {
        one.name: (hints[one.name], one.default is missing and one.default_factory is missing)
        for one in dataclasses.fields(shape)
        if one.init
    }


def _record(value: Any, shape: type, where: str) -> Any:
    table = json_value(value, "{") if isinstance(value, Text) else value
    if isinstance(table, shape):
        return table
    if not isinstance(table, Mapping):
        raise InvalidOption(where, value, wording(shape))
    known, owner, inner = fields_of(shape), where or shape.__name__, f"{where}." if where else ""
    for name in table:
        if name not in known:
            names = tuple(known)
            raise UnknownOption(f"{inner}{name}", table[name], f"one of {choices(names)}", owner, names)
    missing = tuple(name for name, (_, required) in known.items() if required and name not in table)
    if missing:
        raise InvalidOption(owner, tuple(table), f"a table with {choices(missing)}")
    values = {name: typed(item, known[name][0], f"{inner}{name}") for name, item in table.items()}
    try:
        return shape(**values)
    except InvalidOption as error:  # of a validator, which knows the field alone
        raise InvalidOption(f"{inner}{error.option}", error.value, error.wanted) from error
    except (TypeError, ValueError) as error:
        _convert(shape, values, inner)
        reason = error.args[0] if error.args else type(error).__name__
        raise InvalidOption(owner, tuple(table), f"what {shape.__name__} accepts: {reason}") from error


def _convert(shape: type, values: Mapping[str, Any], inner: str) -> None:
    """Raise the error of the field whose converter takes no such value, if that is what is wrong."""
    for one in fields(shape) if has(shape) else ():
        name = one.alias or one.name
        if name in values and one.converter and not isinstance(one.converter, Converter):
            try:
                one.converter(values[name])
            except (TypeError, ValueError) as error:
                wanted = f"what its converter takes: {error}"
                raise InvalidOption(f"{inner}{name}", values[name], wanted) from error


WAYS: dict[Any, Callable[[Any, Any, str], Any]] = {
    Any: _any,
    object: _any,
    Union: _union,
    UnionType: _union,
    Literal: _literal,
    **dict.fromkeys(LISTS, _list),
}
