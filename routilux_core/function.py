"""`@routine`: a plain function as a Routine class."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, overload

from routilux_core.binding import Handler, Style, bind
from routilux_core.merge import checked_payload
from routilux_core.routine import Routine
from routilux_core.slot import Event, Slot, checked_options

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

ENTRY = "trigger"
OUTPUT = "output"


class FunctionRoutine(Routine):
    """What `@routine` makes: slot `trigger` for the function's parameters, event `output` for its results."""

    function: Callable[..., Any]
    slot_options: dict[str, Any]

    output = Event()

    def __init__(self, **config: Any) -> None:
        super().__init__(**config)
        self.define_slot(ENTRY, _handler(self, type(self).function), **self.slot_options)

    def send(self, result: Any) -> None:
        """Emit what the function gave: a dict as it is, None not at all, anything else as `result`."""
        if result is None:
            return
        if isinstance(result, dict):
            self.emit(OUTPUT, **checked_payload(f"routine {type(self).__name__!r}", result))
        else:
            self.emit(OUTPUT, result=result)


def _handler(routine: FunctionRoutine, function: Callable[..., Any]) -> Handler:
    send = routine.send

    @wraps(function)
    def plain(**data: Any) -> None:
        send(function(**data))

    @wraps(function)
    async def coroutine(**data: Any) -> None:
        send(await function(**data))

    @wraps(function)
    def generator(**data: Any) -> Iterator[None]:
        for item in function(**data):
            send(item)
            yield

    @wraps(function)
    async def async_generator(**data: Any) -> AsyncIterator[None]:
        async for item in function(**data):
            send(item)
            yield

    handlers: dict[Style, Handler] = {
        Style.PLAIN: plain,
        Style.COROUTINE: coroutine,
        Style.GENERATOR: generator,
        Style.ASYNC_GENERATOR: async_generator,
    }
    return handlers[bind(function, f"{function.__name__}.{ENTRY}").style]


@overload
def routine(function: Callable[..., Any], /) -> type[FunctionRoutine]: ...
@overload
def routine(**slot_options: Any) -> Callable[[Callable[..., Any]], type[FunctionRoutine]]: ...
def routine(function: Callable[..., Any] | None = None, /, **slot_options: Any) -> Any:
    """Turn a function into a Routine class; `slot_options` are those of its slot.

    The function may be sync, async or a generator. A returned dict is the payload of event `output`,
    another value goes out as `result`, None emits nothing, and a generator emits once for each item.

    >>> @routine
    ... def double(value):
    ...     return {"value": 2 * value}
    >>> from routilux_core import Flow
    >>> flow = Flow()
    >>> _ = flow.add_routine(double(), "double")
    >>> flow.execute("double", {"value": 4}).results["double.output"]
    [{'value': 8}]
    """

    def make(target: Callable[..., Any]) -> type[FunctionRoutine]:
        bind(target, f"{target.__name__}.{ENTRY}")
        Slot(ENTRY, **checked_options(slot_options))
        namespace = {
            "__module__": target.__module__,
            "__qualname__": target.__qualname__,
            "__doc__": target.__doc__,
            "function": staticmethod(target),
            "slot_options": slot_options,
        }
        return type(target.__name__, (FunctionRoutine,), namespace)

    return make if function is None else make(function)
