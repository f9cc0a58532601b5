"""`sequential`: one activation of a job at a time, in order.

`execute` works in the caller's thread; what was started runs on one background thread, jobs taking turns.
"""

from __future__ import annotations

import threading
from queue import SimpleQueue
from time import monotonic
from typing import ClassVar

from routilux_core import Executor, Job, Lane, ManagerClosed, Registrar, Traits, hookimpl

SHARE = 0.002
"""Seconds that a job has the background thread before it is another one's turn."""


class Sequential(Executor):
    """Runs one activation of a job at a time."""

    traits: ClassVar[Traits] = Traits(concurrent=False)

    def __init__(self) -> None:
        self._lanes: SimpleQueue[SequentialLane | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stopped = False

    def open(self, job: Job) -> Lane:
        """Return the job's place in the queue for the background thread."""
        if self._stopped:
            raise ManagerClosed("executor 'sequential'")
        return SequentialLane(self, job)

    def drive(self, job: Job) -> None:
        """Work for the job in the caller's thread."""
        job.work()

    def enqueue(self, lane: SequentialLane) -> None:
        """Let the background thread come to this lane."""
        self._lanes.put(lane)
        if self._thread is None:
            with self._lock:
                if self._thread is None:
                    thread = threading.Thread(target=self._run, name="routilux-sequential", daemon=True)
                    thread.start()
                    self._thread = thread

    def stop(self, timeout: float | None = None) -> None:
        """End the background thread after the handler that it is in."""
        self._stopped = True
        self._lanes.put(None)
        with self._lock:
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)

    def _run(self) -> None:
        while (lane := self._lanes.get()) is not None:
            lane.work()


class SequentialLane(Lane):
    """One job's place in the queue, where it stands at most once."""

    def __init__(self, executor: Sequential, job: Job) -> None:
        self._executor = executor
        self._job = job
        self._lock = threading.Lock()
        self._queued = False

    def wake(self, count: int) -> None:
        """Stand in the queue."""
        with self._lock:
            if self._queued or not count:
                return
            self._queued = True
        self._executor.enqueue(self)

    def work(self) -> None:
        """Run what is ready until it is another job's turn."""
        job, until = self._job, monotonic() + SHARE
        with self._lock:
            self._queued = False
        if job.serve(until):
            self.wake(1)


@hookimpl
def register_components(registrar: Registrar) -> None:
    """Offer the executor that runs where none is named."""
    registrar.executor("sequential", Sequential, preferred=True)
