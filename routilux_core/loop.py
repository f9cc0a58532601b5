"""LoopThread: an event loop in a thread of its own, for async handlers on executors that have none."""

from __future__ import annotations

import threading
from collections.abc import Coroutine
from contextvars import Context
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Task

Result = TypeVar("Result")


class LoopThread:
    """Runs coroutines for threads that wait for them; started when the first one comes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._tasks: dict[object, Task[Any]] = {}

    def call(self, owner: object, coroutine: Coroutine[Any, Any, Result], context: Context) -> Result:
        """Run `coroutine` in `context` to its end and return its result; `owner` is the name to cancel it by."""
        if threading.current_thread() is self._thread:
            return _apart(coroutine, context)
        from concurrent.futures import Future  # noqa: PLC0415 - costly, and needed only where something is async

        done: Future[Result] = Future()
        loop = self._started()

        def begin() -> None:
            task = loop.create_task(coroutine, context=context)
            self._tasks[owner] = task
            task.add_done_callback(finish)

        def finish(task: Task[Result]) -> None:
            if self._tasks.get(owner) is task:
                del self._tasks[owner]
            if task.cancelled():
                done.cancel()
            elif (error := task.exception()) is not None:
                done.set_exception(error)
            else:
                done.set_result(task.result())

        loop.call_soon_threadsafe(begin)
        return done.result()

    def cancel(self, owner: object) -> None:
        """Cancel what runs for `owner`, if anything does."""
        with self._lock:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._cancel, owner)

    def stop(self) -> None:
        """Cancel what runs and end the thread."""
        with self._lock:
            loop, thread, self._loop = self._loop, self._thread, None
        if loop is not None and thread is not None:
            loop.call_soon_threadsafe(loop.stop)
            if thread is not threading.current_thread():
                thread.join()

    def _cancel(self, owner: object) -> None:
        task = self._tasks.get(owner)
        if task is not None:
            task.cancel()

    def _started(self) -> AbstractEventLoop:
        import asyncio  # noqa: PLC0415 - costly, and needed only where something is async

        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=self._run, args=(self._loop,), name="routilux-loop", daemon=True
                )
                self._thread.start()
            return self._loop

    def _run(self, loop: AbstractEventLoop) -> None:
        import asyncio  # noqa: PLC0415 - see above

        asyncio.set_event_loop(loop)
        try:
            loop.run_forever()
            tasks = asyncio.all_tasks(loop)
            for task in tasks:
                task.cancel()
            loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
            loop.run_until_complete(loop.shutdown_asyncgens())
        finally:
            loop.close()


def _apart(coroutine: Coroutine[Any, Any, Result], context: Context) -> Result:
    """Run `coroutine` on a loop of its own: the caller stands on the loop thread and blocks it."""
    import asyncio  # noqa: PLC0415 - see above
    from concurrent.futures import Future  # noqa: PLC0415 - see above

    done: Future[Result] = Future()

    def run() -> None:
        try:
            done.set_result(context.run(asyncio.run, coroutine))
        except BaseException as error:  # noqa: BLE001 - handed to the caller
            done.set_exception(error)

    threading.Thread(target=run, name="routilux-loop-apart", daemon=True).start()
    return done.result()
