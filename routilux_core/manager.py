"""JobManager: owns running jobs, executors and plugins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from routilux_core import direct
from routilux_core.closing import GRACE
from routilux_core.current import MANAGER
from routilux_core.directory import Directory
from routilux_core.facts import JobCancelled
from routilux_core.interrupt import unbreakable
from routilux_core.job_errors import FlowMismatch, InvalidTransition, NoStore
from routilux_core.launch import FOREIGN, launch_of, submitted_launch
from routilux_core.resuming import forked_state, resumed_job
from routilux_core.starting import new_job, submitted_state
from routilux_core.status import MOVES, ExecutionStatus
from routilux_core.validation import Problem, problems

if TYPE_CHECKING:
    from routilux_core.flow import Flow
    from routilux_core.job import Job
    from routilux_core.routine import Routine
    from routilux_core.state import JobState


class JobManager(Directory):
    """Runs jobs. One per process is made when it is needed; make more to keep things apart, as tests do.

    >>> with JobManager() as manager:
    ...     manager.running_jobs
    []
    """

    # -- running ---------------------------------------------------------------------------------------

    def start_job(
        self,
        flow: Flow | str,
        entry_routine_id: str,
        entry_params: dict[str, Any] | None = None,
        timeout: float | None = None,
        job_state: JobState | None = None,
        **options: Any,
    ) -> JobState:
        """Start a job of a flow, or of the named one, and return its state at once.

        `options` are those of `Flow.start`.
        """
        self.guard()
        entry, launch = (entry_routine_id, entry_params), launch_of("start_job", options)
        state, _ = new_job(self, self._flow(flow), entry, timeout, job_state, launch, driven=False)
        self.interrupts.check()
        return state

    def execute(
        self,
        flow: Flow | str,
        entry_routine_id: str,
        entry_params: dict[str, Any] | None = None,
        timeout: float | None = None,
        job_state: JobState | None = None,
        *,
        raise_on_error: bool = False,
        **options: Any,
    ) -> JobState:
        """Start a job, wait for its end or a pause, and return its state. Ctrl-C cancels it."""
        self.guard()
        entry, launch = (entry_routine_id, entry_params), launch_of("execute", options, "raise_on_error")
        state, job = new_job(self, self._flow(flow), entry, timeout, job_state, launch, driven=True)
        try:
            self.interrupts.check()
            if job is None:
                return state
            if job.parent is None:
                job.executor.drive(job)
            else:
                with self.waits(job.parent, job):
                    job.executor.drive(job)
            self.interrupts.check()
            job.raise_detached()
        except KeyboardInterrupt:
            self.interrupts.pending = False
            if job is not None and job.journal is None:
                job.cancel_quietly("interrupted")
            elif job is not None:
                job.pause_quietly("interrupted", GRACE)
            raise
        if raise_on_error:
            state.raise_for_status()
        return state

    def submit(
        self,
        flow: Flow | str,
        entry_routine_id: str,
        entry_params: dict[str, Any] | None = None,
        timeout: float | None = None,
        **options: Any,
    ) -> JobState:
        """Put a job into the store, for any manager of it to take up, and return its state as it is there.

        `options` are `entry_slot` and `metadata`.
        """
        if self.keeping is None:
            raise NoStore("submit")
        launch = submitted_launch(options)
        return submitted_state(
            self, self.keeping, self._flow(flow), (entry_routine_id, entry_params), timeout, launch
        )

    async def execute_async(
        self,
        flow: Flow | str,
        entry_routine_id: str,
        entry_params: dict[str, Any] | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - the limit is the job's, not the caller's
        job_state: JobState | None = None,
        *,
        raise_on_error: bool = False,
        **options: Any,
    ) -> JobState:
        """Do what `execute` does without blocking the event loop; cancelling the task cancels the job."""
        entry, launch = (
            (entry_routine_id, entry_params),
            launch_of("execute_async", options, "raise_on_error"),
        )
        state, job = new_job(self, self._flow(flow), entry, timeout, job_state, launch, driven=True)
        if job is not None:
            try:
                await job.executor.drive_async(job)
                job.raise_detached()
            except BaseException:
                job.cancel_quietly("the task that awaited it was cancelled")
                raise
        if raise_on_error:
            state.raise_for_status()
        return state

    # -- by their states ------------------------------------------------------------------------------

    def pause_state(
        self, flow: Flow, state: JobState, reason: str, checkpoint: Any, timeout: float | None
    ) -> None:
        """Do what `Flow.pause` does."""
        job = _job_of(flow, state)
        if self._stands_in_store(state):
            self.pause(state.job_id, reason, checkpoint, timeout)
        elif job is not None:
            job.pause(reason, checkpoint, timeout)
        elif state.status is not ExecutionStatus.PAUSED:
            raise _refusal(state, ExecutionStatus.PAUSED)

    def resume_state(self, flow: Flow, state: JobState, *, accept_changes: bool = False) -> JobState:
        """Do what `Flow.resume` does."""
        self.guard()
        resumed_job(self, flow, state, accept_changes=accept_changes)
        self.interrupts.check()
        return state

    def cancel_state(self, flow: Flow, state: JobState, reason: str) -> None:
        """Do what `Flow.cancel` does."""
        job = _job_of(flow, state)
        if self._stands_in_store(state):
            self.cancel(state.job_id, reason)
            if self.keeping is not None and (job is None or job.detached is not None):
                state.become(self.keeping.read(state.job_id))
        elif job is not None:
            job.cancel(reason)
        elif state.status in {ExecutionStatus.PENDING, ExecutionStatus.PAUSED}:
            state._change(JobCancelled(0, 0.0, reason))
        elif state.status is not ExecutionStatus.CANCELLED:
            raise _refusal(state, ExecutionStatus.CANCELLED)

    def _stands_in_store(self, state: JobState) -> bool:
        """Tell whether it is for the store to say how a job stands, since nobody runs it here."""
        job = state._job
        if self.keeping is None or state.status.final:
            return False
        if job is None:
            return state._base is not None
        paused = job.journal is not None and state.status is ExecutionStatus.PAUSED
        return job.manager is self and (paused or job.detached is not None)

    def fork_state(self, flow: Flow, state: JobState, *, start: bool) -> JobState:
        """Do what `Flow.fork` does."""
        fork = forked_state(flow, state._whole())
        return self.resume_state(flow, fork) if start else fork

    # -- definitions -----------------------------------------------------------------------------------

    def validate(self, flow: Flow | str) -> list[Problem]:
        """Return what the core and all plugins find wrong with a flow, or with the named one."""
        flow = self._flow(flow)
        return [*problems(flow), *self.hooks.check_flow(flow)]

    def _flow(self, flow: Flow | str) -> Flow:
        return self.registry.flow(flow) if isinstance(flow, str) else flow

    def emit_directly(self, routine: Routine, event: str, flow: Flow | None, data: dict[str, Any]) -> None:
        """Do what `Routine.emit` does outside a job."""
        direct.emit_directly(routine, event, flow, data)

    def stats(self, routine: Routine) -> dict[str, Any]:
        """Return what `routine` recorded, over all jobs of this manager."""
        return self.totals.of(routine, self.running_jobs)

    def set_stat(self, routine: Routine, key: str, value: Any) -> None:
        """Record a value outside all jobs."""
        self.totals.change(routine, key, value, add=False)

    def increment_stat(self, routine: Routine, key: str, by: float) -> None:
        """Count something outside all jobs."""
        self.totals.change(routine, key, by, add=True)

    def __enter__(self) -> Self:
        self._outer.managers = [*getattr(self._outer, "managers", ()), MANAGER.get()]
        MANAGER.set(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        MANAGER.set(self._outer.managers.pop())
        self.shutdown(wait=kind is None)


def _job_of(flow: Flow, state: JobState) -> Job | None:
    if state.flow_id != flow.flow_id:
        raise FlowMismatch(flow.flow_id, (f"it belongs to flow {state.flow_id!r}",), FOREIGN)
    return state._job


def _refusal(state: JobState, wanted: ExecutionStatus) -> InvalidTransition:
    return InvalidTransition(state.job_id, str(state.status), str(wanted), tuple(sorted(MOVES[state.status])))


unbreakable(new_job)
unbreakable(resumed_job)
