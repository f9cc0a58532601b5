"""ManualClock: time that passes when a test says so."""

from __future__ import annotations

import threading


class ManualClock:
    """A clock for `JobManager(clock=...)` that stands still until it is told to go on.

    >>> clock = ManualClock()
    >>> before = clock.time()
    >>> clock.advance(3600)
    >>> clock.time() - before
    3600.0
    """

    def __init__(self, start: float = 4_000_000_000.0) -> None:
        # Later than the machine's own time: what a test made before it took the clock lies in the past.
        self._start = start
        self._passed = 0.0
        self._lock = threading.Lock()
        self._sleepers: set[threading.Condition] = set()

    def time(self) -> float:
        """Give the seconds since the epoch."""
        return self._start + self._passed

    def monotonic(self) -> float:
        """Give the seconds that have passed."""
        return self._passed

    def advance(self, seconds: float) -> None:
        """Let time pass, and wake those whose time may have come."""
        with self._lock:
            self._passed += seconds
            sleepers = list(self._sleepers)
        for condition in sleepers:
            with condition:
                condition.notify_all()

    def wait(self, condition: threading.Condition, until: float | None) -> None:
        """Sleep on a held `condition` until it is notified, if `until` has not passed already."""
        with self._lock:
            self._sleepers.add(condition)
            if until is not None and self._passed >= until:
                return
        condition.wait()
