"""ExecutionContext: what a running handler knows of its job, and where its effects are collected."""

from __future__ import annotations

import contextvars
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from routilux_core import facts
from routilux_core.current import CONTEXT
from routilux_core.identity import child, digest, key
from routilux_core.job_errors import NoActiveJob
from routilux_core.overlay import Overlay

if TYPE_CHECKING:
    from collections.abc import Callable

    from routilux_core.activation import Activation
    from routilux_core.flow import Flow
    from routilux_core.job import Job
    from routilux_core.manager import JobManager
    from routilux_core.plan import BoundSlot
    from routilux_core.routine import Routine
    from routilux_core.state import JobState

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class _Closed:
    """Stands for the effects of a handler that has returned."""

    def append(self, effect: Any) -> None:
        """Refuse what comes too late."""
        raise NoActiveJob(type(effect).__name__, "the handler has returned, and its effects with it")


CLOSED: Any = _Closed()


class ExecutionContext:
    """Flow, job state and routine id of the running handler, and what it may ask of its job."""

    __slots__ = ("activation", "effects", "job", "jobs", "overlay", "slot")

    jobs: int
    """How many jobs the handler has started; not there until it starts one."""

    def __init__(self, job: Job, activation: Activation, slot: BoundSlot) -> None:
        self.job = job
        self.activation = activation
        self.slot = slot
        self.effects: list[Any] = []
        self.overlay: Overlay | None = None

    def renew(self, activation: Activation) -> None:
        """Begin the next item of a generator."""
        self.activation, self.effects, self.overlay = activation, [], None

    # -- what it knows ---------------------------------------------------------------------------------

    @property
    def flow(self) -> Flow:
        """The flow that the job runs."""
        return self.job.flow

    @property
    def job_state(self) -> JobState:
        """The state of the job."""
        return self.job.job_state

    @property
    def manager(self) -> JobManager:
        """The manager that runs the job."""
        return self.job.manager

    @property
    def routine_id(self) -> str:
        """The id of the routine whose handler runs."""
        return self.activation.routine_id

    @property
    def attempt(self) -> int:
        """Which attempt this is, from 1."""
        return self.activation.attempt

    @property
    def cancelled(self) -> bool:
        """True when what the handler does will be refused, so that it may stop."""
        return self.job.refuses(self.activation)

    @property
    def idempotency_key(self) -> str:
        """The same for this piece of work however often it is tried, after a crash and in a fork."""
        return key(self.job.root, self.activation.lineage)

    @property
    def fencing_token(self) -> int:
        """A number that only grows as a job changes hands, to give to outside systems."""
        return self.job.epoch

    def wrap(self, function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
        """Return `function` so that a thread which the handler starts by itself has this context."""
        snapshot = contextvars.copy_context()
        snapshot.run(CONTEXT.set, self)

        @wraps(function)
        def within(*args: Parameters.args, **options: Parameters.kwargs) -> Result:
            return snapshot.copy().run(function, *args, **options)

        return within

    # -- what the handler does -------------------------------------------------------------------------

    def add(self, effect: Any) -> None:
        """Collect an effect."""
        self.pending().add(effect)
        self.effects.append(effect)

    def emit_deferred(self, routine: Routine, event: str, data: dict[str, Any]) -> None:
        """Collect an event that waits for the job to be resumed."""
        routine.get_event(event)
        self.add(facts.DeferredEventAdded(0, 0.0, self.place_of(routine), event, data, self.next_lineage()))

    def next_lineage(self) -> int:
        """Return the lineage of the next thing that the handler sets aside."""
        return child(self.activation.lineage, self.activation.items, len(self.effects), self.slot.edge)

    def next_job_id(self) -> str:
        """Return the id of the next job that the handler starts, the same if it runs again after a crash."""
        self.jobs = getattr(self, "jobs", 0) + 1
        work, activation = self.idempotency_key, self.activation
        known = f"{self.job.job_id} {work} {activation.items} {activation.attempt} {self.jobs}"
        return f"{digest(known):016x}{digest(f'{known} again'):016x}"

    def send_output(self, output_type: str, data: dict[str, Any]) -> None:
        """Send an output, at once."""
        activation = self.activation
        entry = facts.OutputSent(0, 0.0, activation.routine_id, output_type, data, activation.attempt)
        self.job.output(activation, entry)

    def set_stat(self, routine: Routine, name: str, value: Any) -> None:
        """Collect a recorded value."""
        self.add(facts.StatSet(0, 0.0, self.place_of(routine), name, value))

    def increment_stat(self, routine: Routine, name: str, by: float) -> None:
        """Collect a count."""
        self.add(facts.StatIncremented(0, 0.0, self.place_of(routine), name, by))

    def place_of(self, routine: Routine) -> str:
        """Return the id under which `routine` stands in this job's flow."""
        if routine is self.slot.routine:
            return self.slot.routine_id
        found = self.job.plan.ids.get(id(routine), ())
        if len(found) != 1:
            reason = "it is not in this job's flow" if not found else f"it stands in it as {', '.join(found)}"
            raise NoActiveJob(f"routine {type(routine).__name__!r}", reason)
        return found[0]

    def pending(self) -> Overlay:
        """Return what this handler has written and can read back."""
        if self.overlay is None:
            self.overlay = Overlay(self.job.data)
        return self.overlay

    def stats(self, routine: Routine) -> dict[str, Any]:
        """Return what `routine` has recorded in this job."""
        return self.pending().recorded(self.place_of(routine))

    def __repr__(self) -> str:
        flow, job = self.flow.flow_id, self.job.root
        return f"ExecutionContext(flow={flow!r}, job={job!r}, routine_id={self.routine_id!r})"
