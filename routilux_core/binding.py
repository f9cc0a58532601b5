"""How a handler is called, read from its signature once."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from enum import Enum
from functools import partial
from typing import Any

from attrs import field, frozen

from routilux_core.errors import InvalidHandler, MissingField
from routilux_core.parameter import structured, typed_parameters

Handler = Callable[..., Any]


class Style(Enum):
    """What calling a handler gives."""

    PLAIN = "plain"
    COROUTINE = "coroutine"
    GENERATOR = "generator"
    ASYNC_GENERATOR = "async generator"


@frozen(kw_only=True, eq=False, repr=False)
class Binding:
    """What a handler takes, and what calling it gives."""

    handler: Handler
    style: Style
    fields: frozenset[str] | None
    """The fields that it names; None when it takes all."""
    required: tuple[str, ...]
    typed: Mapping[str, Any] = field(factory=dict)
    """What the annotations of its parameters say, where plain data has to be made into it."""

    def arguments(self, data: dict[str, Any], slot: str, source: str | None) -> dict[str, Any]:
        """Return what of `data` the handler takes, as it is annotated; `MissingField` when it needs more."""
        for name in self.required:
            if name not in data:
                origin = f"event {source!r}" if source is not None else "the call from outside"
                raise MissingField(slot, name, origin, tuple(data))
        if self.fields is not None:
            data = {name: value for name, value in data.items() if name in self.fields}
        if self.typed:
            given = ((name, kind) for name, kind in self.typed.items() if name in data)
            data = data | {name: structured(data[name], kind, slot, name) for name, kind in given}
        return data


def _style(handler: Handler) -> Style:
    function = handler
    while isinstance(function, partial):
        function = function.func
    if not inspect.isroutine(function):
        function = getattr(function, "__call__", function)  # noqa: B004 - the method itself is looked at
    if inspect.iscoroutinefunction(function):
        return Style.COROUTINE
    if inspect.isasyncgenfunction(function):
        return Style.ASYNC_GENERATOR
    if inspect.isgeneratorfunction(function):
        return Style.GENERATOR
    return Style.PLAIN


def bind(handler: Handler, slot: str) -> Binding:
    """Read the signature of `handler`, the handler of `slot`."""
    if not callable(handler):
        raise InvalidHandler(slot, f"{handler!r} is not callable")
    try:
        parameters = inspect.signature(handler).parameters.values()
    except (TypeError, ValueError):
        return Binding(handler=handler, style=_style(handler), fields=None, required=())
    fields, required, takes_all = [], [], False
    for parameter in parameters:
        if parameter.kind is parameter.VAR_KEYWORD:
            takes_all = True
        elif parameter.kind is parameter.POSITIONAL_ONLY:
            if parameter.default is parameter.empty:
                reason = f"its parameter {parameter.name!r} is positional-only, and fields come by name"
                raise InvalidHandler(slot, reason)
        elif parameter.kind is not parameter.VAR_POSITIONAL:
            fields.append(parameter.name)
            if parameter.default is parameter.empty:
                required.append(parameter.name)
    return Binding(
        handler=handler,
        style=_style(handler),
        fields=None if takes_all else frozenset(fields),
        required=tuple(required),
        typed=typed_parameters(handler, parameters),
    )
