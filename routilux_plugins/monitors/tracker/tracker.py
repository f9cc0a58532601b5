"""Tracker: the monitor that counts and measures."""

from __future__ import annotations

import threading
from collections import Counter
from time import time
from typing import TYPE_CHECKING, ClassVar

from routilux_core import Monitor, UnknownName, hookimpl
from routilux_plugins.monitors.tracker.durations import Durations
from routilux_plugins.monitors.tracker.performance import FlowPerformance, Spread
from routilux_plugins.monitors.tracker.tally import JobTally, RoutineTally, merged, performances

if TYPE_CHECKING:
    from collections.abc import Callable

    from routilux_core import (
        ActivationCompleted,
        ActivationFailed,
        ActivationRetried,
        ActivationSkipped,
        Fact,
        Job,
    )
    from routilux_plugins.monitors.tracker.performance import JobPerformance, RoutinePerformance


class FlowTally:
    """What is counted of the jobs of one flow that are over."""

    def __init__(self) -> None:
        self.statuses: Counter[str] = Counter()
        self.durations = Durations()
        """Of the jobs that completed."""
        self.routines: dict[str, RoutineTally] = {}

    def take(self, job: JobTally) -> None:
        """Take in a job that is over."""
        self.statuses[job.status] += 1
        if job.status == "completed":
            self.durations.add(job.seconds)
        self.add(job)

    def add(self, job: JobTally) -> None:
        """Take in what the routines of a job did."""
        for routine_id, tally in list(job.routines.items()):
            own = self.routines.get(routine_id)
            if own is None:
                own = self.routines[routine_id] = RoutineTally()
            own.include(tally)


