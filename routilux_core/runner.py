"""Runner: what calls handlers, in a context that collects their effects; half of a job, here or elsewhere."""

from __future__ import annotations

import inspect
import logging
import threading
from abc import ABC, abstractmethod
from contextlib import ExitStack
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Any

from attrs import define

from routilux_core.binding import Style
from routilux_core.context import CLOSED, ExecutionContext
from routilux_core.current import CONTEXT
from routilux_core.errors import InvalidHandler
from routilux_core.interrupt import calls_users
from routilux_core.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from routilux_core.activation import Activation
    from routilux_core.manager import JobManager
    from routilux_core.plan import BoundSlot

log = logging.getLogger("routilux")


@define(eq=False, repr=False)
class Live:
    """A generator handler between two of its items."""

    context: ExecutionContext
    items: Any
    vars: Context
    taken: int = 0


class Runner(ABC):
    """Runs the activations of one job, in whatever thread it is called. A subclass has the fields."""

    __slots__ = ()

    if TYPE_CHECKING:
        slots: dict[str, dict[str, BoundSlot]]
        around: tuple[Callable[..., Any], ...]
        live: dict[int, Live] | None
        manager: JobManager

    def run(self, activation: Activation) -> Outcome:
        """Call the handler and return what came of it; what it raises is in the outcome."""
        slot = self.slots[activation.routine_id][activation.slot]
        if slot.special or self.around:
            return self._run_special(activation, slot)
        context = ExecutionContext(self, activation, slot)  # type: ignore[arg-type]  # every one of us is a Job
        token = CONTEXT.set(context)
        try:
            data = activation.data
            fields = slot.fields
            if fields is not None and data.keys() != fields:
                data = slot.arguments(data, activation.source)
            result = slot.handler(**data)
            if result is not None:
                refuse_unfinished(result, slot)
        except BaseException as error:  # noqa: BLE001 - whatever a handler raises is its failure
            return failure(context, error)
        finally:
            CONTEXT.reset(token)
        return success(context)

    def variables(self, activation: Activation) -> Context:
        """Return the context variables that a task for `run_async(activation)` is to have.

        They are a copy of the caller's; a generator keeps those of its first item.
        """
        slot = self.slots[activation.routine_id][activation.slot]
        found = self._live(activation, slot).vars if slot.style is Style.ASYNC_GENERATOR else copy_context()
        found.run(CONTEXT.set, None)
        return found

    async def run_async(self, activation: Activation) -> Outcome:
        """Do what `run` does, awaiting an async handler on the running loop."""
        slot = self.slots[activation.routine_id][activation.slot]
        style = slot.style
        if style is Style.COROUTINE:
            return await self._await(activation, slot)
        if style is not Style.ASYNC_GENERATOR:
            return self.run(activation)
        live = self._live(activation, slot)
        token = CONTEXT.set(live.context)
        try:
            with self._surroundings(activation, slot):
                return await self._pull_async(activation, slot, live)
        except BaseException as error:  # noqa: BLE001 - whatever a handler raises is its failure
            self._drop(activation, live)
            return failure(live.context, error)
        finally:
            CONTEXT.reset(token)

    async def _await(self, activation: Activation, slot: BoundSlot) -> Outcome:
        context = ExecutionContext(self, activation, slot)  # type: ignore[arg-type]  # as above
        token = CONTEXT.set(context)
        try:
            arguments = slot.arguments(activation.data, activation.source)
            if slot.timeout is None and not self.around:
                await slot.handler(**arguments)
            else:
                with self._surroundings(activation, slot):
                    await slot.handler(**arguments)
        except BaseException as error:  # noqa: BLE001 - whatever a handler raises is its failure
            return failure(context, error)
        finally:
            CONTEXT.reset(token)
        return success(context)

    def close_generators(self) -> None:
        """Close the generators that are between two items; what they still do is refused."""
        lives = self.live or {}
        self.live = None  # type: ignore[misc]  # a subclass has the slot
        for live in lives.values():
            self._close(live)

    def _close(self, live: Live) -> None:
        live.context.effects = CLOSED
        if live.items is None:
            return
        try:
            if hasattr(live.items, "aclose"):
                live.vars.run(CONTEXT.set, live.context)
                self._forget(live.items.aclose(), live.vars)
            else:
                token = CONTEXT.set(live.context)
                try:
                    live.items.close()
                finally:
                    CONTEXT.reset(token)
        except BaseException:
            log.debug("a generator of job %s refused to close", live.context.job.root, exc_info=True)

    def _forget(self, coroutine: Coroutine[Any, Any, None], variables: Context) -> None:
        """Run `coroutine` some time, for nobody who waits."""
        self.manager.loop.forget(coroutine, variables)

    @abstractmethod
    def refuses(self, activation: Activation) -> bool:
        """Tell whether what `activation` still does will be refused."""

    @abstractmethod
    def limit_time(self, activation: Activation, seconds: float) -> None:
        """Fail the attempt when it runs for longer than `seconds`."""

    @abstractmethod
    def unlimit_time(self, activation: Activation) -> None:
        """Take that back: the handler has returned."""

    # -- the less usual ones ---------------------------------------------------------------------------

    def _run_special(self, activation: Activation, slot: BoundSlot) -> Outcome:
        if slot.style in {Style.COROUTINE, Style.ASYNC_GENERATOR}:
            try:
                return self.manager.loop.call(
                    activation, self.run_async(activation), self.variables(activation)
                )
            except BaseException as error:  # noqa: BLE001 - a cancelled task, or an interrupt while waiting
                self.manager.loop.cancel(activation)
                return Outcome(exception=error, interrupted=_interrupt(error))
        live = self._live(activation, slot)
        token = CONTEXT.set(live.context)
        try:
            with self._surroundings(activation, slot):
                if slot.style is Style.GENERATOR:
                    return self._pull(activation, slot, live)
                if slot.handler is not None:
                    result = slot.handler(**slot.arguments(activation.data, activation.source))
                    if result is not None:
                        refuse_unfinished(result, slot)
                return success(live.context)
        except BaseException as error:  # noqa: BLE001 - whatever a handler raises is its failure
            self._drop(activation, live)
            return failure(live.context, error)
        finally:
            CONTEXT.reset(token)

    def _pull(self, activation: Activation, slot: BoundSlot, live: Live) -> Outcome:
        if live.items is None:
            live.items = iter(slot.handler(**slot.arguments(activation.data, activation.source)))
        missing = object()
        while True:
            live.context.renew(activation)
            if next(live.items, missing) is missing:
                self._drop(activation, live)
                return success(live.context)
            live.taken += 1
            if self.refuses(activation):
                self._drop(activation, live)
                self._close(live)
                return Outcome()
            if live.taken > activation.items:
                return success(live.context, more=True)

    async def _pull_async(self, activation: Activation, slot: BoundSlot, live: Live) -> Outcome:
        if live.items is None:
            live.items = aiter(slot.handler(**slot.arguments(activation.data, activation.source)))
        missing = object()
        while True:
            live.context.renew(activation)
            if await anext(live.items, missing) is missing:
                self._drop(activation, live)
                return success(live.context)
            live.taken += 1
            if self.refuses(activation):
                self._drop(activation, live)
                self._close(live)
                return Outcome()
            if live.taken > activation.items:
                return success(live.context, more=True)

    def _drop(self, activation: Activation, live: Live) -> None:
        if self.live is not None and self.live.get(activation.id) is live:
            del self.live[activation.id]

    def _live(self, activation: Activation, slot: BoundSlot) -> Live:
        lives = self.live
        live = None if lives is None else lives.get(activation.id)
        if live is None or live.taken != activation.items or live.context.attempt != activation.attempt:
            if live is not None and live.context.attempt != activation.attempt:
                self._close(live)
            context = ExecutionContext(self, activation, slot)  # type: ignore[arg-type]  # every one of us is a Job
            live = Live(context, None, copy_context())
            if slot.style in {Style.GENERATOR, Style.ASYNC_GENERATOR}:
                if self.live is None:
                    self.live = {}  # type: ignore[misc]  # as above
                self.live[activation.id] = live
        return live

    def _surroundings(self, activation: Activation, slot: BoundSlot) -> ExitStack:
        stack = ExitStack()
        if slot.timeout is not None:
            self.limit_time(activation, slot.timeout)
            stack.callback(self.unlimit_time, activation)
        for function in self.around:
            function(stack, activation)
        return stack


def success(context: ExecutionContext, *, more: bool = False) -> Outcome:
    """Return what a handler did."""
    effects, context.effects = context.effects, CLOSED
    return Outcome(() if effects is CLOSED else effects, more=more)


def failure(context: ExecutionContext, error: BaseException) -> Outcome:
    """Return that a handler raised; what it did until then is forgotten."""
    context.effects = CLOSED
    return Outcome(exception=error, interrupted=_interrupt(error))


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


def _interrupt(error: BaseException) -> bool:
    return isinstance(error, KeyboardInterrupt) and threading.current_thread() is threading.main_thread()


calls_users(Runner.run)
calls_users(Runner._run_special)
calls_users(Runner._pull)
