"""Standing: the jobs that do not go on by themselves, and who waits for one to stand."""

from __future__ import annotations

import threading
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from routilux_core import Activation, Job
    from routilux_plugins.monitors.breakpoints.stop import Stop

MOST = 100
"""So many stops are kept for somebody to wait for, of jobs that are over by then."""
NEXT = -1
"""Stands for whatever wants to start next."""


class Standing:
    """A job that does not go on by itself.

    It stands, or makes a step, or is arriving: it stands again before whatever wants to start next.
    """

    def __init__(self) -> None:
        self.held: dict[int, Activation] = {}
        """What wants to start and may not, in order; that before which the job stands is the first."""
        self.stop: Stop | None = None
        """Where it stands; None while it makes a step."""
        self.stepping: int | None = None
        """The number of what makes the step, or NEXT."""
        self.arriving = False
        self.missed: list[Stop] = []
        """Facts at which it would have stood, had it not stood already."""

    @property
    def stands(self) -> bool:
        """Whether it stands; it may by a fact, while it is about to go on."""
        return self.stop is not None

    def asks(self, work: Activation) -> bool:
        """Tell whether `work` makes the step; otherwise it is held."""
        if self.stepping == NEXT:
            self.stepping = work.id
            return True
        self.held[work.id] = work
        return False

    def goes(self) -> int:
        """Let a step be made; return the number of what makes it, or NEXT."""
        number = next(iter(self.held), NEXT)
        self.held.pop(number, None)
        self.stop, self.stepping = None, number
        return number

    def first(self) -> Activation | None:
        """Return what is the first to be held, if anything is."""
        return next(iter(self.held.values()), None)


class StandingJobs:
    """The jobs that do not go on by themselves. Its methods are called with `lock` held."""

    def __init__(self) -> None:
        self.lock = threading.Condition()
        """No job and no condition is called under it."""
        self.waiting = 0
        """How many wait for a stop."""
        self._standing: dict[Job, Standing] = {}
        self._untold: list[Stop] = []
        """The stops that nobody was given."""

    def __contains__(self, job: Job) -> bool:
        return job in self._standing

    def get(self, job: Job) -> Standing | None:
        """Return how a job stands, if it does."""
        return self._standing.get(job)

    def at(self, stop: Stop) -> Standing | None:
        """Return how a job stands, if it stands there still."""
        standing = self._standing.get(stop.job)
        return standing if standing is not None and standing.stop is stop else None

    def stops(self) -> tuple[Stop, ...]:
        """Return where jobs stand now."""
        return tuple(one.stop for one in self._standing.values() if one.stop is not None)

    def add(self, stop: Stop) -> None:
        """Let a job stand, and wake those who wait for that."""
        standing = self._standing.setdefault(stop.job, Standing())
        if stop.activation is not None:
            standing.held = {stop.activation.id: stop.activation} | standing.held
        standing.stop, standing.stepping, standing.arriving = stop, None, False
        self._untold.append(stop)
        self.lock.notify_all()

    def take(self, stop: Stop) -> Stop:
        """Give out a stop, so that nobody else is given it."""
        self._untold = [one for one in self._untold if one is not stop]
        return stop

    def untold(self) -> bool:
        """Tell whether there is a stop that nobody was given."""
        return bool(self._untold)

    def next(self) -> Stop:
        """Give out the stop that has waited for the longest."""
        return self.take(self._untold[0])

    def forget(self, job: Job) -> None:
        """Let a job go; who waits for its next stop waits in vain, unless a fact is left to be looked at."""
        standing = self._standing.pop(job, None)
        if standing is not None:
            self._untold += standing.missed
            self._untold = [one for one in self._untold if one.job is not job or one.fact is not None][-MOST:]
            self.lock.notify_all()

    def wait(self, ready: Callable[[], bool], timeout: float | None) -> bool:
        """Wait until something holds, with the lock given up meanwhile; False when the time was up first."""
        until = None if timeout is None else monotonic() + timeout
        self.waiting += 1
        try:
            while not ready():
                left = None if until is None else until - monotonic()
                if left is not None and left <= 0:
                    return False
                self.lock.wait(left)
            return True
        finally:
            self.waiting -= 1
