"""The inputs and outputs of a routine: Slot and Event."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from math import inf
from typing import Any, TypeVar, overload

from attrs import field, fields, frozen

from routilux_core.binding import Handler
from routilux_core.error_handler import ErrorHandler
from routilux_core.errors import InvalidOption
from routilux_core.identity import checked_name
from routilux_core.merge import OVERRIDE, Merge, checked_merge
from routilux_core.policy import Policy, checked_policy, each

Function = TypeVar("Function", bound=Callable[..., Any])
MARK = "__routilux_slot__"


def _named(name: str) -> str:
    return checked_name("slot name", name)


def _above_zero(_slot: object, attribute: Any, value: object) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < inf:
        raise InvalidOption(attribute.name, value, "a number above 0, or None")


def _count(_slot: object, attribute: Any, value: object) -> None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise InvalidOption(attribute.name, value, "a whole number from 1 up, or None")


def _whole(_slot: object, attribute: Any, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidOption(attribute.name, value, "a whole number")


def _retry(_slot: object, attribute: Any, value: object) -> None:
    if value is not None and not isinstance(value, ErrorHandler):
        raise InvalidOption(attribute.name, value, "an ErrorHandler, or None")


@frozen
class Slot:
    """An input of a routine: a name, a handler and how it is called."""

    name: str = field(converter=_named)
    handler: Handler | None = None
    merge_strategy: Merge = field(default=OVERRIDE, converter=checked_merge, kw_only=True)
    when: Policy = field(default=each, converter=checked_policy, kw_only=True)
    concurrency: int | None = field(default=None, validator=_count, kw_only=True)
    """How many of its handlers may run at once in a job."""
    timeout: float | None = field(default=None, validator=_above_zero, kw_only=True)
    """Seconds that one attempt may take."""
    priority: int = field(default=0, validator=_whole, kw_only=True)
    """Higher ones start first."""
    retry: ErrorHandler | None = field(default=None, validator=_retry, kw_only=True)


def checked_options(options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return `options` if they are ones that a slot has; an unknown one lists them."""
    known = [option.name for option in fields(Slot) if option.kw_only]
    for name in options:
        if name not in known:
            raise InvalidOption("a slot's option", name, f"one of {', '.join(known)}")
    return options


class Event:
    """An output of a routine: a name and the fields that it carries.

    In a class body: `output = Event("value")`, or with types `output = Event(value=int)`.
    """

    __slots__ = ("fields", "name")

    def __init__(self, *names: str, **types: Any) -> None:
        self.name = ""
        self.fields: Mapping[str, Any] = {**dict.fromkeys(names), **types}
        for name in names:
            if not isinstance(name, str):
                raise InvalidOption("event field", name, "text")

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = checked_name("event name", name)

    def __repr__(self) -> str:
        return f"Event(name={self.name!r}, fields={tuple(self.fields)!r})"

    @property
    def output_params(self) -> list[str]:
        """The names of its fields."""
        return list(self.fields)


def make_event(name: str, output_params: Iterable[str] | Mapping[str, Any] | None) -> Event:
    """Return an event of that name; a mapping gives types to its fields."""
    if isinstance(output_params, str):
        raise InvalidOption("output_params", output_params, "a list of field names")
    event = Event(**output_params) if isinstance(output_params, Mapping) else Event(*(output_params or ()))
    event.name = checked_name("event name", name)
    return event


@overload
def slot(method: Function, /) -> Function: ...
@overload
def slot(*, name: str | None = None, **options: Any) -> Callable[[Function], Function]: ...
def slot(method: Any = None, /, *, name: str | None = None, **options: Any) -> Any:
    """Make a method the handler of a slot of its name, or of `name`; `options` are those of Slot.

    >>> from routilux_core import Routine
    >>> class Printer(Routine):
    ...     @slot
    ...     def line(self, text): print(text)
    >>> Printer().slots["line"].name
    'line'
    """

    def mark(function: Function) -> Function:
        marked = Slot(name or function.__name__, **checked_options(options))
        setattr(function, MARK, (marked.name, options))
        return function

    return mark if method is None else mark(method)
