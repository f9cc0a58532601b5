"""Pool: a few threads for the handlers that are not async, jobs taking turns."""

from __future__ import annotations

import threading
from collections import deque
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from routilux_plugins.executors.aio.lane import AioLane

SHARE = 0.002
"""Seconds that a job has a thread before it is another job's turn."""


class Pool:
    """Threads that serve jobs, made on demand."""

    def __init__(self, most: int) -> None:
        self.most = most
        """How many may work at once; 0 until the first job comes, whose manager says it."""
        self._news = threading.Condition(threading.Lock())
        """Its lock guards what follows."""
        self._queue: deque[AioLane] = deque()
        """Those that have places."""
        self._wanted = 0
        """How many places there are in all."""
        self._threads: dict[int, threading.Thread] = {}
        self._idle = 0
        """How many have nothing to do; with those that were just called or made."""
        self._working = 0
        """How many are with a job, but for those that are in a handler that waits for another."""
        self._stopped = False

    def enqueue(self, lane: AioLane, count: int) -> None:
        """Let so many threads come to a job."""
        with self._news:
            self._put(lane, count)
            self._call()

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Let another thread work while this one, if it is of the pool, waits for a job."""
        if threading.get_ident() not in self._threads:
            yield
            return
        with self._news:
            self._working -= 1
            self._call()
        try:
            yield
        finally:
            with self._news:
                self._working += 1

    def stop(self, until: float | None) -> None:
        """End the threads, each after the handler that it is in."""
        with self._news:
            self._stopped = True
            self._queue.clear()
            self._wanted = 0
            self._news.notify_all()
        for thread in list(self._threads.values()):
            if thread is not threading.current_thread():
                thread.join(None if until is None else max(0.0, until - monotonic()))

    def _put(self, lane: AioLane, count: int) -> None:
        more = min(count, self.most) - lane.places
        if more > 0 and not self._stopped:
            if not lane.places:
                self._queue.append(lane)
            lane.places += more
            self._wanted += more

    def _call(self) -> None:
        """Wake or make as many threads as there is work for; the lock is held."""
        wanted = min(self._wanted, self.most - self._working)
        if wanted <= 0:
            return
        self._news.notify(wanted)
        for _ in range(wanted - self._idle):
            name = f"routilux-asyncio-{len(self._threads) + 1}"
            thread = threading.Thread(target=self._run, name=name, daemon=True)
            thread.start()  # it can do nothing until the lock is free
            self._threads[thread.ident or 0] = thread
            self._idle += 1

    def _run(self) -> None:
        while True:
            with self._news:
                while not (self._stopped or (self._queue and self._working < self.most)):
                    self._news.wait()
                if self._stopped:
                    return
                self._idle -= 1
                self._working += 1
                lane = self._next()
            more = lane.job.serve(monotonic() + SHARE)
            with self._news:
                self._working -= 1
                self._idle += 1
                if more:
                    self._put(lane, 1)

    def _next(self) -> AioLane:
        """Return the job whose turn it is, with one place less; the lock is held."""
        lane = self._queue.popleft()
        lane.places -= 1
        self._wanted -= 1
        if lane.places:
            self._queue.append(lane)
        return lane
