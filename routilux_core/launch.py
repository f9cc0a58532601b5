"""Launch: from a flow and a state to a running job."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from attrs import define, fields

from routilux_core.errors import InvalidFlow, InvalidOption, UnknownOption, choices
from routilux_core.executor import Executor
from routilux_core.facts import JobForked, JobStarted
from routilux_core.flow import Flow, checked_timeout
from routilux_core.hooks import NO_HOOKS
from routilux_core.job import Job
from routilux_core.job_data import legacy
from routilux_core.job_errors import FlowMismatch, InvalidTransition
from routilux_core.merge import checked_payload
from routilux_core.plan import Plan, compile_flow, differences
from routilux_core.state import JobState
from routilux_core.status import MOVES, ExecutionStatus
from routilux_core.validation import problems

if TYPE_CHECKING:
    from routilux_core.manager import JobManager

FOREIGN = "run it with the flow that made it"


@define(kw_only=True, eq=False, repr=False)
class Launch:
    """How one job is to be started."""

    entry_slot: str = "trigger"
    executor: str | Executor | None = None
    monitors: Iterable[Any] = ()
    metadata: Mapping[str, Any] | None = None


_LAUNCH = {name.name for name in fields(Launch)}
_OPTIONS = ("entry_routine_id", "entry_params", "timeout", "job_state", *sorted(_LAUNCH))


def launch_of(call: str, options: dict[str, Any], *also: str) -> Launch:
    """Return what the caller of `call` has asked for; `also` are options that the call itself takes."""
    if not options.keys() <= _LAUNCH:
        name = next(name for name in options if name not in _LAUNCH)
        known = (*_OPTIONS, *also)
        raise UnknownOption(name, options[name], f"one of: {choices(known)}", call, known)
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


def new_job(
    manager: JobManager,
    flow: Flow,
    entry: tuple[str, dict[str, Any] | None],
    timeout: float | None,
    state: JobState | None,
    launch: Launch,
    *,
    driven: bool,
) -> Job:
    """Start a job of `flow` and return it. `driven` says that the caller will work for it."""
    plan = checked_plan(manager, flow)
    slot = plan.slot(entry[0], launch.entry_slot)
    given: Any = {} if entry[1] is None else entry[1]
    payload = checked_payload("entry_params", dict(given) if isinstance(given, Mapping) else given)
    limit = checked_timeout("timeout", timeout) or flow.execution_timeout
    if state is None:
        state = JobState(flow.flow_id)
        state._data.created_at = state._data.updated_at = manager.clock.time()
    elif state.flow_id not in {None, flow.flow_id}:
        raise FlowMismatch(flow.flow_id, (f"it belongs to flow {state.flow_id!r}",), FOREIGN)
    elif state.status is not ExecutionStatus.PENDING or state._data.activations:
        moves = tuple(sorted(MOVES[state.status]))
        raise InvalidTransition(state.job_id, str(state.status), "started", moves)
    metadata = launch.metadata or {}
    if not isinstance(metadata, Mapping):
        raise InvalidOption("metadata", metadata, "a dict")
    job = _job(manager, plan, state, launch)
    job.driven = driven
    data = state._data
    started = JobStarted(
        0, 0.0, data.job_id, flow.flow_id, data.root, data.created_at, plan.fingerprint, limit, dict(metadata)
    )
    _admit(manager, job)
    try:
        job.begin(started, slot, payload)
    except BaseException:
        _withdraw(manager, job)
        raise
    return job


def resumed_job(manager: JobManager, flow: Flow, state: JobState, *, accept_changes: bool) -> None:
    """Let a job go on, in the job that it has or in a new one; of several who ask at once, one does it."""
    plan = checked_plan(manager, flow)
    _check_fit(plan, state, accept_changes=accept_changes)
    status, job = state.status, state._job
    if status is ExecutionStatus.PAUSING and job is not None:
        job.unpause()
        status = state.status
    if status is ExecutionStatus.RUNNING or not state.claim():
        return
    try:
        status, job = state.status, state._job
        if status.final:
            raise InvalidTransition(state.job_id, str(status), "running", ())
        if status in {ExecutionStatus.PENDING, ExecutionStatus.PAUSED}:
            if job is None or job.manager is not manager or job.plan is not plan:
                job = _job(manager, plan, state, Launch())
            _admit(manager, job)
            try:
                job.go_on()
            except BaseException:
                _withdraw(manager, job)
                raise
    finally:
        state.unclaim()


def forked_state(flow: Flow, state: JobState) -> JobState:
    """Return a new state with everything that `state` had not done."""
    if state.status in {ExecutionStatus.RUNNING, ExecutionStatus.PAUSING}:
        raise InvalidTransition(state.job_id, str(state.status), "forked", ("paused", "cancelled"))
    _check_flow(flow, state)
    origin, fork = state._data, JobState(flow.flow_id)
    inherited = legacy(origin)
    failed = {number: activation.renewed() for number, activation in origin.failed.items()}
    inherited["activations"] = dict(sorted({**origin.activations, **failed}.items()))
    inherited["failed"] = {}
    fork._change(
        JobForked(
            0,
            0.0,
            fork.job_id,
            flow.flow_id,
            origin.root,
            fork._data.created_at,
            origin.fingerprint,
            origin.timeout,
            {**origin.metadata, "forked_from": origin.job_id},
            inherited,
        )
    )
    return fork


def _check_flow(flow: Flow, state: JobState) -> None:
    if state.flow_id != flow.flow_id:
        raise FlowMismatch(flow.flow_id, (f"it belongs to flow {state.flow_id!r}",), FOREIGN)


def _check_fit(plan: Plan, state: JobState, *, accept_changes: bool) -> None:
    _check_flow(plan.flow, state)
    data = state._data
    found = differences(data.fingerprint, plan.fingerprint) if data.fingerprint else ()
    if found and not accept_changes:
        raise FlowMismatch(plan.flow.flow_id, found, "pass accept_changes=True to run it all the same")
    waiting = [activation.target for activation in data.activations.values()]
    waiting += [f"{routine_id}.{slot}" for routine_id, slot in data.held]
    known = {f"{routine_id}.{name}" for routine_id, slots in plan.slots.items() for name in slots}
    gone = [f"work waits for slot {target}, which is gone" for target in sorted(set(waiting) - known)]
    for routine_id, event, _, _ in data.deferred:
        if routine_id not in plan.slots or event not in plan.flow.routine(routine_id).events:
            gone.append(f"a deferred event is of {routine_id}.{event}, which is gone")
    if gone:
        raise FlowMismatch(plan.flow.flow_id, tuple(gone), "give the flow those slots and events again")


def _job(manager: JobManager, plan: Plan, state: JobState, launch: Launch) -> Job:
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
        if old is not None and not (old.ended and state.status is ExecutionStatus.PAUSED):
            raise InvalidTransition(state.job_id, str(state.status), "started again", ())
        state._job = job
    if old is not None:
        old.released = True
    return job


def _withdraw(manager: JobManager, job: Job) -> None:
    """Let a job be as if it had not been tried."""
    manager.forget(job)
    with job.job_state._lock:
        if job.status is ExecutionStatus.PENDING:
            job.job_state._job = None


def _admit(manager: JobManager, job: Job) -> None:
    try:
        manager.admit(job)
    except BaseException:
        _withdraw(manager, job)
        raise
    if job.parent is not None:
        job.parent.adopt(job)
