"""Runner: what calls handlers, in a context that collects their effects; half of a job, here or elsewhere."""

from __future__ import annotations

import logging
from abc import abstractmethod
from contextlib import ExitStack
from contextvars import Context, copy_context
from functools import partial
from typing import TYPE_CHECKING, Any

from routilux_core.binding import Style
from routilux_core.context import ExecutionContext
from routilux_core.current import CONTEXT
from routilux_core.generators import Generators
from routilux_core.interrupt import calls_users
from routilux_core.outcome import Outcome
from routilux_core.returned import failure, interrupted_by, refuse_unfinished, success

if TYPE_CHECKING:
    from collections.abc import Callable

    from routilux_core.activation import Activation
    from routilux_core.plan import BoundSlot

log = logging.getLogger("routilux")


class Runner(Generators):
    """Runs the activations of one job, in whatever thread it is called. A subclass has the fields."""

    __slots__ = ()

    if TYPE_CHECKING:
        slots: dict[str, dict[str, BoundSlot]]
        around: tuple[Callable[..., Any], ...]

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
                    activation, partial(self.run_async, activation), self.variables(activation)
                )
            except BaseException as error:  # noqa: BLE001 - a cancelled task, or an interrupt while waiting
                self.manager.loop.cancel(activation)
                return Outcome(exception=error, interrupted=interrupted_by(error))
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

    def _surroundings(self, activation: Activation, slot: BoundSlot) -> ExitStack:
        stack = ExitStack()
        if slot.timeout is not None:
            self.limit_time(activation, slot.timeout)
            stack.callback(self.unlimit_time, activation)
        for function in self.around:
            function(stack, activation)
        return stack


calls_users(Runner.run)
calls_users(Runner._run_special)
