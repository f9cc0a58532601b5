"""Launch: how a job is to be run, and what starting one and resuming one have in common."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from attrs import define, fields

from routilux_core.errors import InvalidFlow, InvalidOption, UnknownOption, choices
from routilux_core.executor import Executor
from routilux_core.flow import Flow
from routilux_core.hooks import NO_HOOKS
from routilux_core.job import Job
from routilux_core.job_errors import FlowMismatch, InvalidTransition
from routilux_core.plan import Plan, compile_flow
from routilux_core.status import ExecutionStatus
from routilux_core.validation import problems

if TYPE_CHECKING:
    from routilux_core.manager import JobManager
    from routilux_core.state import JobState

FOREIGN = "run it with the flow that made it"


@define(kw_only=True, eq=False, repr=False)
class Launch:
    """How one job is to be started."""

    entry_slot: str = "trigger"
    executor: str | Executor | None = None
    monitors: Iterable[Any] = ()
    metadata: Mapping[str, Any] | None = None


_LAUNCH = tuple(sorted(name.name for name in fields(Launch)))
_SUBMIT = ("entry_slot", "metadata")
_ENTRY = ("entry_routine_id", "entry_params", "timeout")


def launch_of(call: str, options: dict[str, Any], *also: str) -> Launch:
    """Return what the caller of `call` has asked for; `also` are options that the call itself takes."""
    return _checked(call, options, _LAUNCH, "job_state", *also)


def submitted_launch(options: dict[str, Any]) -> Launch:
    """Return what was asked for a job that others will run, in their own way."""
    return _checked("submit", options, _SUBMIT)


def _checked(call: str, options: dict[str, Any], allowed: tuple[str, ...], *also: str) -> Launch:
    for name, value in options.items():
        if name not in allowed:
            known = (*_ENTRY, *allowed, *also)
            raise UnknownOption(name, value, f"one of: {choices(known)}", call, known)
    return Launch(**options)


def checked_plan(manager: JobManager, flow: Flow) -> Plan:
    """Compile `flow` and raise `InvalidFlow` if it has problems that no job can live with."""
    if not isinstance(flow, Flow):
        raise InvalidOption("flow", flow, "a Flow")
    plan = compile_flow(flow)
    if manager.ref not in plan.checked:
        found = (*problems(flow), *manager.hooks.check_flow(flow))
        fatal = tuple(str(problem) for problem in found if problem.fatal)
        if fatal:
            raise InvalidFlow(flow.flow_id, fatal)
        plan.checked.add(manager.ref)
    return plan


def check_flow(flow: Flow, state: JobState) -> None:
    """Refuse a state of another flow."""
    if state.flow_id != flow.flow_id:
        raise FlowMismatch(flow.flow_id, (f"it belongs to flow {state.flow_id!r}",), FOREIGN)


def made_job(manager: JobManager, plan: Plan, state: JobState, launch: Launch) -> Job:
    """Return a new job that runs this state, with its monitors."""
    executor = manager.executor(plan.flow if launch.executor is None else launch.executor)
    kept = manager.settings.history
    if kept is not None:
        state._history = deque(state._history, maxlen=kept)
    job = Job(manager, plan, state, executor)
    more = manager.monitors.attach(job, launch.monitors) if launch.monitors else NO_HOOKS
    if more["hold"]:
        job._holds = manager.hooks.hold(job, more["hold"])
    if more["around_activation"]:
        job.around = manager.hooks.around(job, more["around_activation"])
    if manager.hooks.involved or more["job_starting"]:
        manager.hooks.starting(job, more["job_starting"])
    with state._lock:
        old = state._job
        if old is not None and not (
            old.ended and (state.status is ExecutionStatus.PAUSED or old.detached is not None)
        ):
            raise InvalidTransition(state.job_id, str(state.status), "started again", ())
        state._job = job
    if old is not None:
        old.released = True
    return job


def withdraw(manager: JobManager, job: Job) -> None:
    """Let a job be as if it had not been tried."""
    manager.forget(job)
    with job.job_state._lock:
        if job.status is ExecutionStatus.PENDING:
            job.job_state._job = None


def admit(manager: JobManager, job: Job) -> None:
    """Take a job in at its manager, and at the job that started it."""
    try:
        manager.admit(job)
    except BaseException:
        withdraw(manager, job)
        raise
    if job.parent is not None:
        job.parent.adopt(job)
