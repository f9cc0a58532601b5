"""`pooled`: one pool of threads for all jobs of a manager.

Jobs with ready work stand in one queue. A worker takes the first job, serves it for a short share of time and
takes the next. How many workers that needs shows while they work: one spare worker at a time is on the
lookout. It joins the others as soon as that helps: when the interpreter is free because handlers wait or work
outside it, or when no share has ended since it last looked. While short handlers keep the interpreter busy,
one more worker would only take locks and turns from the others, so it stays away.
"""

from __future__ import annotations

import os
import sys
import threading
from collections import deque
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from routilux_core import Executor, InvalidOption, Job, Lane, ManagerClosed, Registrar, hookimpl

if TYPE_CHECKING:
    from collections.abc import Callable

SHARE = 0.002
"""Seconds that a job has a worker before it is another job's turn."""
BREATH = 0.0001
"""Seconds for which the lookout sleeps, so that whoever waits for the interpreter gets it."""
PAUSE = 0.01
"""Seconds between two tries whether fewer workers would do, while all are at work."""


def _count(_settings: object, attribute: Any, value: object) -> None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise InvalidOption(attribute.name, value, "a whole number from 1 up, or None")


@frozen(kw_only=True)
class PooledSettings:
    """Options of the executor `pooled`."""

    max_workers: int | None = field(default=None, validator=_count)
    """How many threads at most; None takes the manager's `max_workers`, else min(32, processors + 4)."""


class Pooled(Executor):
    """Runs the activations of all jobs on one pool of threads, jobs taking turns."""

    def __init__(self, settings: PooledSettings | None = None) -> None:
        self.most = 0 if settings is None else settings.max_workers or 0
        """How many workers at most; 0 until the first job is opened, where the manager's settings say it."""
        self._lock = threading.Lock()
        """Guards all that follows; neither jobs nor users are called under it."""
        self._queue: deque[PooledLane] = deque()
        self._workers: list[_Worker] = []
        self._idle: list[_Worker] = []
        self._lookout: _Worker | None = None
        """The one that is there and does not work yet."""
        self._ended = 0
        """How many shares have ended, ..."""
        self._seen = 0
        """... and how many had when the lookout last looked, ..."""
        self._looked = 0.0
        """... which was at this time."""
        self._crowded = False
        """Whether the lookout has seen that the workers stand in each other's way."""
        self._patience = max(sys.getswitchinterval() / 2, 0.001)
        """In how many seconds the interpreter is had by who asks for it, if it is free."""
        self._stopped = False

    def open(self, job: Job) -> Lane:
        """Return the job's place in the queue."""
        if self._stopped:
            raise ManagerClosed("executor 'pooled'")
        if not self.most:
            self.most = job.manager.settings.max_workers or min(32, (os.cpu_count() or 1) + 4)
        return PooledLane(self, job)

    def enqueue(self, lane: PooledLane, count: int) -> None:
        """Let so many more workers come to this lane."""
        with self._lock:
            self._put(lane, count)
            self._call()

    def stop(self, timeout: float | None = None) -> None:
        """End the threads after the handlers that they are in."""
        until = None if timeout is None else monotonic() + timeout
        with self._lock:
            self._stopped = True
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.bell.release()
        for worker in self._workers:
            if worker.thread is not threading.current_thread():
                worker.thread.join(None if until is None else max(0.0, until - monotonic()))

    # -- in the workers ----------------------------------------------------------------------------------

    def _run(self, worker: _Worker) -> None:
        lane: PooledLane | None = None
        while True:
            with self._lock:
                lane = self._next(worker)
                if lane is not None:
                    self._call()
                looking = self._lookout is worker
            if lane is not None:
                more = lane.job.serve(monotonic() + SHARE)
                with self._lock:
                    self._ended += 1
                    if more:
                        self._put(lane, 1)
            elif looking:
                sleep(BREATH)
            elif self._stopped:
                return
            else:
                worker.bell.acquire()

    # -- under the lock ----------------------------------------------------------------------------------

    def _put(self, lane: PooledLane, count: int) -> None:
        if not lane.places:
            self._queue.append(lane)
        lane.places = min(lane.places + count, self.most)

    def _next(self, worker: _Worker) -> PooledLane | None:
        """Return the lane that is next, or None for a worker that is not needed now."""
        looking = self._lookout is worker
        if not self._queue or self._stopped:
            needed = False
        elif looking:
            if not self._helps():
                return None
            needed = True
        elif self._busy() == 1:
            needed = True
        elif self._lookout is None and not self._spare() and monotonic() - self._looked > PAUSE:
            self._post(worker)
            return None
        else:
            needed, self._crowded = not self._crowded, False
        if looking:
            self._lookout, self._crowded = None, False
        if not needed:
            self._idle.append(worker)
            return None
        lane = self._queue.popleft()
        lane.places -= 1
        if lane.places:
            self._queue.append(lane)
        return lane

    def _helps(self) -> bool:
        """Tell whether it helps that the lookout starts to work."""
        now = monotonic()  # it slept for a breath, or was just called; what is longer it waited to go on
        if now - self._looked < self._patience or self._seen == self._ended or not self._busy():
            return True
        self._seen, self._looked, self._crowded = self._ended, now, True
        return False

    def _call(self) -> None:
        """Put a spare worker on the lookout, where one is wanted."""
        if self._lookout is not None or not self._queue or self._stopped or not self._spare():
            return
        if self._idle:
            worker = self._idle.pop()
            worker.bell.release()
        else:
            worker = _Worker(self._run, len(self._workers) + 1)
            try:
                worker.thread.start()
            except RuntimeError:  # there can be no more threads, so those that there are do the work
                if not self._workers:
                    raise
                return
            self._workers.append(worker)
        self._post(worker)

    def _post(self, worker: _Worker) -> None:
        self._lookout, self._crowded = worker, False
        self._seen, self._looked = self._ended, monotonic()

    def _spare(self) -> bool:
        return bool(self._idle) or len(self._workers) < self.most

    def _busy(self) -> int:
        """Count those that are neither idle nor on the lookout."""
        return len(self._workers) - len(self._idle) - (self._lookout is not None)


class _Worker:
    """A thread, and the bell that wakes it."""

    def __init__(self, run: Callable[[_Worker], None], number: int) -> None:
        self.bell = threading.Lock()
        self.bell.acquire()
        name = f"routilux-pooled-{number}"
        self.thread = threading.Thread(target=run, args=(self,), name=name, daemon=True)


class PooledLane(Lane):
    """One job's place in the queue, and how many workers may still come to it."""

    def __init__(self, executor: Pooled, job: Job) -> None:
        self._executor = executor
        self.job = job
        self.places = 0

    def wake(self, count: int) -> None:
        """Let more workers come, unless all may come already."""
        if self.places < self._executor.most:
            self._executor.enqueue(self, count)


@hookimpl
def register_components(registrar: Registrar) -> None:
    """Offer the executor for flows whose handlers wait for something."""
    registrar.executor("pooled", Pooled, settings=PooledSettings, synonyms=("concurrent",))
