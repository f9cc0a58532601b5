"""Starting: from a flow to a new job that runs, or one that waits in the store."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from attrs import frozen

from routilux_core.attempts import ENTRY
from routilux_core.current import CONTEXT
from routilux_core.errors import InvalidOption
from routilux_core.facts import JobStarted, JobSubmitted
from routilux_core.flow import checked_timeout
from routilux_core.job_errors import FlowMismatch, InvalidTransition, UnknownJob
from routilux_core.launch import FOREIGN, Launch, admit, checked_plan, made_job, withdraw
from routilux_core.ledger import Ledger
from routilux_core.merge import checked_payload
from routilux_core.plan import BoundSlot, Plan
from routilux_core.resuming import found_again, waited_for
from routilux_core.routing import Routing
from routilux_core.state import JobState
from routilux_core.status import MOVES, ExecutionStatus

if TYPE_CHECKING:
    from routilux_core.context import ExecutionContext
    from routilux_core.flow import Flow
    from routilux_core.job import Job
    from routilux_core.keeping import Keeping
    from routilux_core.manager import JobManager


@frozen(eq=False, repr=False)
class _Beginning:
    """What a job is to begin with, checked."""

    plan: Plan
    slot: BoundSlot
    payload: dict[str, Any]
    timeout: float | None
    metadata: dict[str, Any]

    def known(self, state: JobState) -> tuple[Any, ...]:
        """Return what the first fact of a job says of it, but for number and time."""
        data, plan = state._data, self.plan
        ids = (data.job_id, plan.flow.flow_id, data.root)
        return (*ids, data.created_at, plan.fingerprint, self.timeout, self.metadata)


def new_job(
    manager: JobManager,
    flow: Flow,
    entry: tuple[str, dict[str, Any] | None],
    timeout: float | None,
    state: JobState | None,
    launch: Launch,
    *,
    driven: bool,
) -> tuple[JobState, Job | None]:
    """Start a job of `flow` and return its state, and the job itself unless that is over already.

    `driven` says that the caller will work for it.
    """
    beginning = _checked(manager, flow, entry, timeout, launch)
    context = _context_of(manager)
    note = "" if context is None or not driven else waited_for(context.job.job_id)
    if state is None:
        state, again = _new_state(manager, flow)
        if again:
            there = found_again(manager, beginning.plan, state, note)
            if there is not None:
                return there, there._job
    elif state.flow_id not in {None, flow.flow_id}:
        raise FlowMismatch(flow.flow_id, (f"it belongs to flow {state.flow_id!r}",), FOREIGN)
    elif state.status is not ExecutionStatus.PENDING or state._data.activations:
        moves = tuple(sorted(MOVES[state.status]))
        raise InvalidTransition(state.job_id, str(state.status), "started", moves)
    job = made_job(manager, beginning.plan, state, launch)
    job.driven = driven
    _begin(manager, job, beginning, note)
    return state, job


def _checked(
    manager: JobManager,
    flow: Flow,
    entry: tuple[str, dict[str, Any] | None],
    timeout: float | None,
    launch: Launch,
) -> _Beginning:
    plan = checked_plan(manager, flow)
    slot = plan.slot(entry[0], launch.entry_slot)
    given: Any = {} if entry[1] is None else entry[1]
    payload = checked_payload("entry_params", dict(given) if isinstance(given, Mapping) else given)
    limit = checked_timeout("timeout", timeout) or flow.execution_timeout
    metadata = launch.metadata or {}
    if not isinstance(metadata, Mapping):
        raise InvalidOption("metadata", metadata, "a dict")
    if manager.keeping is not None:
        manager.converter.encode(payload, "entry_params")
        manager.converter.encode(dict(metadata), "metadata")
    return _Beginning(plan, slot, payload, limit, dict(metadata))


def _begin(manager: JobManager, job: Job, beginning: _Beginning, note: str) -> None:
    state, past = job.job_state, list(job.job_state._history)
    try:
        if manager.keeping is not None:
            journal, news = manager.keeping.opening(beginning.plan, state)
            journal.note = note
            job.keep(journal)
            job.announce(news)
        admit(manager, job)
        job.begin(JobStarted(0, 0.0, *beginning.known(state)), beginning.slot, beginning.payload)
    except KeyboardInterrupt:
        if job.status is ExecutionStatus.PENDING:  # or else it broke into the wait for the store alone
            withdraw(manager, job)
        raise
    except BaseException:
        withdraw(manager, job)
        if job.detached is not None:  # the store did not take it in, so it has not begun
            state.forget_since(past)
        raise


def submitted_state(
    manager: JobManager,
    keeping: Keeping,
    flow: Flow,
    entry: tuple[str, dict[str, Any] | None],
    timeout: float | None,
    launch: Launch,
) -> JobState:
    """Return the state of a new job that is in the store, for whoever takes it up."""
    beginning = _checked(manager, flow, entry, timeout, launch)
    state, again = _new_state(manager, flow)
    if again:
        with suppress(UnknownJob):
            state.become(keeping.read(state.job_id))
            return state
    data = state._data
    ledger = Ledger(data, state._history)
    ledger.now = data.created_at
    ledger.happen(JobSubmitted(0, 0.0, *beginning.known(state)))
    Routing(ledger, beginning.plan).post(beginning.slot, beginning.payload, ENTRY)
    journal, _ = keeping.opening(beginning.plan, state)
    keeping.submit(journal)
    state._base = data.number
    return state


def _new_state(manager: JobManager, flow: Flow) -> tuple[JobState, bool]:
    """Return the state of a job that is to be, and whether the handler that asks may have done so before."""
    context = _context_of(manager)
    state = JobState(flow.flow_id, None if context is None else context.next_job_id())
    state._data.created_at = state._data.updated_at = manager.clock.time()
    return state, context is not None and context.job.epoch > 1


def _context_of(manager: JobManager) -> ExecutionContext | None:
    """Return the context of the handler that calls, if its job is kept in the store of this manager."""
    context = CONTEXT.get()
    kept = context is not None and context.manager is manager and context.job.journal is not None
    return context if kept else None
