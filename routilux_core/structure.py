"""Plain data to annotated types: a cattrs converter that takes no value for what it is not."""

from __future__ import annotations

from base64 import b64decode
from datetime import date, datetime, time, timedelta
from enum import Enum
from types import UnionType
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin

from attrs import has

from routilux_core.codec import name_of
from routilux_core.document_errors import InvalidDocument, shorten, shorten_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from cattrs import Converter
    from cattrs.dispatch import StructureHook


def make_structurer() -> Converter:
    """Return a converter that is strict: no text becomes a number, no unknown field is dropped."""
    from decimal import Decimal  # noqa: PLC0415 - as cattrs: not needed to start a job
    from pathlib import Path  # noqa: PLC0415
    from uuid import UUID  # noqa: PLC0415

    from cattrs import Converter  # noqa: PLC0415

    converter = Converter(forbid_extra_keys=True)
    for kind in (int, str, bool):
        converter.register_structure_hook(kind, _exactly)
    converter.register_structure_hook(float, _number)
    converter.register_structure_hook(bytes, _from_text(lambda text: b64decode(text.encode(), validate=True)))
    for kind in (datetime, date, time):
        converter.register_structure_hook(kind, _from_text(kind.fromisoformat))
    for made in (UUID, Path, Decimal):
        converter.register_structure_hook(made, _from_text(made))
    converter.register_structure_hook(timedelta, _duration)
    converter.register_structure_hook_func(
        lambda kind: isinstance(kind, type) and issubclass(kind, Enum), _member
    )
    converter.register_structure_hook_factory(_is_union, lambda kind: _union(converter, kind))
    return converter


def structure(converter: Converter, value: Any, kind: Any, path: str) -> Any:
    """Return the value as that type; `InvalidDocument` says what is wrong, and where."""
    from cattrs.v import transform_error  # noqa: PLC0415 - as cattrs

    try:
        return converter.structure(value, kind)
    except Exception as error:
        first, *_ = transform_error(error)
        reason, _, place = first.rpartition(" @ $")
        raise InvalidDocument(f"{path}{place}", shorten_line(reason)) from error


def _exactly(value: Any, kind: type) -> Any:
    if type(value) is kind:
        return value
    raise TypeError(f"{shorten(value)} is no {name_of(kind)}")


def _number(value: Any, _kind: type) -> float:
    if type(value) is int or type(value) is float:
        return float(value)
    raise TypeError(f"{shorten(value)} is no number")


def _from_text(make: Callable[[str], Any]) -> Callable[[Any, type], Any]:
    def hook(value: Any, kind: type) -> Any:
        if isinstance(value, kind):
            return value
        if type(value) is str:
            return make(value)
        raise TypeError(f"{shorten(value)} is no {name_of(kind)}")

    return hook


def _duration(value: Any, _kind: type) -> timedelta:
    return value if isinstance(value, timedelta) else timedelta(seconds=_number(value, float))


def _member(value: Any, kind: Any) -> Any:
    return value if isinstance(value, kind) else kind(value)


def _is_union(kind: Any) -> bool:
    return get_origin(kind) in {Union, UnionType}


def _union(converter: Converter, kind: Any) -> StructureHook:
    members = get_args(kind)

    def hook(value: Any, _kind: Any) -> Any:
        for member in members:
            if type(value) is (get_origin(member) or member):
                return converter.structure(value, member)
        if value is None and type(None) in members:
            return None
        for member in members:
            try:
                return converter.structure(value, member)
            except Exception:  # noqa: BLE001, S112, PERF203 - the next member may take it
                continue
        raise TypeError(f"{shorten(value)} is none of {kind}")

    return hook
