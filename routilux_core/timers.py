"""Timers: one heap and one thread for all the waiting of a manager, made when first needed."""

from __future__ import annotations

import heapq
import logging
import threading
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from routilux_core.clock import Clock

log = logging.getLogger("routilux.timers")
FEW = 64
"""Cancelled timers that are not worth a clean-up."""


class Timer:
    """Something that will be called once, unless it is cancelled before."""

    __slots__ = ("_cancelled", "call")

    def __init__(self, call: Callable[[], None], cancelled: Callable[[], None]) -> None:
        self.call: Callable[[], None] | None = call
        self._cancelled = cancelled

    def cancel(self) -> None:
        """Let it not be called; may be said at any time, from any thread."""
        if self.call is not None:
            self.call = None
            self._cancelled()


class Timers:
    """Calls short functions when their time has come. They must neither block nor run user code."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._condition = threading.Condition(threading.Lock())
        self._heap: list[tuple[float, int, Timer]] = []
        self._numbers = count()
        self._thread: threading.Thread | None = None
        self._stopped = False
        self._dead = 0

    def after(self, seconds: float, call: Callable[[], None]) -> Timer:
        """Call `call` when `seconds` have passed."""
        timer = Timer(call, self._note_cancelled)
        due = self._clock.monotonic() + seconds
        with self._condition:
            if not self._stopped:
                heapq.heappush(self._heap, (due, next(self._numbers), timer))
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="routilux-timers", daemon=True)
                    self._thread.start()
                elif self._heap[0][2] is timer:
                    self._condition.notify()
        return timer

    def _note_cancelled(self) -> None:
        """Count one more, and forget the cancelled ones when they are most of what is here."""
        self._dead += 1
        if self._dead > FEW and self._dead * 2 > len(self._heap):
            with self._condition:
                self._heap = [entry for entry in self._heap if entry[2].call is not None]
                heapq.heapify(self._heap)
                self._dead = 0

    def stop(self) -> None:
        """Call nothing more, and end the thread."""
        with self._condition:
            self._stopped = True
            self._heap.clear()
            self._condition.notify()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        while True:
            with self._condition:
                while not self._stopped and (not self._heap or self._heap[0][0] > self._clock.monotonic()):
                    self._clock.wait(self._condition, self._heap[0][0] if self._heap else None)
                if self._stopped:
                    return
                timer = heapq.heappop(self._heap)[2]
            call, timer.call = timer.call, None
            if call is not None:
                try:
                    call()
                except Exception:
                    log.exception("a timer failed")