class Tracker(Monitor):
    """Counts and measures what the jobs do that it watches. Ask it from any thread, at any time.

    >>> from routilux_core import Flow, routine
    >>> from routilux_plugins.monitors.tracker.tracker import Tracker
    >>> @routine
    ... def double(value):
    ...     return {"value": 2 * value}
    >>> flow, tracker = Flow("doubling"), Tracker()
    >>> _ = flow.add_routine(double(), "double")
    >>> for value in range(3):
    ...     _ = flow.execute("double", {"value": value}, monitors=[tracker])
    >>> tracker.get_routine_performance("double").count
    3
    >>> tracker.get_flow_performance("doubling").success_rate
    1.0
    """

    reads_only: ClassVar[bool] = True

    def __init__(self, jobs: int = 1000) -> None:
        self._remembered = jobs
        self._lock = threading.Lock()
        """Guards what is kept of jobs that are over; what is counted of one is written in its turn alone."""
        self._jobs: dict[str, JobTally] = {}
        """Those that are not over."""
        self._over: dict[str, JobTally] = {}
        """The last ones that are, in order."""
        self._flows: dict[str, FlowTally] = {}

    # -- what it is asked --------------------------------------------------------------------------------

    @property
    def flows(self) -> tuple[str, ...]:
        """The ids of the flows that it has seen."""
        with self._lock:
            running = [job.flow_id for job in list(self._jobs.values())]
            return tuple(dict.fromkeys([*self._flows, *running]))

    def get_routine_performance(self, routine_id: str, flow_id: str | None = None) -> RoutinePerformance:
        """Return how a routine did, over all jobs of a flow; without `flow_id`, of all flows that have it."""
        flows = self.flows if flow_id is None else (flow_id,)
        found = [
            tally for flow in flows for name, tally in self._routines(flow).items() if name == routine_id
        ]
        if not found:
            raise UnknownName(routine_id, tuple(name for flow in flows for name in self._routines(flow)))
        return merged(found).performance()

    def get_flow_performance(self, flow_id: str) -> FlowPerformance:
        """Return how the jobs of a flow did, those included that still run."""
        routines = self._routines(flow_id)
        with self._lock:
            tally = self._flows.get(flow_id, FlowTally())
            statuses, seconds = Counter(tally.statuses), Spread.of(tally.durations)
        tried = statuses["completed"] + statuses["failed"]
        return FlowPerformance(
            flow_id=flow_id,
            count=statuses.total(),
            completed=statuses["completed"],
            failed=statuses["failed"],
            cancelled=statuses["cancelled"],
            running=len(self._running(flow_id)),
            success_rate=statuses["completed"] / tried if tried else 1.0,
            seconds=seconds,
            activations=merged(routines.values()).performance(),
            routines=performances(routines),
        )

    def get_job_performance(self, job_id: str) -> JobPerformance:
        """Return how one job did, or does; of those that are over, the last ones are remembered."""
        found = self._jobs.get(job_id) or self._over.get(job_id)
        if found is None:
            raise UnknownName(job_id, (*self._jobs, *self._over))
        return found.performance(time())

    def _running(self, flow_id: str) -> list[JobTally]:
        return [job for job in list(self._jobs.values()) if job.flow_id == flow_id]

    def _routines(self, flow_id: str) -> dict[str, RoutineTally]:
        whole = FlowTally()
        with self._lock:
            running, over = self._running(flow_id), self._flows.get(flow_id)
            if over is None and not running:
                raise UnknownName(flow_id, tuple(self._flows))
            for routine_id, tally in ({} if over is None else over.routines).items():
                whole.routines.setdefault(routine_id, RoutineTally()).include(tally)
        for job in running:
            whole.add(job)
        return whole.routines

    # -- what it hears -----------------------------------------------------------------------------------

    def on_activation_completed(self, job: Job, fact: ActivationCompleted) -> None:
        """Count it, with how long it took."""
        tally, routine_id = self._jobs.get(job.job_id) or self._of(job, fact), fact.activation.routine_id
        (tally.routines.get(routine_id) or tally.routine(routine_id)).add(fact.seconds)

    def on_activation_failed(self, job: Job, fact: ActivationFailed | ActivationSkipped) -> None:
        """Count the failure."""
        self._of(job, fact).routine(fact.activation.routine_id).failed += 1

    on_activation_skipped = on_activation_failed

    def on_activation_retried(self, job: Job, fact: ActivationRetried) -> None:
        """Count the attempt that failed."""
        self._of(job, fact).routine(fact.activation.routine_id).retries += 1

    def on_job_started(self, job: Job, fact: Fact) -> None:
        """Let its clock run."""
        self._of(job, fact)

    def on_job_resumed(self, job: Job, fact: Fact) -> None:
        """Let its clock run again."""
        tally = self._of(job, fact)
        tally.status = "running"
        if tally.since is None:
            tally.since = fact.at

    def on_job_paused(self, job: Job, fact: Fact) -> None:
        """Stop its clock."""
        self._of(job, fact).stop(fact.at, "paused")

    def on_job_completed(self, job: Job, fact: Fact) -> None:
        """Let it count for its flow."""
        tally = self._of(job, fact)
        tally.stop(fact.at, fact.tag.removeprefix("job_"))
        self._remember(tally, FlowTally.take)

    on_job_failed = on_job_cancelled = on_job_completed

    @hookimpl
    def job_left(self, job: Job) -> None:
        """Let what it did count for its flow; how it ends is not known here."""
        tally = self._jobs.get(job.job_id)
        if tally is not None:
            tally.stop(job.job_state.updated_at.timestamp(), "left")
            self._remember(tally, FlowTally.add)

    def _remember(self, tally: JobTally, count: Callable[[FlowTally, JobTally], None]) -> None:
        with self._lock:
            count(self._flows.setdefault(tally.flow_id, FlowTally()), tally)
            del self._jobs[tally.job_id]
            self._over[tally.job_id] = tally
            while len(self._over) > self._remembered:
                del self._over[next(iter(self._over))]

    def _of(self, job: Job, fact: Fact) -> JobTally:
        found = self._jobs.get(job.job_id)
        if found is None:
            found = self._jobs[job.job_id] = JobTally(job.job_id, job.flow.flow_id, fact.at)
        return found
