"""Plain data to annotated types: a cattrs converter that takes no value for what it is not."""

from __future__ import annotations

from binascii import a2b_base64
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from enum import Enum
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin

from attrs import has

from routilux_core.codec import name_of
from routilux_core.document_errors import InvalidDocument, shorten, shorten_line
from routilux_core.errors import choices, hint

if TYPE_CHECKING:
    from collections.abc import Callable

    from cattrs import Converter
    from cattrs.dispatch import StructureHook

    Predicate = Callable[[Any], bool]


def make_structurer() -> Converter:
    """Return a converter that is strict: no text becomes a number, and no field is dropped."""
    from decimal import Decimal  # noqa: PLC0415 - as cattrs: no job needs it to start
    from pathlib import Path  # noqa: PLC0415
    from uuid import UUID  # noqa: PLC0415

    from cattrs import Converter  # noqa: PLC0415

    converter = Converter(forbid_extra_keys=True, structure_fallback_factory=_instance)
    hooks: dict[Any, StructureHook] = {
        int: _exactly,
        str: _exactly,
        bool: _exactly,
        float: _number,
        timedelta: _duration,
        bytes: _from_text(lambda text: a2b_base64(text, strict_mode=True)),
        **{kind: _from_text(kind.fromisoformat) for kind in (datetime, date, time)},
        **{kind: _from_text(kind) for kind in (UUID, Path)},
        Decimal: _from_text(Decimal, int),
    }
    for kind, hook in hooks.items():
        converter.register_structure_hook(kind, hook)
    converter.register_structure_hook_func(_is_enum, _member)
    _narrow(converter, _is_collection, _collection)
    _narrow(converter, _is_record, _record)
    converter.register_structure_hook_factory(_is_named_tuple, lambda kind: _named_tuple(converter, kind))
    converter.register_structure_hook_factory(_is_union, lambda kind: _union(converter, kind))
    return converter


def structure(converter: Converter, value: Any, kind: Any, path: str) -> Any:
    """Return the value as that type; `InvalidDocument` says what is wrong, and where."""
    try:
        return converter.structure(value, kind)
    except Exception as error:
        from cattrs.v import transform_error  # noqa: PLC0415 - as cattrs

        first, *_ = transform_error(error, path, format_exception=_reason)
        reason, _, place = first.rpartition(" @ ")
        raise InvalidDocument(place, reason) from error


def _reason(error: BaseException, _kind: type | None) -> str:
    if isinstance(error, KeyError):
        return f"it needs {error.args[0]!r}"
    unknown = getattr(error, "extra_fields", None)
    if unknown:
        names = tuple(_names(error.cl))  # type: ignore[attr-defined]
        name = shorten_line(str(min(unknown, key=str)))
        return f"it has no field {name!r}; it has: {choices(names)}{hint(name, names)}"
    return shorten_line(str(error) or type(error).__name__)


def _names(kind: Any) -> list[str]:
    return [each.name for each in getattr(kind, "__attrs_attrs__", ())] or [*kind.__annotations__]


def _narrow(converter: Converter, fits: Predicate, strict: Callable[[StructureHook], StructureHook]) -> None:
    """Put a check before what cattrs itself does with such types."""
    busy: set[int] = set()

    def is_new(kind: Any) -> bool:
        return id(kind) not in busy and fits(kind)

    def factory(kind: Any) -> StructureHook:
        busy.add(id(kind))
        try:
            return strict(converter.get_structure_hook(kind, cache_result=False))
        finally:
            busy.discard(id(kind))

    converter.register_structure_hook_factory(is_new, factory)


def _is_enum(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Enum)


def _is_record(kind: Any) -> bool:
    kind = get_origin(kind) or kind
    return isinstance(kind, type) and (has(kind) or hasattr(kind, "__dataclass_fields__"))


def _is_named_tuple(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, tuple) and hasattr(kind, "_fields")


