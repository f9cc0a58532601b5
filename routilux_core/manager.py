"""JobManager: owns running jobs, executors and plugins."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from time import monotonic
from typing import Any, Self
from weakref import ref

from routilux_core import direct
from routilux_core.clerk import Clerk
from routilux_core.clock import Clock, SystemClock
from routilux_core.current import CONTEXT, MANAGER
from routilux_core.discovery import load
from routilux_core.engine import Limits
from routilux_core.errors import DuplicateName, FlowMismatch, InsideJob, InvalidOption, InvalidTransition, ManagerClosed, UnknownJob
from routilux_core.executor import Executor
from routilux_core.facts import JobCancelled
from routilux_core.flow import Flow
from routilux_core.interrupt import Interrupts, unbreakable
from routilux_core.job import Job
from routilux_core.launch import FOREIGN, Launch, forked_state, new_job, resumed_job
from routilux_core.loop import Loops
from routilux_core.routine import Routine
from routilux_core.settings import Settings, checked_settings
from routilux_core.state import JobState
from routilux_core.status import MOVES, ExecutionStatus
from routilux_core.timers import Timers
from routilux_core.totals import Totals
from routilux_core.validation import Problem, problems

log = logging.getLogger("routilux")
GRACE = 1.0
"""Seconds that a handler has to return when its manager does not wait for it."""


class JobManager:
    """Runs jobs. One per process is made when it is needed; make more to keep things apart, as tests do.

    >>> with JobManager() as manager:
    ...     manager.running_jobs
    []
    """

    def __init__(
        self,
        *,
        executor: str | Executor | None = None,
        plugins: Iterable[Any] = (),
        discover: bool = True,
        settings: Settings | Mapping[str, Any] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.settings = checked_settings(settings)
        self.clock: Clock = SystemClock() if clock is None else clock
        self.timers = Timers(self.clock)
        self.clerk = Clerk()
        self.loop = Loops()
        self.interrupts = Interrupts()
        self.limits = Limits(
            max_pending=self.settings.max_pending, max_activations=self.settings.max_activations
        )
        self.totals = Totals()
        self.ref = ref(self)
        """What others remember it by without keeping it."""
        loaded = load(plugins, discover=discover)
        self.registry, self.hooks, self.failed_plugins = loaded.registry, loaded.hooks, loaded.failed
        self._executor = executor
        self._executors: dict[Any, Executor] = {}
        self._jobs: dict[str, Job] = {}
        self._waiting: list[tuple[Job, Job]] = []
        self._lock = threading.Lock()
        self._closed = False
        self._told = False
        self._outer: list[JobManager | None] = []
        if executor is not None:
            self.executor(executor)

    # -- running ---------------------------------------------------------------------------------------

    def start_job(
        self,
        flow: Flow,
        entry_routine_id: str,
        entry_params: dict[str, Any] | None = None,
        timeout: float | None = None,
        job_state: JobState | None = None,
        **options: Any,
    ) -> JobState:
        """Start a job and return its state at once. `options` are those of `Flow.start`."""
        entry = (entry_routine_id, entry_params)
        job = new_job(self, flow, entry, timeout, job_state, Launch(**options), driven=False)
        self.interrupts.check()
        return job.job_state

    def execute(
        self,
        flow: Flow,
        entry_routine_id: str,
        entry_params: dict[str, Any] | None = None,
        timeout: float | None = None,
        job_state: JobState | None = None,
        *,
        raise_on_error: bool = False,
        **options: Any,
    ) -> JobState:
        """Start a job, wait for its end or a pause, and return its state. Ctrl-C cancels it."""
        self.interrupts.guard()
        entry = (entry_routine_id, entry_params)
        job = new_job(self, flow, entry, timeout, job_state, Launch(**options), driven=True)
        try:
            if job.parent is None:
                job.executor.drive(job)
            else:
                with self.waits(job.parent, job):
                    job.executor.drive(job)
        except KeyboardInterrupt:
            self.interrupts.pending = False
            job.cancel_quietly("interrupted")
            raise
        if raise_on_error:
            job.job_state.raise_for_status()
        return job.job_state

    async def execute_async(
        self,
        flow: Flow,
        entry_routine_id: str,
        entry_params: dict[str, Any] | None = None,
        timeout: float | None = None,
        job_state: JobState | None = None,
        *,
        raise_on_error: bool = False,
        **options: Any,
    ) -> JobState:
        """Do what `execute` does without blocking the event loop; cancelling the task cancels the job."""
        entry = (entry_routine_id, entry_params)
        job = new_job(self, flow, entry, timeout, job_state, Launch(**options), driven=False)
        try:
            await job
        except BaseException:
            job.cancel_quietly("the task that awaited it was cancelled")
            raise
        if raise_on_error:
            job.job_state.raise_for_status()
        return job.job_state

    # -- looking ---------------------------------------------------------------------------------------

    @property
    def running_jobs(self) -> list[Job]:
        """The jobs that are neither over nor paused."""
        return list(self._jobs.copy().values())

    def get_job(self, job_id: str) -> Job | None:
        """Return the running job of that id, or None."""
        return self._jobs.get(job_id)

    def wait_for_all_jobs(self, timeout: float | None = None) -> bool:
        """Wait until no job runs, those aside in whose handler this is called; False when `timeout` came first."""
        return self._wait(timeout, None)

    def wait_for_flow(self, flow: Flow, timeout: float | None = None) -> bool:
        """Wait for the jobs of one flow, those aside in whose handler this is called."""
        return self._wait(timeout, flow)

    def _wait(self, timeout: float | None, flow: Flow | None) -> bool:
        until = None if timeout is None else monotonic() + timeout
        context = CONTEXT.get()
        own = set() if context is None else set(context.job.line())
        while True:
            jobs = [job for job in self.running_jobs if job not in own and flow in {None, job.flow}]
            if not jobs:
                return True
            for job in jobs:
                if not job.wait(None if until is None else max(0.0, until - monotonic())):
                    return False

    # -- steering --------------------------------------------------------------------------------------

    def pause(self, job_id: str, reason: str = "", checkpoint: Any = None, timeout: float | None = None) -> None:
        """Pause the running job of that id."""
        self._running(job_id).pause(reason, checkpoint, timeout)

    def resume(self, job_id: str) -> None:
        """Take back the pause of the running job of that id; a paused one goes on by its state."""
        self._running(job_id).resume()

    def cancel(self, job_id: str, reason: str = "") -> None:
        """Cancel the running job of that id."""
        self._running(job_id).cancel(reason)

    def post(self, job_id: str, routine_id: str, slot: str = "trigger", /, **data: Any) -> None:
        """Send an event from outside to the running job of that id."""
        self._running(job_id).post(routine_id, slot, **data)

    def _running(self, job_id: str) -> Job:
        job = self._jobs.get(job_id)
        if job is None:
            raise UnknownJob(job_id, tuple(self._jobs))
        return job

    def pause_state(
        self, flow: Flow, state: JobState, reason: str, checkpoint: Any, timeout: float | None
    ) -> None:
        """Do what `Flow.pause` does."""
        job = _job_of(flow, state)
        if job is not None:
            job.pause(reason, checkpoint, timeout)
        elif state.status is not ExecutionStatus.PAUSED:
            raise _refusal(state, ExecutionStatus.PAUSED)

    def resume_state(self, flow: Flow, state: JobState, *, accept_changes: bool = False) -> JobState:
        """Do what `Flow.resume` does."""
        resumed_job(self, flow, state, accept_changes=accept_changes)
        self.interrupts.check()
        return state

    def cancel_state(self, flow: Flow, state: JobState, reason: str) -> None:
        """Do what `Flow.cancel` does."""
        job = _job_of(flow, state)
        if job is not None:
            job.cancel(reason)
        elif state.status in {ExecutionStatus.PENDING, ExecutionStatus.PAUSED}:
            state._change(JobCancelled(0, 0.0, reason))  # noqa: SLF001 - the state's other half
        elif state.status is not ExecutionStatus.CANCELLED:
            raise _refusal(state, ExecutionStatus.CANCELLED)

    def fork_state(self, flow: Flow, state: JobState, *, start: bool) -> JobState:
        """Do what `Flow.fork` does."""
        fork = forked_state(flow, state)
        return self.resume_state(flow, fork) if start else fork

    # -- definitions -----------------------------------------------------------------------------------

    def validate(self, flow: Flow) -> list[Problem]:
        """Return what the core and all plugins find wrong with `flow`."""
        return [*problems(flow), *self.hooks.check_flow(flow)]

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

    # -- for jobs --------------------------------------------------------------------------------------

    def executor(self, wanted: str | Executor | Flow) -> Executor:
        """Return the executor of that name, or the one for that flow, started."""
        choice: str | Executor
        if isinstance(wanted, Flow):
            named = wanted.execution_strategy or self._executor or self.settings.executor
            choice = named or self.registry.preferred("executor")
        else:
            choice = wanted
        if not isinstance(choice, (str, Executor)):
            raise InvalidOption("executor", choice, "the name of an executor, or an Executor")
        key = choice if isinstance(choice, str) else id(choice)
        found = self._executors.get(key)
        if found is None:
            with self._lock:
                if self._closed:
                    raise ManagerClosed(f"executor {choice!r}")
                found = self._executors.get(key)
                if found is None:
                    found = choice if isinstance(choice, Executor) else self.registry.find("executor", choice).factory()
                    found.start()
                    self._executors[key] = found
        return found

    def admit(self, job: Job) -> None:
        """Take a job in, unless the manager is closed."""
        with self._lock:
            if self._closed:
                raise ManagerClosed(f"job {job.job_id!r}")
            if self._jobs.setdefault(job.job_id, job) is not job:
                raise DuplicateName("running job", job.job_id, "the job manager")

    def forget(self, job: Job) -> None:
        """Let a job go that is over or paused."""
        if self._jobs.get(job.data.job_id) is job:
            del self._jobs[job.data.job_id]
        if job.data.stats:
            self.totals.take_over(job)

    @contextmanager
    def waits(self, outer: Job, inner: Job) -> Iterator[None]:
        """Note that a handler of `outer` waits for `inner`, unless they would wait for each other for ever."""
        edge = (outer, inner)
        with self._lock:
            if inner in outer.line() or self._leads(inner, outer):
                reason = f"job {inner.job_id!r} cannot end before this handler has returned"
                raise InsideJob("waiting for a job", reason)
            self._waiting.append(edge)
        try:
            with self.loop.blocking():
                yield
        finally:
            with self._lock:
                self._waiting.remove(edge)

    def _leads(self, start: Job, goal: Job) -> bool:
        seen, front = set(), [start]
        while front:
            job = front.pop()
            if job is goal:
                return True
            if job not in seen:
                seen.add(job)
                front += [inner for outer, inner in self._waiting if outer is job]
        return False

    # -- the end ---------------------------------------------------------------------------------------

    def shutdown(self, wait: bool = True, timeout: float | None = None) -> None:
        """Take no more jobs, wait for those that run, cancel what is left at `timeout`, and end all threads.

        With `wait=False` what runs is cancelled at once. May be called again.
        """
        context = CONTEXT.get()
        if context is not None and context.manager is self:
            raise InsideJob("shutdown", "it would wait for the handler that called it; let the handler return first")
        with self._lock:
            self._closed = True
        if not wait or not self.wait_for_all_jobs(timeout):
            left = self.running_jobs
            for job in left:
                with suppress(InvalidTransition):  # it may have ended just now
                    job.cancel("the job manager shut down")
            if left:
                log.warning("%d jobs were cancelled because their job manager shut down", len(left))
        with self._lock:
            executors, self._executors = self._executors, {}
            told, self._told = self._told, True
        if not told:
            self.hooks.closing(self)
        limit = timeout if wait else GRACE
        for executor in executors.values():
            executor.stop(limit)
        self.timers.stop()
        self.clerk.stop(limit)
        self.loop.stop(limit)
        self.interrupts.release()

    @property
    def closed(self) -> bool:
        """True from the moment when it takes no more jobs."""
        return self._closed

    def __enter__(self) -> Self:
        self._outer.append(MANAGER.get())
        MANAGER.set(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        MANAGER.set(self._outer.pop())
        self.shutdown(wait=kind is None)


def _job_of(flow: Flow, state: JobState) -> Job | None:
    if state.flow_id != flow.flow_id:
        raise FlowMismatch(flow.flow_id, (f"it belongs to flow {state.flow_id!r}",), FOREIGN)
    return state._job  # noqa: SLF001 - the state's other half


def _refusal(state: JobState, wanted: ExecutionStatus) -> InvalidTransition:
    return InvalidTransition(state.job_id, str(state.status), str(wanted), tuple(sorted(MOVES[state.status])))


unbreakable(new_job)
unbreakable(resumed_job)
