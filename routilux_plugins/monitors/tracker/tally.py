"""Tally: what is counted of one routine, and of one job, while it happens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routilux_plugins.monitors.tracker.durations import Durations
from routilux_plugins.monitors.tracker.performance import JobPerformance, RoutinePerformance, Spread

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class RoutineTally(Durations):
    """What is counted of one routine, and how long those of its activations took that completed."""

    __slots__ = ("failed", "retries")

    def __init__(self) -> None:
        super().__init__()
        self.failed = 0
        self.retries = 0

    def include(self, other: RoutineTally) -> None:
        """Take in all of another."""
        self.merge(other)
        self.failed += other.failed
        self.retries += other.retries

    def performance(self) -> RoutinePerformance:
        """Return what it comes to."""
        count = self.count + self.failed
        return RoutinePerformance(
            count=count,
            completed=self.count,
            failed=self.failed,
            retries=self.retries,
            success_rate=self.count / count if count else 1.0,
            seconds=Spread.of(self),
        )


class JobTally:
    """What is counted of one job."""

    __slots__ = ("flow_id", "job_id", "routines", "seconds", "since", "status")

    def __init__(self, job_id: str, flow_id: str, since: float) -> None:
        self.job_id = job_id
        self.flow_id = flow_id
        self.status = "running"
        self.since: float | None = since
        """When it began to run, or to run again."""
        self.seconds = 0.0
        self.routines: dict[str, RoutineTally] = {}

    def routine(self, routine_id: str) -> RoutineTally:
        """Return what is counted of a routine."""
        found = self.routines.get(routine_id)
        if found is None:
            found = self.routines[routine_id] = RoutineTally()
        return found

    def stop(self, at: float, status: str) -> None:
        """Know that it does not run any more."""
        if self.since is not None:
            self.seconds += at - self.since
            self.since = None
        self.status = status

    def performance(self, now: float) -> JobPerformance:
        """Return what it comes to so far."""
        routines = dict(self.routines)
        return JobPerformance(
            job_id=self.job_id,
            flow_id=self.flow_id,
            status=self.status,
            seconds=self.seconds + (0.0 if self.since is None else max(0.0, now - self.since)),
            activations=merged(routines.values()).performance(),
            routines=performances(routines),
        )


def merged(tallies: Iterable[RoutineTally]) -> RoutineTally:
    """Return all of them as one."""
    whole = RoutineTally()
    for tally in tallies:
        whole.include(tally)
    return whole


def performances(tallies: Mapping[str, RoutineTally]) -> dict[str, RoutinePerformance]:
    """Return what each comes to."""
    return {routine_id: tally.performance() for routine_id, tally in tallies.items()}
