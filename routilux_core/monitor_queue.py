"""MonitorQueue: a bounded queue and a thread for a monitor, so that no job waits for it."""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from time import thread_time
from typing import TYPE_CHECKING, Any

from routilux_core.errors import InvalidOption
from routilux_core.facts import JobForked, JobResumed, JobStarted, JobSubmitted
from routilux_core.observers import ENDS, Watching, watches_of
from routilux_core.typed import typed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from queue import SimpleQueue

    from routilux_core.fact import Fact
    from routilux_core.job import Job
    from routilux_core.observers import Left

log = logging.getLogger("routilux.monitor")
SIZE = 10_000
"""How many facts wait at most where nobody says it."""
PATIENCE = 5.0
"""Seconds that a shutdown waits for what is in a queue where nobody says it."""
PAUSE = 0.01
"""Seconds for which the thread rests when there is nothing more, so that it is not woken for each fact."""
SLICE = 0.001
"""Seconds of the processor's time after which it rests though there is more, ..."""
REST = 29
"""... so many times as long as it has worked: Python runs one thread at a time, and the job is another."""
EDGES = ENDS | {JobStarted, JobForked, JobSubmitted, JobResumed}
"""What is told though there is no room, so that nobody takes a job that is over for one that runs."""


class MonitorQueue:
    """A monitor with a bounded queue and a thread of its own: no job waits for it, whatever it does.

    Facts come to it in order. Those that find `size` others waiting are dropped and counted, but never those
    by which a job begins, pauses, goes on or ends. It may stand wherever a monitor may. While facts come in,
    the thread takes a thirtieth of the time at most. A manager that shuts down waits up to `patience` seconds
    for what is in the queue; then the rest is dropped, and a thread that is still in the monitor is left
    behind.

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
        """Guards the counts and the thread's beginning and end; no monitor is called under it."""
        self._thread: threading.Thread | None = None
        self._hurry = threading.Event()
        """Set while somebody waits for it, so that it does not rest."""
        self._waiters = 0
        """How many do."""
        self._taken = self._told = self._dropped = 0
        """How many facts came in, how many of these the monitor was shown, and how many it never will be."""
        self._closings = 0
        """How often it was left behind; what came in before that is not shown any more."""
        self._kept = 0
        """How many managers want the thread to stay while there is nothing to do."""
        self._open = 0
        """How many jobs that are watched alone may have more to tell."""

    @property
    def dropped(self) -> int:
        """How many facts the monitor was not shown, because there was no room or no time left."""
        return self._dropped

    @property
    def waiting(self) -> int:
        """How many facts wait for it."""
        return self._taken - self._told

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the monitor has been shown all that has come so far; False when `timeout` came first."""
        if self._thread is None and self._queue.empty():
            return True
        done = threading.Event()
        self._hurried(1)
        try:
            self._add(done.set)
            return done.wait(timeout)
        finally:
            self._hurried(-1)

    def _hurried(self, more: int) -> None:
        with self._lock:
            self._waiters += more
            if self._waiters:
                self._hurry.set()
            else:
                self._hurry.clear()

    # -- for jobs ----------------------------------------------------------------------------------------

    def put(self, watching: Watching, job: Job, news: Sequence[Fact]) -> None:
        """Let facts be told some time, as many as there is room for; return at once."""
        with self._lock:
            if watching.once and not watching.open:
                watching.open = True
                self._open += 1
            room, closings, dropped = self.size - self._taken + self._told, self._closings, 0
            if len(news) > room:
                news, dropped = _most_needed(news, room)
            first = bool(dropped) and not self._dropped
            self._taken += len(news)
            self._dropped += dropped
        if first:
            text = "monitor %r falls behind, facts are dropped: its queue of %d is full at job %s"
            log.warning(text, watching.name, self.size, job.job_id)
        if news:
            self._add(self._tell, watching, job, news, closings)

    def put_left(self, watching: Watching, job: Job, error: BaseException) -> None:
        """Let it be told after the facts that the job runs here no more, also where there is no room."""
        if watching.left is not None or watching.open:
            self._add(self._tell_left, watching, job, error, self._closings)

    # -- for managers ------------------------------------------------------------------------------------

    def keep(self) -> None:
        """Let the thread stay until `close`."""
        with self._lock:
            self._kept += 1

    def close(self, name: str, limit: float) -> None:
        """Wait for what is in the queue, at most so many seconds, then drop it and let the thread end."""
        if not self.wait(limit):
            with self._lock:
                left = self._taken - self._told
                self._told = self._taken
                self._dropped += left
                self._closings += 1
            text = (
                "monitor %r was not done %.2g s after the jobs; its thread is left behind, %d facts dropped"
            )
            log.warning(text, name, limit, left)
        with self._lock:
            self._kept = max(0, self._kept - 1)
            running = self._thread is not None
        if running:
            self._add(_nothing)

    # -- the thread --------------------------------------------------------------------------------------

    def _add(self, call: Callable[..., object], *given: Any) -> None:
        self._queue.put((call, *given))
        if self._thread is None:
            self._start()

    def _start(self) -> None:
        with self._lock:
            if self._thread is None and not self._queue.empty():
                thread = threading.Thread(target=self._run, name="routilux-monitor", daemon=True)
                with suppress(RuntimeError):  # there can be no more threads; the next fact tries again
                    thread.start()
                    self._thread = thread

    def _run(self) -> None:
        queue, began = self._queue, thread_time()
        while True:
            if queue.empty():
                self._hurry.wait(PAUSE)
                if queue.empty() and not (self._open or self._kept) and self._ends():
                    return
            call, *given = queue.get()
            call(*given)
            del call, given  # a job that is over is not to be kept by who waits for the next
            worked = thread_time() - began
            if worked > SLICE:
                if not queue.empty():
                    self._hurry.wait(worked * REST)
                began = thread_time()

    def _ends(self) -> bool:
        """Let the thread be over, unless there is more to do."""
        with self._lock:
            if self._queue.empty():
                self._thread = None
                return True
            return False

    def _tell(self, watching: Watching, job: Job, news: Sequence[Fact], closings: int) -> None:
        for fact in news:
            with self._lock:
                left = closings != self._closings
                self._told += not left
            if not left:
                watching.tell(job, fact)
            if watching.open and (watching.dropped or type(fact) in ENDS):
                self._leave(watching)

    def _tell_left(self, watching: Watching, job: Job, error: BaseException, closings: int) -> None:
        if closings == self._closings:
            watching.tell_left(job, error)
        self._leave(watching)

    def _leave(self, watching: Watching) -> None:
        """Know that a job which is watched alone has no more to tell for now."""
        with self._lock:
            if watching.open:
                watching.open = False
                self._open -= 1


def _most_needed(news: Sequence[Fact], room: int) -> tuple[list[Fact], int]:
    """Return what is told of facts for which there is no room, and how many of them are dropped."""
    kept = []
    for fact in news:
        if room > 0 or type(fact) in EDGES:
            kept.append(fact)
            room -= 1
    return kept, len(news) - len(kept)


def _nothing() -> None:
    """Give the thread the occasion to end."""


def bare(monitor: Any) -> Any:
    """Return a monitor without its queue."""
    return monitor.monitor if isinstance(monitor, MonitorQueue) else monitor


def watching_of(name: str, monitor: Any, left: Left | None = None, *, once: bool = False) -> Watching:
    """Return the watching of a monitor, or of one with a queue; `left` is its hook of that name."""
    line = monitor if isinstance(monitor, MonitorQueue) else None
    reads_only = getattr(bare(monitor), "reads_only", False) is True
    return Watching(name, watches_of(bare(monitor)), left, line, reads_only=reads_only, once=once)
