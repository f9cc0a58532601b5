"""A job's lane: its async handlers become tasks of an event loop, the others go to the pool."""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from contextvars import Context
from time import monotonic
from typing import TYPE_CHECKING, Any

from routilux_core import InvalidTransition, Lane, Outcome

if TYPE_CHECKING:
    from asyncio import Task
    from collections.abc import Coroutine

    from routilux_core import Activation, Job
    from routilux_plugins.executors.aio.executor import Asyncio
    from routilux_plugins.executors.aio.home import Home

log = logging.getLogger("routilux.asyncio")
SHARE = 0.002
"""Seconds for which a job starts tasks before others on the loop have their turn."""


class AioLane(Lane):
    """One job's tasks. What is here is touched on its loop alone, but where it says otherwise."""

    def __init__(self, executor: Asyncio, job: Job, home: Home | None, most: int) -> None:
        self.job = job
        self.home = home
        """The loop of its tasks; None until there are any."""
        self.opener = threading.get_ident()
        """The thread that started the job, and may wait for it."""
        self._executor = executor
        self._most = most
        self._variables = Context()
        """What the context variables of each task are a copy of."""
        self._called = False
        """True while the loop is about to look for work; any thread sets it."""
        self._closed = False
        self._running = 0
        self._tasks: dict[Activation, Task[None]] = {}
        self.places = 0
        """How many threads may still come to it; the pool's lock guards it."""
        self._closing: set[Task[None]] = set()
        self._ended: threading.Event | None = None

    # -- for the job, from any thread ------------------------------------------------------------------

    def wake(self, count: int) -> None:
        """Let the loop and the pool look for work."""
        plain, awaited = self.job.halves()
        if plain:
            self._executor.pool.enqueue(self, min(plain, count))
        if awaited:
            self._call()

    def void(self, activation: Activation) -> None:
        """Cancel a task."""
        if self.home is not None:
            # It may not have begun. Then it does first, so that it gives its activation back.
            self.home.call(self.home.loop.call_soon, self._cancel, activation)

    def finalize(self, _coroutine: Coroutine[Any, Any, None], _variables: Context) -> bool:
        """Run what closes an async generator on the loop that it has run on."""
        return self.home is not None and self.home.call(self._finalize, self.home, _coroutine, _variables)

    def needs_caller(self) -> bool:
        """Tell whether the caller is on the job's loop."""
        return self.home is not None and self.home.here

    def close(self) -> None:
        """Start no more tasks."""
        self._closed = True
        if not self._running:
            self._executor.forget(self)

    # -- for the executor ------------------------------------------------------------------------------

    def move(self, home: Home, variables: Context) -> None:
        """Run the handlers elsewhere, with copies of these context variables; said before there are any."""
        self.home, self._variables = home, variables

    def end(self, ended: threading.Event) -> None:
        """Cancel all tasks, and set `ended` when they have ended."""
        self._closed, self._ended = True, ended
        for activation in list(self._tasks):
            self._cancel(activation)
        if not self._running:
            ended.set()

    # -- on the loop -----------------------------------------------------------------------------------

    def _call(self) -> None:
        if not self._called:
            self._called = True
            home = self.home or self._executor.settle(self)
            if home is not None and not home.call(self._start_tasks, home):
                home = self._executor.settle(self)
                if home is not None:
                    home.call(self._start_tasks, home)

    def _start_tasks(self, home: Home) -> None:
        self._called = False
        until = monotonic() + SHARE
        while self._running < self._most and not (self._closed or self._executor.stopped):
            activation = self.job.take_async()
            if activation is None:
                return
            self._running += 1
            variables = self._variables.run(self.job.variables, activation)
            task = home.loop.create_task(self._work(home, activation), context=variables)
            if not task.done():  # as it may be at once where the application's loop starts tasks eagerly
                self._tasks[activation] = task
            if monotonic() > until:
                self._call()
                return

    async def _work(self, home: Home, activation: Activation) -> None:
        job = self.job
        if self._executor.stopped:
            self._give_up(activation)
        outcome = Outcome() if job.refuses(activation) else await job.run_async(activation)
        task = self._tasks.pop(activation, None)
        if task is not None and task.cancelling() and (self._executor.stopped or not home.own):
            self._give_up(activation)
        crowded = self._running >= self._most
        self._running -= 1
        job.finish(activation, outcome)
        if self._closed:
            self._settle()
        elif crowded:
            self._call()
        if outcome.interrupted:
            raise KeyboardInterrupt

    def _give_up(self, activation: Activation) -> None:
        """Cancel the job if it goes on, since its loop does not."""
        if not self.job.refuses(activation):
            with suppress(InvalidTransition):
                self.job.cancel("the event loop that it ran on has ended")

    def _settle(self) -> None:
        if not self._running:
            self._executor.forget(self)
            if self._ended is not None:
                self._ended.set()

    def _cancel(self, activation: Activation) -> None:
        task = self._tasks.get(activation)
        if task is not None:
            task.cancel()

    def _finalize(self, home: Home, coroutine: Coroutine[Any, Any, None], variables: Context) -> None:
        task = home.loop.create_task(coroutine, context=variables)
        self._closing.add(task)
        task.add_done_callback(self._finalized)

    def _finalized(self, task: Task[None]) -> None:
        self._closing.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.debug("a generator of job %s refused to close", self.job.root, exc_info=task.exception())
