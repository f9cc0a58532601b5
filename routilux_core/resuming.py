"""Resuming: from a state that stands still to a job that goes on, or to a new one with what it had left."""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING

from routilux_core.engine import Answer
from routilux_core.facts import JobForked
from routilux_core.job_data import legacy
from routilux_core.job_errors import FlowMismatch, InvalidTransition
from routilux_core.launch import Launch, admit, check_flow, checked_plan, made_job, withdraw
from routilux_core.plan import Plan, differences
from routilux_core.standstill import LIVE, stand_still
from routilux_core.state import JobState
from routilux_core.status import ExecutionStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from routilux_core.fact import Fact
    from routilux_core.flow import Flow
    from routilux_core.journal import Journal
    from routilux_core.keeping import Recalled
    from routilux_core.manager import JobManager
    from routilux_core.store import Claim, Request

ENDED = "its process is gone"
"""Why a job stood still that nobody ran any more."""
WAITED_FOR = "it goes on with the handler that waits for it, of job "
"""How the note of a job begins that nobody takes up by itself."""


def waited_for(outer: str) -> str:
    """Return the note of a job that a handler of the job `outer` waits for."""
    return f"{WAITED_FOR}{outer!r}"


def outer_of(note: str) -> str | None:
    """Return the id of the job whose handler waits for the one with that note; None where no handler does."""
    return note.removeprefix(WAITED_FOR).strip("'") if note.startswith(WAITED_FOR) else None


def resumed_job(
    manager: JobManager,
    flow: Flow,
    state: JobState,
    *,
    accept_changes: bool = False,
    claim: Claim | None = None,
    recovers: bool = False,
) -> None:
    """Let a job go on, in the job that it has or in a new one; of several who ask at once, one does it.

    `claim` is one that the caller has on it already, and sees to if this fails. Who `recovers` a job lets it
    be as if nothing had been: one that was about to pause is paused, and deferred events wait until somebody
    resumes it.
    """
    plan = checked_plan(manager, flow)
    check_flow(plan.flow, state)
    status, job = state.status, state._job
    if status is ExecutionStatus.PAUSING and job is not None:
        _check_fit(plan, state, accept_changes=accept_changes)
        job.unpause()
        status = state.status
    if (status is ExecutionStatus.RUNNING and job is not None) or not state.claim():
        return
    try:
        if status.final:
            raise InvalidTransition(state.job_id, str(status), "running", ())
        keeping = manager.keeping
        if job is not None and status is ExecutionStatus.PAUSED and not job.ended:
            _check_fit(plan, state, accept_changes=accept_changes)
            if job.after_pause(
                partial(resumed_job, manager, flow, state, accept_changes=accept_changes, recovers=recovers)
            ):
                return
        with nullcontext() if keeping is None else keeping.reservations.of(state.job_id, job):
            recalled = None if keeping is None else keeping.recall(state, claim)
            try:
                _check_fit(plan, state, accept_changes=accept_changes)
                _go_on(manager, plan, state, recalled, recovers=recovers)
            except BaseException:
                if keeping is not None and recalled is not None and claim is None:
                    keeping.give_up(recalled.claim)
                raise
    finally:
        state.unclaim()


def _go_on(
    manager: JobManager,
    plan: Plan,
    state: JobState,
    recalled: Recalled | None,
    *,
    recovers: bool,
    note: str = "",
) -> None:
    job, keeping = state._job, manager.keeping
    news: list[Fact] = []
    lives, why = state.status in LIVE, state._data.pause
    stays = recovers and state.status is ExecutionStatus.PAUSING
    if lives and job is None:
        news = stand_still(state._data, ENDED)
        state._history.extend(news)
    journal: Journal | None = None
    requests: Sequence[Request] = ()
    if keeping is not None and recalled is not None:
        journal = keeping.going_on(plan, state, recalled)
        journal.note = note
        requests = keeping.patiently(keeping.store.waiting_requests, state.job_id)
        if state.status.final or (stays and not requests):
            keeping.write(journal)
            return
    elif keeping is not None:
        journal, moved = keeping.opening(plan, state)
        news += moved
    if job is None or job.manager is not manager or job.plan is not plan or job.detached is not None:
        job = made_job(manager, plan, state, Launch())
    if journal is not None:
        job.keep(journal)
    job.announce(news)
    admit(manager, job)
    asked, pause = job.heard(requests), [(job.engine.pause, why, Answer())] if stays else []
    try:
        if recovers:  # it was to go on before anybody asked
            job.go_on((), (*pause, *asked), recovers=lives)
        else:
            job.go_on(asked)
    except BaseException:
        withdraw(manager, job)
        raise


def found_again(manager: JobManager, plan: Plan, state: JobState, note: str) -> JobState | None:
    """Let a job go on that the same handler had started before a crash; return its state, if there is one.

    One that is over already is returned as it ended. `note` is what it has until then.
    """
    keeping, running = manager.keeping, manager.get_job(state.job_id)
    if running is not None:
        return running.job_state
    if keeping is None:
        return None
    try:
        recalled = keeping.recall(state, waits=True)
    except InvalidTransition:
        state.become(keeping.read(state.job_id))
        return state
    if recalled is None:
        return None
    _go_on(manager, plan, state, recalled, recovers=True, note=note)
    return state


def forked_state(flow: Flow, state: JobState) -> JobState:
    """Return a new state with everything that `state` had not done."""
    if state.status in {ExecutionStatus.RUNNING, ExecutionStatus.PAUSING}:
        raise InvalidTransition(state.job_id, str(state.status), "forked", ("paused", "cancelled"))
    check_flow(flow, state)
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


def _check_fit(plan: Plan, state: JobState, *, accept_changes: bool) -> None:
    check_flow(plan.flow, state)
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
