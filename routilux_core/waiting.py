"""Waiting: for the end of a job, as an onlooker or as one who works for it meanwhile."""

from __future__ import annotations

import logging
import threading
from abc import abstractmethod
from collections.abc import Callable, Generator
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Any

from routilux_core.current import CONTEXT
from routilux_core.interrupt import patient, unbreakable, waits
from routilux_core.outcome import Outcome
from routilux_core.taking import Taking

if TYPE_CHECKING:
    from routilux_core.activation import Activation
    from routilux_core.manager import JobManager

log = logging.getLogger("routilux")
Waker = Callable[[], object]


class Waiting(Taking):
    """A turn that others can wait for."""

    __slots__ = ("_helpers", "_waiters", "manager")

    manager: JobManager
    _waiters: tuple[Waker, ...]
    _helpers: tuple[threading.Event, ...]

    # -- onlookers -------------------------------------------------------------------------------------

    def watch_end(self, call: Waker) -> bool:
        """Have `call` called when the job is over or paused; False when it is already."""
        with self.lock:
            if self.settled:
                return False
            self._waiters = (*self._waiters, call)
            return True

    def unwatch(self, call: Waker) -> None:
        """Take that back."""
        with self.lock:
            self._waiters = tuple(waiter for waiter in self._waiters if waiter is not call)

    def wait_outside(self, timeout: float | None) -> bool:
        """Wait until the job is over or paused; False when `timeout` came first."""
        until = None if timeout is None else monotonic() + timeout
        done = threading.Event()
        ring = done.set
        while self.watch_end(ring):
            self.manager.interrupts.check()  # that came while the executor was told of work
            if not patient(done.wait, remaining(until)):
                self.unwatch(ring)
                return self.settled
            done.clear()
        return True

    def __await__(self) -> Generator[Any, None, bool]:
        return self._wait_async().__await__()

    async def _wait_async(self) -> bool:
        import asyncio  # noqa: PLC0415 - costly, and needed only where something is async

        loop, done = asyncio.get_running_loop(), asyncio.Event()

        def ring() -> None:
            loop.call_soon_threadsafe(done.set)

        try:
            while self.watch_end(ring):
                await done.wait()
                done.clear()
        finally:
            self.unwatch(ring)
        return True

    def wake_waiters(self) -> None:
        """Tell all who wait to look again."""
        with self.lock:
            waiters, self._waiters = self._waiters, ()
            helpers, self._helpers = self._helpers, ()
        for helper in helpers:
            helper.set()
        for waiter in waiters:
            try:
                waiter()
            except RuntimeError:
                log.debug("job %s: somebody who waited is gone, with the event loop", self.data.job_id)

    # -- those who work meanwhile ----------------------------------------------------------------------

    @abstractmethod
    def serve(self, until: float = inf, activation: Activation | None = None) -> bool:
        """Run what is ready, until nothing is or `until` has come; return whether it was the time."""

    @abstractmethod
    def launch(self, take: bool) -> Activation | None:
        """Begin, if that was left to whoever works; with `take` return the first work."""

    def work(self, timeout: float | None = None) -> bool:
        """Run the job's activations here until it is over or paused; False when `timeout` came first."""
        token = CONTEXT.set(None)
        try:
            return self._work(timeout)
        finally:
            CONTEXT.reset(token)

    def _work(self, timeout: float | None) -> bool:
        until = None if timeout is None else monotonic() + timeout
        interrupts = self.manager.interrupts
        activation = self.launch(take=True)
        while True:
            self.serve(inf, activation)
            interrupts.check()
            if self.settled:
                return True
            if not self._idle(until):
                return self.settled
            self.pump()
            activation = None

    def _give_back(self, activation: Activation) -> None:
        if threading.current_thread() is threading.main_thread():
            self.finish(activation, Outcome(exception=KeyboardInterrupt(), interrupted=True))
            self.manager.interrupts.check()

    def _idle(self, until: float | None) -> bool:
        """Sleep until there is work or the end; False at `until`."""
        something = threading.Event()
        with self.lock:
            if self.settled or (self.inbox and not self.turning):
                return True
            if self.open and self.inflight < self.limit and self._startable():
                return True
            self._helpers = (*self._helpers, something)
        left = remaining(until)
        if self.manager.interrupts.pending:
            return True
        if rest(something, left):
            return True
        with self.lock:
            self._helpers = tuple(helper for helper in self._helpers if helper is not something)
        return False

    def call_helpers(self) -> None:
        """Tell those who sleep in `work` that there is some."""
        if self._helpers:
            with self.lock:
                helpers, self._helpers = self._helpers, ()
            for helper in helpers:
                helper.set()


def remaining(until: float | None) -> float | None:
    """Return the seconds until then, at most as many as a thread can wait; None for no limit."""
    return None if until is None else min(max(0.0, until - monotonic()), threading.TIMEOUT_MAX)


def rest(something: threading.Event, seconds: float | None) -> bool:
    """Wait for something; an interrupt may break in."""
    return patient(something.wait, seconds)


waits(rest)
unbreakable(Waiting.work)
unbreakable(Waiting._work)
unbreakable(Waiting._idle)
