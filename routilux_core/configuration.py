"""The configuration of a routine, checked where its class declares it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import NOTHING, fields, has

from routilux_core.errors import InvalidOption
from routilux_core.typed import typed

if TYPE_CHECKING:
    from collections.abc import Mapping


def checked_declaration(owner: type, declared: object) -> None:
    """Raise `InvalidOption` if the `Config` of a class is no attrs class."""
    if declared is not None and not (isinstance(declared, type) and has(declared)):
        wanted = "an attrs class, as attrs.frozen makes it"
        raise InvalidOption(f"Config of {owner.__qualname__}", declared, wanted)


def defaults(declared: type | None) -> dict[str, Any]:
    """Return what holds where nothing is given; nothing if something has to be."""
    if declared is None or any(one.default is NOTHING for one in fields(declared) if one.init):
        return {}
    return _content(declared())


def configured(owner: type, declared: type | None, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values as their declaration wants them, those that are not given by their defaults."""
    if declared is None:
        return dict(values)
    return _content(typed(values, declared, f"{owner.__name__}.Config"))


def _content(made: Any) -> dict[str, Any]:
    return {one.alias or one.name: getattr(made, one.name) for one in fields(type(made)) if one.init}
