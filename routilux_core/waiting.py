"""Waiting: for the end of a job, as an onlooker or as one who works for it meanwhile."""

from __future__ import annotations

import threading
from abc import abstractmethod
from collections.abc import Callable, Generator
from time import monotonic
from typing import Any

from routilux_core.activation import Activation
from routilux_core.engine import Engine
from routilux_core.interrupt import Interrupts, unbreakable, waits
from routilux_core.outcome import Outcome
from routilux_core.turn import Turn


class Waiting(Turn):
    """A turn that others can wait for."""

    __slots__ = ("_helpers", "_waiters", "interrupts")

    def __init__(
        self,
        engine: Engine,
        time: Callable[[], float],
        interrupts: Interrupts,
        **limits: Any,
    ) -> None:
        super().__init__(engine, time, **limits)
        self.interrupts = interrupts
        self._waiters: list[Callable[[], object]] = []
        self._helpers: list[threading.Event] = []

    # -- onlookers -------------------------------------------------------------------------------------

    @abstractmethod
    def run(self, activation: Activation) -> Outcome:
        """Call the handler and return what came of it."""

    def watch_end(self, call: Callable[[], object]) -> bool:
        """Have `call` called when the job is over or paused; False when it is already."""
        with self.lock:
            if self.settled:
                return False
            self._waiters.append(call)
            return True

    def wait_outside(self, timeout: float | None) -> bool:
        """Wait until the job is over or paused; False when `timeout` came first."""
        done = threading.Event()
        return not self.watch_end(done.set) or done.wait(timeout) or self.settled

    def __await__(self) -> Generator[Any, None, bool]:
        return self._wait_async().__await__()

    async def _wait_async(self) -> bool:
        import asyncio  # noqa: PLC0415 - costly, and needed only where something is async

        loop, done = asyncio.get_running_loop(), asyncio.Event()
        if self.watch_end(lambda: loop.call_soon_threadsafe(done.set)):
            await done.wait()
        return True

    def wake_waiters(self) -> None:
        """Tell all who wait to look again."""
        with self.lock:
            waiters, self._waiters = self._waiters, []
            helpers, self._helpers = self._helpers, []
        for helper in helpers:
            helper.set()
        for waiter in waiters:
            waiter()

    # -- those who work meanwhile ----------------------------------------------------------------------

    def work(self, timeout: float | None = None) -> bool:
        """Run the job's activations here until it is over or paused; False when `timeout` came first."""
        until = None if timeout is None else monotonic() + timeout
        interrupts, run, finish = self.interrupts, self.run, self.finish
        while True:
            activation = self.take()
            while activation is not None:
                if interrupts.pending:
                    self._give_back(activation)  # raises in the main thread
                outcome = run(activation)
                if outcome.interrupted:
                    interrupts.pending = True
                activation = finish(activation, outcome, not outcome.interrupted)
            interrupts.check()
            if self.settled:
                return True
            if not self._idle(until):
                return self.settled

    def _give_back(self, activation: Activation) -> None:
        if threading.current_thread() is threading.main_thread():
            self.finish(activation, Outcome(exception=KeyboardInterrupt(), interrupted=True))
            self.interrupts.check()

    def _idle(self, until: float | None) -> bool:
        """Sleep until there is work or the end; False at `until`."""
        something = threading.Event()
        with self.lock:
            if self.settled or (self.open and self.inflight < self.limit and (self.ready or self.stalled)):
                return True
            self._helpers.append(something)
        left = None if until is None else max(0.0, until - monotonic())
        if self.interrupts.pending:
            return True
        return _sleep(something, left)

    def call_helpers(self) -> bool:
        """Tell those who sleep in `work` that there is some; False when nobody does."""
        if not self._helpers:
            return False
        with self.lock:
            helpers, self._helpers = self._helpers, []
        for helper in helpers:
            helper.set()
        return bool(helpers)


def _sleep(something: threading.Event, seconds: float | None) -> bool:
    return something.wait(seconds)


waits(_sleep)
unbreakable(Waiting.work)
unbreakable(Waiting._idle)  # noqa: SLF001 - our own