def _is_collection(kind: Any) -> bool:
    kind = get_origin(kind) or kind
    return isinstance(kind, type) and issubclass(kind, (list, tuple, set, frozenset))


def _is_union(kind: Any) -> bool:
    return get_origin(kind) in {Union, UnionType}


def _record(inner: StructureHook) -> StructureHook:
    def hook(value: Any, kind: Any) -> Any:
        if isinstance(value, get_origin(kind) or kind):
            return value
        if isinstance(value, Mapping):
            return inner(value, kind)
        raise _mismatch(value, kind)

    return hook


def _named_tuple(converter: Converter, kind: Any) -> StructureHook:
    from cattrs.cols import namedtuple_dict_structure_factory  # noqa: PLC0415 - as cattrs

    by_name = _record(namedtuple_dict_structure_factory(kind, converter, "from_converter", True))

    def hook(value: Any, kind: Any) -> Any:
        if type(value) in {list, tuple} and len(value) == len(kind._fields):
            value = dict(zip(kind._fields, value, strict=True))
        return by_name(value, kind)

    return hook


def _collection(inner: StructureHook) -> StructureHook:
    def hook(value: Any, kind: Any) -> Any:
        # Text and dicts can be walked through as well, and would come out as lists of letters and keys.
        if isinstance(value, (list, tuple, set, frozenset)):
            return inner(value, kind)
        raise _mismatch(value, kind)

    return hook


def _exactly(value: Any, kind: Any) -> Any:
    if type(value) is kind:
        return value
    return _member(value, kind) if _is_enum(kind) else _instance(kind)(value, kind)


def _number(value: Any, kind: Any) -> Any:
    return float(value) if type(value) is int else _exactly(value, kind)


def _from_text(make: Callable[[Any], Any], *others: type) -> StructureHook:
    """Return the hook of a class whose objects are text in plain data, or of one of the other types."""

    def hook(value: Any, kind: Any) -> Any:
        if type(value) is not str and type(value) not in others:
            return _instance(kind)(value, kind)
        try:
            return make(value)
        except Exception as error:
            raise _mismatch(value, kind) from error

    return hook


def _duration(value: Any, kind: Any) -> Any:
    """Take seconds, as everywhere."""
    return timedelta(seconds=value) if type(value) in {int, float} else _instance(kind)(value, kind)


def _member(value: Any, kind: Any) -> Any:
    if isinstance(value, kind):
        return value
    try:
        return kind(value)
    except ValueError:
        values = ", ".join(shorten(each.value) for each in list(kind)[:20])
        raise TypeError(f"{shorten(value)} is no {name_of(kind)}, which is one of {values}") from None


def _instance(kind: Any) -> StructureHook:
    """Return the hook of a class that nothing can be made into: its objects pass."""
    shape = get_origin(kind) or kind

    def hook(value: Any, _kind: Any) -> Any:
        if (
            isinstance(shape, type)
            and isinstance(value, shape)
            and (type(value) is not bool or shape is not int)
        ):
            return value
        raise _mismatch(value, kind)

    return hook


def _union(converter: Converter, kind: Any) -> StructureHook:
    members = get_args(kind)

    def hook(value: Any, _kind: Any) -> Any:
        if value is None and NoneType in members:
            return None
        # What it is already comes before what could be made of it.
        exact = [each for each in members if (get_origin(each) or each) is type(value)]
        faults = []
        for each in (*exact, *(other for other in members if other not in exact and other is not NoneType)):
            try:
                return converter.structure(value, each)
            except Exception as error:  # noqa: BLE001 - the next member may take it
                faults.append(error)
        if len(faults) == 1:
            raise faults[0]
        raise _mismatch(value, kind)

    return hook


def _mismatch(value: Any, kind: Any) -> TypeError:
    return TypeError(f"{shorten(value)} is no {name_of(kind) if isinstance(kind, type) else kind}")
