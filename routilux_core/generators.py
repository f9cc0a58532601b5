"""Generators: handlers that give items, each of which takes effect before the next is asked for."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Any

from attrs import define

from routilux_core.binding import Style
from routilux_core.context import CLOSED, ExecutionContext
from routilux_core.current import CONTEXT
from routilux_core.interrupt import calls_users
from routilux_core.outcome import Outcome
from routilux_core.returned import success

if TYPE_CHECKING:
    from collections.abc import Coroutine

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


class Generators(ABC):
    """The generator handlers of one job that are between two items. A subclass has the fields."""

    __slots__ = ()

    if TYPE_CHECKING:
        live: dict[int, Live] | None
        manager: JobManager

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


calls_users(Generators._pull)
