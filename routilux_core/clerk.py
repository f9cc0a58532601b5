"""Clerk: one thread of a manager that takes turns for those who must not block, made when first needed."""

from __future__ import annotations

import logging
import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger("routilux.clerk")


class Clerk:
    """Does small tasks one after the other, in a thread of its own."""

    def __init__(self) -> None:
        self._tasks: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def ask(self, task: Callable[[], None]) -> None:
        """Have `task` done soon."""
        self._tasks.put(task)
        if self._thread is None:
            with self._lock:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="routilux-clerk", daemon=True)
                    self._thread.start()

    def stop(self, timeout: float | None = None) -> None:
        """Do what was asked until now, and end the thread, waiting up to `timeout` for it."""
        self._tasks.put(None)
        with self._lock:
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)

    def _run(self) -> None:
        while True:
            task = self._tasks.get()
            if task is None:
                return
            try:
                task()
            except Exception:
                log.exception("a task of the clerk failed")
