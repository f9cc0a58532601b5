"""Typed parameters: which annotations want more than JSON has, and what arrives made into what they say."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterable, Mapping
from functools import partial
from types import UnionType
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Union, get_args, get_origin

from routilux_core.annotation import UNREADABLE, bare, classes_in, meaning
from routilux_core.current import current_manager
from routilux_core.definition_errors import InvalidField
from routilux_core.document_errors import InvalidDocument
from routilux_core.wording import wording

if TYPE_CHECKING:
    from inspect import Parameter

STRUCTURED = {
    *(
        "builtins.bytes",
        "builtins.frozenset",
        "builtins.set",
        "builtins.tuple",
        "collections.deque",
        "enum.Enum",
    ),
    *(
        "datetime.date",
        "datetime.time",
        "datetime.timedelta",
        "decimal.Decimal",
        "pathlib.PurePath",
        "uuid.UUID",
    ),
}
"""Classes of what JSON cannot express, by name since few programs need them all. A datetime is a date."""


def typed_parameters(handler: Any, parameters: Iterable[Parameter]) -> dict[str, Any]:
    """Return the annotations of those `parameters` of `handler` whose values have to be structured."""
    found: dict[str, Any] = {}
    for parameter in parameters:
        if parameter.annotation is not parameter.empty and parameter.kind in {
            parameter.POSITIONAL_OR_KEYWORD,
            parameter.KEYWORD_ONLY,
        }:
            hint = meaning(parameter.annotation, _space(handler))
            if hint is not UNREADABLE and any(map(_is_structured, classes_in(hint))):
                found[parameter.name] = hint
    return found


def _space(handler: Any) -> Mapping[str, Any]:
    """Return the names that the code of `handler` sees."""
    function = handler
    while isinstance(function, partial):
        function = function.func
    function = inspect.unwrap(function)
    if isinstance(function, type):
        function = vars(function).get("__init__")
    elif not inspect.isroutine(function):
        function = type(function).__call__
    return getattr(inspect.unwrap(function), "__globals__", {})


def _is_structured(kind: type) -> bool:
    return (
        hasattr(kind, "__attrs_attrs__")
        or hasattr(kind, "__dataclass_fields__")
        or any(
            f"{base.__module__.partition('.')[0]}.{base.__qualname__}" in STRUCTURED for base in kind.__mro__
        )
    )


def structured(value: Any, kind: Any, slot: str, field: str) -> Any:
    """Return `value` if it is what `kind` says, else make that of it, or raise `InvalidField`."""
    if fits(value, kind):
        return value
    try:
        return current_manager().converter.structure(value, kind, field)
    except InvalidDocument as error:
        place = "" if error.path == field else f"{error.path}: "
        raise InvalidField(slot, field, value, wording(kind), f"{place}{error.reason}") from error


def fits(value: Any, kind: Any) -> bool:
    """Tell whether `value`, with all that it holds, is what the annotation says."""
    kind = bare(kind)
    if kind is Any or isinstance(kind, TypeVar):
        return True
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        return any(type(value) is type(one) and value == one for one in arguments)
    if origin in {Union, UnionType}:
        return any(fits(value, one) for one in arguments)
    if kind is None:
        return value is None
    shape = origin or kind
    return isinstance(shape, type) and _is_instance(value, shape) and _holds(value, shape, arguments)


def _is_instance(value: Any, kind: type) -> bool:
    try:
        return isinstance(value, kind)
    except TypeError:  # a TypedDict, a Protocol: only whoever structures it can tell
        return False


def _holds(value: Any, shape: type, arguments: tuple[Any, ...]) -> bool:
    """Tell whether what a container holds is what the arguments of its annotation say."""
    if issubclass(shape, tuple) and arguments and arguments[-1] is not ...:
        return len(value) == len(arguments) and all(map(fits, value, arguments))
    if isinstance(value, Mapping) and len(arguments) == 2:  # noqa: PLR2004 - key and item
        key, item = arguments
        return all(fits(one, key) and fits(other, item) for one, other in value.items())
    if isinstance(value, Collection) and arguments and issubclass(shape, Iterable):
        return all(fits(item, arguments[0]) for item in value)
    return True
