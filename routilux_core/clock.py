"""The time that a manager lives by; tests bring one of their own."""

from __future__ import annotations

from threading import TIMEOUT_MAX
from time import monotonic, time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Condition


class Clock(Protocol):
    """What a manager asks the time of."""

    def time(self) -> float:
        """Give the seconds since the epoch, for people to read."""

    def monotonic(self) -> float:
        """Give seconds that never go back, for measuring."""

    def wait(self, condition: Condition, until: float | None) -> None:
        """Sleep on a held `condition` until it is notified or `monotonic()` reaches `until`."""


def steady(clock: Clock, earliest: float) -> Callable[[], float]:
    """Return what gives a time that goes on evenly from now, though somebody may set the clock meanwhile.

    It begins at `earliest` if that is still to come.
    """
    monotonic = clock.monotonic
    ahead = max(clock.time(), earliest) - monotonic()
    return lambda: monotonic() + ahead


class SystemClock:
    """The machine's own time."""

    __slots__ = ()

    time = staticmethod(time)
    monotonic = staticmethod(monotonic)

    def wait(self, condition: Condition, until: float | None) -> None:
        """Sleep on a held `condition` until it is notified or the time has come."""
        condition.wait(None if until is None else min(max(0.0, until - monotonic()), TIMEOUT_MAX))
