"""Plain data to annotated types: a cattrs converter that takes no value for what it is not."""

from __future__ import annotations

from binascii import a2b_base64
from collections.abc import Mapping
from enum import Enum
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin

from attrs import has

from routilux_core.document_errors import InvalidDocument, shorten_line
from routilux_core.errors import InvalidOption, choices, hint, shown
from routilux_core.typed import fields_of, typed
from routilux_core.wording import wording

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cattrs import Converter
    from cattrs.dispatch import StructureHook

    Predicate = Callable[[Any], bool]

FOREIGN = "it has no field"


def make_structurer() -> Converter:
    """Return a converter that is strict: no text becomes a number, and no field is dropped.

    It walks through containers and records, so that hooks of plugins are used wherever their classes stand.
    Single values are made by `typed`, as those of settings and configurations are.
    """
    from pathlib import Path  # noqa: PLC0415 - neither is needed to start a job

    from cattrs import Converter  # noqa: PLC0415

    converter = Converter(
        forbid_extra_keys=True, use_alias=True, structure_fallback_factory=lambda _kind: _single
    )
    for kind in (int, str, bool, float, Path):
        converter.register_structure_hook(kind, _single)
    converter.register_structure_hook(bytes, _bytes)
    converter.register_structure_hook_func(_is_single, _single)
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

        faults = transform_error(error, path, format_exception=_reason)
        # A field that is not known may be the misspelt one that is missing.
        worst = min(faults, key=lambda fault: not fault.startswith(FOREIGN))
        reason, _, place = worst.rpartition(" @ ")
        raise InvalidDocument(place, reason) from error


def _reason(error: BaseException, _kind: type | None) -> str:
    if isinstance(error, InvalidOption):
        inner = f"{error.option}: " if error.option else ""
        return f"{inner}{shown(error.value)} is not {error.wanted}"
    if isinstance(error, KeyError):
        return f"it needs {error.args[0]!r}"
    unknown = getattr(error, "extra_fields", None)
    if unknown:
        names = tuple(_names(error.cl))  # type: ignore[attr-defined]
        name = shorten_line(str(min(unknown, key=str)))
        return f"{FOREIGN} {name!r}; it has: {choices(names)}{hint(name, names)}"
    return shorten_line(str(error) or type(error).__name__)


def _names(kind: Any) -> Iterable[str]:
    return kind._fields if _is_named_tuple(kind) else fields_of(kind)


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


def _is_single(kind: Any) -> bool:
    return get_origin(kind) is Literal or (isinstance(kind, type) and issubclass(kind, Enum))


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


def _single(value: Any, kind: Any) -> Any:
    return typed(value, kind, "")


def _bytes(value: Any, kind: Any) -> Any:
    if type(value) is not str:
        return _single(value, kind)
    try:
        return a2b_base64(value, strict_mode=True)
    except ValueError as error:
        raise InvalidOption("", value, "bytes, or base64") from error


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


def _mismatch(value: Any, kind: Any) -> InvalidOption:
    return InvalidOption("", value, wording(kind))
