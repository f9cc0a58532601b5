"""`threaded`: worker threads of each job's own, made on demand and gone when the job is over.

Nothing that one job's handlers do keeps the workers of another busy. A short job, or one of very many, is
better off on a pool that jobs share.
"""

from __future__ import annotations

import os
import threading
from itertools import count
from time import monotonic
from typing import Any, ClassVar

from attrs import field, frozen

from routilux_core import Executor, InvalidOption, Job, Lane, ManagerClosed, Registrar, Traits, hookimpl

SHARE = 0.05
"""Seconds after which a worker looks whether the executor was stopped."""


def _count(_settings: object, attribute: Any, value: object) -> None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise InvalidOption(attribute.name, value, "a whole number from 1 up, or None")


@frozen(kw_only=True)
class ThreadedSettings:
    """Options of the executor `threaded`."""

    max_workers: int | None = field(default=None, validator=_count)
    """How many threads a job has at most where its flow does not say; None takes min(32, processors + 4)."""


class Threaded(Executor):
    """Runs the activations of each job on threads of the job's own."""

    traits: ClassVar[Traits] = Traits()

    def __init__(self, settings: ThreadedSettings | None = None) -> None:
        given = None if settings is None else settings.max_workers
        self._most = given or min(32, (os.cpu_count() or 1) + 4)
        self._numbers = count(1)
        self._lock = threading.Lock()
        """Guards what follows."""
        self._lanes: set[ThreadedLane] = set()
        self._threads: set[threading.Thread] = set()
        self._leaving: threading.Thread | None = None
        """The last one that has left the set, so that it is about to end."""
        self._stopped = False

    def open(self, job: Job) -> Lane:
        """Return the job's lane, which has no thread yet."""
        lane = ThreadedLane(self, job, job.flow.max_workers or self._most)
        with self._lock:
            if self._stopped:
                raise ManagerClosed("executor 'threaded'")
            self._lanes.add(lane)
        return lane

    def stop(self, timeout: float | None = None) -> None:
        """End all threads, each after the handler that it is in."""
        until = None if timeout is None else monotonic() + timeout
        with self._lock:
            self._stopped = True
            lanes, self._lanes = self._lanes, set()
        for lane in lanes:
            lane.close()
        with self._lock:
            threads = [*self._threads, self._leaving]
        for thread in threads:
            if thread is not None and thread is not threading.current_thread():
                thread.join(None if until is None else max(0.0, until - monotonic()))

    # -- for its lanes -----------------------------------------------------------------------------------

    def hire(self, lane: ThreadedLane) -> None:
        """Start one more thread that works for `lane`."""
        name = f"routilux-threaded-{next(self._numbers)}"
        thread = threading.Thread(target=self._run, args=(lane,), name=name, daemon=True)
        with self._lock:
            if not self._stopped:
                thread.start()
                self._threads.add(thread)

    def forget(self, lane: ThreadedLane) -> None:
        """Let a lane go that is closed."""
        with self._lock:
            self._lanes.discard(lane)

    def _run(self, lane: ThreadedLane) -> None:
        lane.work()
        # A thread is seen to its end by the next one that leaves, the last one by `stop`: nobody has to look
        # through all of them, and none is still there after `stop`.
        thread = threading.current_thread()
        with self._lock:
            self._threads.discard(thread)
            before, self._leaving = self._leaving, thread
        if before is not None:
            before.join()


class ThreadedLane(Lane):
    """One job's workers."""

    def __init__(self, executor: Threaded, job: Job, most: int) -> None:
        self._executor = executor
        self._job = job
        self._most = most
        self._news = threading.Condition(threading.Lock())
        """Its lock guards what follows."""
        self._wanted = 0
        """How many workers were asked for and have not come yet."""
        self._idle = 0
        """How many sleep, or have just been made."""
        self._workers = 0
        self._closed = False

    def wake(self, count: int) -> None:
        """Let so many workers come: those that sleep first, then new ones."""
        with self._news:
            if self._closed:
                return
            self._wanted = min(self._wanted + count, self._most)
            missing = max(0, min(self._wanted - self._idle, self._most - self._workers))
            self._news.notify(min(self._wanted, self._idle))
            self._workers += missing
            self._idle += missing
        for hired in range(missing):
            try:
                self._executor.hire(self)
            except BaseException:
                with self._news:
                    self._workers -= missing - hired
                    self._idle -= missing - hired
                raise

    def close(self) -> None:
        """Let the workers go."""
        with self._news:
            self._closed = True
            self._news.notify_all()
        self._executor.forget(self)

    def work(self) -> None:
        """Run what is ready whenever there is some, until the lane is closed."""
        while self._wait():
            while self._job.serve(monotonic() + SHARE) and not self._closed:
                pass
            with self._news:
                self._idle += 1

    def _wait(self) -> bool:
        """Sleep until a worker is wanted; False when none will be any more."""
        with self._news:
            while not (self._wanted or self._closed):
                self._news.wait()
            self._idle -= 1
            if not self._closed:
                self._wanted -= 1
            return not self._closed


@hookimpl
def register_components(registrar: Registrar) -> None:
    """Offer the executor for jobs that should not share their workers."""
    registrar.executor("threaded", Threaded, settings=ThreadedSettings)
