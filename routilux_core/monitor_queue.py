"""MonitorQueue: a bounded queue and a thread for a monitor, so that no job waits for it."""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from routilux_core.errors import InvalidOption
from routilux_core.observers import Watching, watches_of
from routilux_core.typed import typed

if TYPE_CHECKING:
    from collections.abc import Callable
    from queue import SimpleQueue

    from routilux_core.fact import Fact
    from routilux_core.job import Job

log = logging.getLogger("routilux.monitor")
SIZE = 10_000
"""How many facts wait at most where nobody says it."""
PATIENCE = 5.0
"""Seconds that a shutdown waits for what is in a queue where nobody says it."""


class MonitorQueue:
    """A monitor with a bounded queue and a thread of its own: no job waits for it, whatever it does.

    Facts come to it in order. One that finds `size` others waiting is dropped and counted. It may stand
    wherever a monitor may. A manager that shuts down waits up to `patience` seconds for what is in the queue;
    then the rest is dropped, and a thread that is still in the monitor is left behind.

    >>> seen = []
    >>> def slow(job, fact):
    ...     seen.append(fact.tag)
    >>> from routilux_core import Flow, MonitorQueue, routine
    >>> @routine
    ... def double(value):
    ...     return {"value": 2 * value}
    >>> flow, queue = Flow("flow"), MonitorQueue(slow, size=1000)
    >>> _ = flow.add_routine(double(), "double")
    >>> _ = flow.execute("double", {"value": 4}, monitors=[queue])
    >>> queue.wait(10), seen[-1], queue.dropped
    (True, 'job_completed', 0)
    """

    def __init__(self, monitor: Any, size: int = SIZE, patience: float = PATIENCE) -> None:
        from queue import SimpleQueue  # noqa: PLC0415 - costly, and few monitors have a queue

        watches_of(monitor)
        self.monitor = monitor
        self.size = typed(size, int, "the size of a MonitorQueue")
        self.patience = typed(patience, float, "the patience of a MonitorQueue")
        if self.size < 1:
            raise InvalidOption("the size of a MonitorQueue", size, "a whole number from 1 up")
        if self.patience < 0:
            raise InvalidOption("the patience of a MonitorQueue", patience, "seconds from 0 up")
        self._queue: SimpleQueue[tuple[Any, ...]] = SimpleQueue()
        """Calls, each with its arguments."""
        self._lock = threading.Lock()
        """Guards the thread's beginning and end, and the count."""
        self._thread: threading.Thread | None = None
        self._dropped = 0
        self._kept = 0
        """How many managers want the thread to stay while there is nothing to do."""
        self._open: set[int] = set()
        """The jobs that are watched alone and may have more to tell, by their watching."""

    @property
    def dropped(self) -> int:
        """How many facts the monitor was not shown, because there was no room or no time left."""
        return self._dropped

    @property
    def waiting(self) -> int:
        """About how many facts wait for it."""
        return self._queue.qsize()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the monitor has been shown all that has come so far; False when `timeout` came first."""
        if self._thread is None and self._queue.empty():
            return True
        done = threading.Event()
        self._add(done.set)
        return done.wait(timeout)

    # -- for jobs ----------------------------------------------------------------------------------------

    def put(self, watching: Watching, job: Job, fact: Fact) -> None:
        """Let the fact be told some time, if there is room; return at once."""
        if watching.once:
            self._open.add(id(watching))
        if self._queue.qsize() >= self.size:
            self._refuse(watching.name, job)
        else:
            self._add(watching.tell, job, fact)

    def leave(self, watching: Watching) -> None:
        """Know that the job which is watched has no more to tell for now."""
        self._add(self._open.discard, id(watching))

    def _refuse(self, name: str, job: Job) -> None:
        with self._lock:
            self._dropped += 1
            first = self._dropped == 1
        if first:
            text = "monitor %r falls behind: its queue of %d is full at job %s; facts are dropped and counted"
            log.warning(text, name, self.size, job.job_id)

    # -- for managers ------------------------------------------------------------------------------------

    def keep(self) -> None:
        """Let the thread stay until `close`."""
        with self._lock:
            self._kept += 1

    def close(self, name: str, limit: float | None) -> None:
        """Wait for what is in the queue, at most so many seconds, then drop it and let the thread end."""
        limit = self.patience if limit is None else min(limit, self.patience)
        if not self.wait(limit):
            left = self._clear()
            text = (
                "monitor %r was not done %.2g s after the jobs; its thread is left behind, %d facts dropped"
            )
            log.warning(text, name, limit, left)
        with self._lock:
            self._kept = max(0, self._kept - 1)
            running = self._thread is not None
        if running:
            self._add(_nothing)

    def _clear(self) -> int:
        from queue import Empty  # noqa: PLC0415 - as above

        left = 0
        with self._lock, suppress(Empty):
            while True:
                call, *_ = self._queue.get_nowait()
                if isinstance(getattr(call, "__self__", None), Watching):
                    left += 1
                    self._dropped += 1
        self._open.clear()
        return left

    # -- the thread --------------------------------------------------------------------------------------

    def _add(self, call: Callable[..., object], *given: Any) -> None:
        self._queue.put((call, *given))
        if self._thread is None:
            self._start()

    def _start(self) -> None:
        with self._lock:
            if self._thread is None and not self._queue.empty():
                self._thread = threading.Thread(target=self._run, name="routilux-monitor", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            call, *given = self._queue.get()
            call(*given)
            del call, given  # a job that is over is not to be kept by who waits for the next
            if not (self._open or self._kept) and self._ends():
                return

    def _ends(self) -> bool:
        """Let the thread be over, unless there is more to do."""
        with self._lock:
            if self._queue.empty():
                self._thread = None
                return True
            return False


def _nothing() -> None:
    """Give the thread the occasion to end."""


def watching_of(name: str, monitor: Any, *, once: bool = False) -> Watching:
    """Return the watching of a monitor, or of one with a queue."""
    if isinstance(monitor, MonitorQueue):
        return Watching(name, watches_of(monitor.monitor), monitor, once)
    return Watching(name, watches_of(monitor), None, once)
