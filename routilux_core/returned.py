"""Returned: what becomes of a handler's return, or of what it raises."""

from __future__ import annotations

import inspect
import threading
from typing import TYPE_CHECKING

from routilux_core.context import CLOSED
from routilux_core.errors import InvalidHandler
from routilux_core.outcome import Outcome

if TYPE_CHECKING:
    from routilux_core.context import ExecutionContext
    from routilux_core.plan import BoundSlot


def success(context: ExecutionContext, *, more: bool = False) -> Outcome:
    """Return what a handler did."""
    effects, context.effects = context.effects, CLOSED
    return Outcome(() if effects is CLOSED else effects, more=more)


def failure(context: ExecutionContext, error: BaseException) -> Outcome:
    """Return that a handler raised; what it did until then is forgotten."""
    context.effects = CLOSED
    return Outcome(exception=error, interrupted=interrupted_by(error))


def refuse_unfinished(result: object, slot: BoundSlot) -> None:
    """Refuse what a handler gave that still had to be run: nobody would, and it looks like success."""
    if hasattr(result, "__await__"):
        kind = "an awaitable, and it is not declared `async def`"
    elif inspect.isgenerator(result) or inspect.isasyncgen(result):
        kind = "a generator, and it is not a generator function itself"
    else:
        return
    if hasattr(result, "close"):
        result.close()
    raise InvalidHandler(slot.target, f"it returned {kind}; decorators keep that with functools.wraps")


def interrupted_by(error: BaseException) -> bool:
    """Tell whether Ctrl-C stopped the handler, which is then pending again."""
    return isinstance(error, KeyboardInterrupt) and threading.current_thread() is threading.main_thread()
