"""Loops: event loops in threads of their own, for async handlers on executors that have none.

One is enough until a handler blocks the loop that it stands on, by waiting for a job. What comes meanwhile
goes to another loop, and what had not begun yet moves there: otherwise the two would wait for each other.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from routilux_core.interrupt import patient, unbreakable
from routilux_core.job_errors import ManagerClosed

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Task
    from concurrent.futures import Future
    from contextvars import Context

Result = TypeVar("Result")
Begin = Callable[["AbstractEventLoop"], None]


class _Loop:
    """One event loop and its thread."""

    def __init__(self, loop: AbstractEventLoop, run: Callable[[_Loop], None]) -> None:
        self.loop = loop
        self.blocked = 0
        self.waiting: deque[Begin] = deque()
        """What is to run here and has not begun."""
        self.thread = threading.Thread(target=run, args=(self,), name="routilux-loop", daemon=True)
        self.thread.start()

    def put(self, begin: Begin) -> None:
        self.waiting.append(begin)
        self.loop.call_soon_threadsafe(self._begin)

    def _begin(self) -> None:
        try:
            begin = self.waiting.popleft()
        except IndexError:  # it went to another loop
            return
        begin(self.loop)


class Loops:
    """Runs coroutines for threads that wait for them; started when the first one comes."""

    def __init__(self, check: Callable[[], object] = bool) -> None:
        self._check = check
        """Called where an interrupt that came at a bad moment may break in."""
        self._lock = threading.Lock()
        self._loops: list[_Loop] = []
        self._stopped = False
        self._here = threading.local()
        self._tasks: dict[object, Task[Any]] = {}

    def call(
        self, owner: object, function: Callable[[], Coroutine[Any, Any, Result]], context: Context
    ) -> Result:
        """Await `function()` in `context` and return its result; `owner` names it for `cancel`.

        The coroutine is made on the loop, so that none is left over when Ctrl-C breaks in before it begins.
        """
        from concurrent.futures import Future  # noqa: PLC0415 - as asyncio

        done: Future[Result] = Future()

        def begin(loop: AbstractEventLoop) -> None:
            task = loop.create_task(function(), context=context)
            self._tasks[owner] = task
            task.add_done_callback(finish)

        def finish(task: Task[Result]) -> None:
            if self._tasks.get(owner) is task:
                del self._tasks[owner]
            if task.cancelled():
                done.cancel()
                done.set_running_or_notify_cancel()  # only this tells who waits
            elif (error := task.exception()) is not None:
                done.set_exception(error)
            else:
                done.set_result(task.result())

        with self.blocking():
            self._put(begin)
            self._check()
            if threading.current_thread() is threading.main_thread():
                patient(partial(_ended, done), None)
            return done.result()

    @contextmanager
    def blocking(self) -> Iterator[None]:
        """Say that the caller is about to block the loop that it stands on, if it stands on one of these."""
        here: _Loop | None = getattr(self._here, "loop", None)
        if here is None:
            yield
            return
        with self._lock:
            here.blocked += 1
            while here.waiting:
                self._free().put(here.waiting.popleft())
        try:
            yield
        finally:
            with self._lock:
                here.blocked -= 1

    def forget(self, coroutine: Coroutine[Any, Any, None], context: Context) -> None:
        """Run `coroutine` in `context` some time, for nobody who waits; not at all after `stop`."""

        def begin(loop: AbstractEventLoop) -> None:
            task = loop.create_task(coroutine, context=context)
            self._tasks[task] = task
            task.add_done_callback(self._tasks.pop)

        try:
            self._put(begin)
        except ManagerClosed:
            coroutine.close()

    def cancel(self, owner: object) -> None:
        """Cancel what runs for `owner`, if anything does."""
        with self._lock:
            for one in self._loops:
                one.loop.call_soon_threadsafe(self._cancel, owner, one.loop)

    def stop(self, timeout: float | None = None) -> None:
        """Cancel what runs and end the threads, waiting up to `timeout` for each."""
        with self._lock:
            self._stopped = True
            loops, self._loops = self._loops, []
            for one in loops:
                one.loop.call_soon_threadsafe(one.loop.stop)
        for one in loops:
            if one.thread is not threading.current_thread():
                one.thread.join(timeout)

    def _cancel(self, owner: object, loop: AbstractEventLoop) -> None:
        task = self._tasks.get(owner)
        if task is not None and task.get_loop() is loop:
            task.cancel()

    def _put(self, begin: Begin) -> None:
        with self._lock:
            self._free().put(begin)

    def _free(self) -> _Loop:
        """Return a loop that nobody blocks; the lock is held."""
        import asyncio  # noqa: PLC0415 - costly, and needed only where something is async

        for one in self._loops:
            if not one.blocked:
                return one
        if self._stopped:
            raise ManagerClosed("an async handler")
        self._loops.append(_Loop(asyncio.new_event_loop(), self._run))
        return self._loops[-1]

    def _run(self, one: _Loop) -> None:
        import asyncio  # noqa: PLC0415 - see above

        self._here.loop = one
        asyncio.set_event_loop(one.loop)
        try:
            one.loop.run_forever()
            tasks = asyncio.all_tasks(one.loop)
            for task in tasks:
                task.cancel()
            one.loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
            one.loop.run_until_complete(one.loop.shutdown_asyncgens())
        finally:
            one.loop.close()


def _ended(done: Future[Any], seconds: float | None) -> bool:
    from concurrent.futures import wait  # noqa: PLC0415 - as asyncio

    return bool(wait((done,), seconds).done)


unbreakable(Loops._put)
