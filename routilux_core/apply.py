"""`apply`: the only place where a job's data changes, one short function for each kind of fact."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from routilux_core import facts
from routilux_core.job_data import Held, JobData, PausePoint, RoutineRecord, copied
from routilux_core.merge import APPEND, gather
from routilux_core.status import ExecutionStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from routilux_core.activation import Activation
    from routilux_core.fact import Fact


def apply(data: JobData, fact: Fact) -> None:
    """Let `fact` have happened to `data`."""
    APPLY[type(fact)](data, fact)
    data.number = fact.number
    data.updated_at = fact.at


def _record(data: JobData, routine_id: str) -> RoutineRecord:
    record = data.routines.get(routine_id)
    if record is None:
        record = data.routines[routine_id] = RoutineRecord()
    return record


def _add(data: JobData, activations: Iterable[Activation]) -> None:
    for activation in activations:
        data.activations[activation.id] = activation
        if activation.id > data.last_id:
            data.last_id = activation.id


def _drop(data: JobData, activation: Activation) -> None:
    data.activations.pop(activation.id, None)
    data.running.pop(activation.id, None)
    data.deaths.pop(activation.id, None)


def _stop_clock(data: JobData, at: float) -> None:
    if data.running_since is not None:
        data.used += at - data.running_since
        data.running_since = None


# -- the job -------------------------------------------------------------------------------------------


def _job_started(data: JobData, fact: facts.JobStarted) -> None:
    data.job_id, data.flow_id, data.root = fact.job_id, fact.flow_id, fact.root
    data.created_at, data.running_since = fact.created_at, fact.at
    data.fingerprint, data.timeout = fact.fingerprint, fact.timeout
    data.metadata = dict(fact.metadata)
    data.status = ExecutionStatus.RUNNING


def _job_forked(data: JobData, fact: facts.JobForked) -> None:
    _job_submitted(data, fact)
    for name, value in fact.legacy.items():
        setattr(data, name, copied(name, value))


def _job_submitted(data: JobData, fact: facts.JobStarted) -> None:
    data.job_id, data.flow_id, data.root = fact.job_id, fact.flow_id, fact.root
    data.created_at, data.metadata = fact.created_at, dict(fact.metadata)
    data.fingerprint, data.timeout = fact.fingerprint, fact.timeout


def _job_moved(data: JobData, fact: facts.JobMoved) -> None:
    for name, value in fact.whole.items():
        setattr(data, name, copied(name, value))


def _pause_requested(data: JobData, fact: facts.PauseRequested) -> None:
    data.status = ExecutionStatus.PAUSING
    data.pause = (fact.reason, fact.checkpoint)


def _job_paused(data: JobData, fact: facts.JobPaused) -> None:
    data.status = ExecutionStatus.PAUSED
    data.pause, data.checkpoint = None, fact.checkpoint
    data.pause_points.append(PausePoint(fact.at, fact.reason, fact.checkpoint, fact.pending))
    data.running.clear()
    _stop_clock(data, fact.at)


def _job_resumed(data: JobData, fact: facts.JobResumed) -> None:
    data.status, data.pause = ExecutionStatus.RUNNING, None
    data.fingerprint = fact.fingerprint
    if data.running_since is None:
        data.running_since = fact.at


def _ended(data: JobData, fact: Fact, status: ExecutionStatus) -> None:
    data.status, data.pause = status, None
    data.running.clear()
    _stop_clock(data, fact.at)


def _job_completed(data: JobData, fact: facts.JobCompleted) -> None:
    _ended(data, fact, ExecutionStatus.COMPLETED)


def _job_stopped(data: JobData, fact: facts.JobStopped) -> None:
    _ended(data, fact, ExecutionStatus.FAILED)
    if fact.error != data.stopping:
        data.errors.append(fact.error)


def _job_cancelled(data: JobData, fact: facts.JobCancelled) -> None:
    _ended(data, fact, ExecutionStatus.CANCELLED)


# -- events and payloads -------------------------------------------------------------------------------


def _event_posted(data: JobData, fact: facts.EventPosted) -> None:
    _add(data, fact.activations)


def event_emitted(data: JobData, fact: facts.EventEmitted) -> None:
    """Let what follows at once be pending."""
    for activation in fact.activations:
        data.last_id = activation.id
        data.activations[activation.id] = activation
    if not fact.connected:
        data.results.setdefault(f"{fact.routine_id}.{fact.event}", []).append(fact.data)


def _deferred_added(data: JobData, fact: facts.DeferredEventAdded) -> None:
    data.deferred.append((fact.routine_id, fact.event, fact.data, fact.lineage))


def _deferred_released(data: JobData, _fact: facts.DeferredEventReleased) -> None:
    data.deferred.popleft()


def _payload_merged(data: JobData, fact: facts.PayloadMerged) -> None:
    target = (fact.routine_id, fact.slot)
    if fact.strategy == APPEND:
        gather(data.merged.setdefault(target, {}), fact.payload)
    else:
        data.merged[target] = fact.payload


def _payload_held(data: JobData, fact: facts.PayloadHeld) -> None:
    groups = data.held.setdefault((fact.routine_id, fact.slot), {})
    lane = groups.setdefault(fact.key, {}).setdefault(fact.lane, deque())
    lane.append(Held(fact.payload, fact.lineage, fact.at))


def _take(data: JobData, fact: facts.PayloadsReleased | facts.PayloadsUnmatched) -> None:
    if not fact.took:
        return
    target = (fact.routine_id, fact.slot)
    groups = data.held[target]
    group = groups[fact.key]
    for name, count in fact.took:
        lane = group[name]
        for _ in range(count):
            lane.popleft()
        if not lane:
            del group[name]
    if not group:
        del groups[fact.key]
        if not groups:
            del data.held[target]


def _payloads_released(data: JobData, fact: facts.PayloadsReleased) -> None:
    _take(data, fact)
    _add(data, fact.activations)
    if fact.ends:
        data.ended[fact.routine_id, fact.slot] = True


def _delivery_failed(data: JobData, fact: facts.DeliveryFailed) -> None:
    _add(data, fact.activations)


def _delivery_retried(data: JobData, fact: facts.DeliveryRetried) -> None:
    _drop(data, fact.activation)


# -- activations ---------------------------------------------------------------------------------------


def activation_started(data: JobData, fact: facts.ActivationStarted) -> None:
    """Let it run."""
    data.running[fact.activation.id] = fact.at


def _activation_yielded(data: JobData, fact: facts.ActivationYielded) -> None:
    data.activations[fact.activation.id] = fact.activation


def activation_completed(data: JobData, fact: facts.ActivationCompleted) -> None:
    """Let it be done."""
    activation = fact.activation
    number = activation.id
    del data.activations[number]
    del data.running[number]
    if data.deaths:
        data.deaths.pop(number, None)
    record = data.routines.get(activation.routine_id)
    if record is None:
        data.routines[activation.routine_id] = RoutineRecord("completed", 1, fact.seconds)
    else:
        record.status = "completed"
        record.activations += 1
        record.execution_time += fact.seconds


def _activation_retried(data: JobData, fact: facts.ActivationRetried) -> None:
    activation = fact.activation
    data.activations[activation.id] = activation
    data.running.pop(activation.id, None)
    data.errors.append(fact.error)
    record = _record(data, activation.routine_id)
    record.status, record.error = "retrying", fact.error


def _gave_up(data: JobData, fact: facts.ActivationFailed | facts.ActivationSkipped, status: str) -> None:
    activation = fact.activation
    _drop(data, activation)
    data.errors.append(fact.error)
    record = _record(data, activation.routine_id)
    record.status, record.error = status, fact.error
    record.activations += 1


def _activation_failed(data: JobData, fact: facts.ActivationFailed) -> None:
    _gave_up(data, fact, "failed")
    if fact.stops:
        data.failed[fact.activation.id] = fact.activation
        if data.stopping is None:
            data.stopping = fact.error


def _activation_skipped(data: JobData, fact: facts.ActivationSkipped) -> None:
    _gave_up(data, fact, "skipped")


def _activation_returned(data: JobData, fact: facts.ActivationReturned) -> None:
    data.running.pop(fact.activation.id, None)
    if fact.deaths:
        data.deaths[fact.activation.id] = fact.deaths


# -- what handlers leave behind ------------------------------------------------------------------------


def _shared_data_set(data: JobData, fact: facts.SharedDataSet) -> None:
    data.shared_data[fact.key] = fact.value


def _shared_log_appended(data: JobData, fact: facts.SharedLogAppended) -> None:
    data.shared_log.append(fact.entry)


def _stat_set(data: JobData, fact: facts.StatSet) -> None:
    data.stats.setdefault(fact.routine_id, {})[fact.key] = fact.value


def _stat_incremented(data: JobData, fact: facts.StatIncremented) -> None:
    stats = data.stats.setdefault(fact.routine_id, {})
    stats[fact.key] = stats.get(fact.key, 0) + fact.by


def _routine_state_updated(data: JobData, fact: facts.RoutineStateUpdated) -> None:
    _record(data, fact.routine_id).update(fact.update)


def _only_history(_data: JobData, _fact: Fact) -> None:
    """It changes nothing that is to come."""


def _output_sent(data: JobData, fact: facts.OutputSent) -> None:
    data.output_log.append(fact.entry())


APPLY: dict[type[Fact], Callable[[JobData, Any], None]] = {
    facts.JobStarted: _job_started,
    facts.JobForked: _job_forked,
    facts.JobSubmitted: _job_submitted,
    facts.JobMoved: _job_moved,
    facts.PauseRequested: _pause_requested,
    facts.JobPaused: _job_paused,
    facts.JobResumed: _job_resumed,
    facts.JobCompleted: _job_completed,
    facts.JobStopped: _job_stopped,
    facts.JobCancelled: _job_cancelled,
    facts.EventPosted: _event_posted,
    facts.EventEmitted: event_emitted,
    facts.DeferredEventAdded: _deferred_added,
    facts.DeferredEventReleased: _deferred_released,
    facts.PayloadMerged: _payload_merged,
    facts.PayloadHeld: _payload_held,
    facts.PayloadsReleased: _payloads_released,
    facts.PayloadsUnmatched: _take,
    facts.DeferredEventsLeft: _only_history,
    facts.DeliveryFailed: _delivery_failed,
    facts.DeliveryRetried: _delivery_retried,
    facts.ActivationStarted: activation_started,
    facts.ActivationYielded: _activation_yielded,
    facts.ActivationCompleted: activation_completed,
    facts.ActivationRetried: _activation_retried,
    facts.ActivationFailed: _activation_failed,
    facts.ActivationSkipped: _activation_skipped,
    facts.ActivationReturned: _activation_returned,
    facts.SharedDataSet: _shared_data_set,
    facts.SharedLogAppended: _shared_log_appended,
    facts.StatSet: _stat_set,
    facts.StatIncremented: _stat_incremented,
    facts.RoutineStateUpdated: _routine_state_updated,
    facts.ExecutionRecorded: _only_history,
    facts.OutputSent: _output_sent,
}
