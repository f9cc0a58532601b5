"""JobView: one run of a flow, to look at."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from attrs import frozen

from routilux_core.archived_job import ArchivedJob
from routilux_core.current import CONTEXT
from routilux_core.job_data import PausePoint, RoutineRecord
from routilux_core.job_errors import JobFailed
from routilux_core.record import ExecutionRecord, as_records, moment
from routilux_core.status import ExecutionStatus
from routilux_core.views import ListView

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime  # noqa: TC004 - nothing asks attrs what a field holds

    from routilux_core.activation import Activation
    from routilux_core.context import ExecutionContext
    from routilux_core.error_record import ErrorRecord
    from routilux_core.fact import Fact


ASTRAY = -1
"""Stands for the number of the last fact in a store where what is here is not what the store has."""


@frozen(kw_only=True)
class PendingTask:
    """An activation that a job still has to run."""

    routine_id: str
    slot: str
    data: dict[str, Any]
    source: str | None
    priority: int
    attempt: int
    max_retries: int
    created_at: datetime
    due_at: datetime | None


class JobView(ArchivedJob):
    """What one may see of a run, from any thread at any time; inside a handler of it, with its own writes."""

    __slots__ = ()

    # -- what it is ------------------------------------------------------------------------------------

    @property
    def job_id(self) -> str:
        """The id of this run."""
        return self._data.job_id

    @property
    def flow_id(self) -> str | None:
        """The id of the flow that it runs."""
        return self._data.flow_id

    @property
    def status(self) -> ExecutionStatus:
        """Where it is in its life."""
        return self._data.status

    @property
    def created_at(self) -> datetime:
        """When it was made, in UTC."""
        return moment(self._data.created_at)

    @property
    def updated_at(self) -> datetime:
        """When something last happened to it, in UTC."""
        return moment(self._data.updated_at)

    @property
    def metadata(self) -> Mapping[str, Any]:
        """What its starter said about it."""
        return MappingProxyType(self._data.metadata)

    @property
    def checkpoint(self) -> Any:
        """What the last pause left behind."""
        return self._data.checkpoint

    @property
    def current_routine_id(self) -> str | None:
        """The routine whose handler was called last and has not returned."""
        data = self._data
        for number in reversed(list(data.running)):
            activation = data.activations.get(number)
            if activation is not None:
                return activation.routine_id
        return None

    # -- what happened ---------------------------------------------------------------------------------

    @property
    def facts(self) -> ListView[Fact]:
        """All facts that are kept, in order."""
        return ListView(list(self._whole()._history))

    @property
    def execution_history(self) -> ListView[ExecutionRecord]:
        """All lines of the history that are kept, in order."""
        return ListView(list(as_records(list(self._whole()._history))))

    def get_execution_history(self, routine_id: str | None = None) -> list[ExecutionRecord]:
        """Return the lines of the history, of one routine where it is named."""
        return list(as_records(list(self._whole()._history), routine_id))

    @property
    def errors(self) -> ListView[ErrorRecord]:
        """Every error, of attempts that were retried too."""
        errors = self._whole()._data.errors
        return ListView(errors, len(errors))

    @property
    def pause_points(self) -> ListView[PausePoint]:
        """When it stood still, why, and what it had to do then."""
        return ListView(self._data.pause_points, len(self._data.pause_points))

    @property
    def results(self) -> Mapping[str, list[dict[str, Any]]]:
        """The payloads of the events that nobody is connected to, by `routine.event`."""
        results = dict(self._whole()._data.results)
        return MappingProxyType({name: list(payloads) for name, payloads in results.items()})

    @property
    def output_log(self) -> ListView[dict[str, Any]]:
        """Every output, in order."""
        outputs = self._whole()._data.output_log
        return ListView(outputs, len(outputs))

    # -- what is to come -------------------------------------------------------------------------------

    @property
    def pending_tasks(self) -> ListView[PendingTask]:
        """What it still has to run, its failed activations too where they ended it."""
        data = self._data
        waiting = [*data.failed.copy().values(), *data.activations.copy().values()]
        return ListView([_task(activation) for activation in waiting])

    @property
    def deferred_events(self) -> ListView[dict[str, Any]]:
        """The events that wait for the job to be resumed."""
        return ListView(
            [
                {"routine_id": routine_id, "event": event, "data": payload}
                for routine_id, event, payload, _ in list(self._data.deferred)
            ]
        )

    # -- what routines keep ----------------------------------------------------------------------------

    @property
    def routine_states(self) -> Mapping[str, Mapping[str, Any]]:
        """How each routine stands: status, activations, execution time, error, and the user's keys."""
        names = {**self._data.routines, **self._running()}
        return MappingProxyType({name: self._shown(name) for name in names})

    def get_routine_state(self, routine_id: str) -> dict[str, Any] | None:
        """Return how one routine stands; None before anything happened to it."""
        context = self._context()
        known = routine_id in self._data.routines or routine_id in self._running()
        update = {} if context is None else context.pending().routines.get(routine_id, {})
        return {**self._shown(routine_id), **update} if known or update else None

    def _running(self) -> dict[str, None]:
        data = self._data
        numbers = data.running.copy()
        found = (data.activations.get(number) for number in numbers)
        return {activation.routine_id: None for activation in found if activation is not None}

    def _shown(self, routine_id: str) -> dict[str, Any]:
        record = self._data.routines.get(routine_id) or RoutineRecord()
        return {**record.shown(), "status": "running"} if routine_id in self._running() else record.shown()

    def stats(self, routine_id: str) -> dict[str, Any]:
        """Return what a routine recorded in this job."""
        context = self._context()
        if context is not None:
            return context.pending().recorded(routine_id)
        return dict(self._data.stats.get(routine_id, ()))

    # -- what they share -------------------------------------------------------------------------------

    @property
    def shared_data(self) -> Mapping[str, Any]:
        """The data that all routines of the job share."""
        context = self._context()
        shared = dict(self._data.shared_data)
        if context is not None:
            shared.update(context.pending().shared_data)
        return MappingProxyType(shared)

    def get_shared_data(self, key: str, default: Any = None) -> Any:
        """Return one value of the shared data."""
        context = self._context()
        if context is not None:
            return context.pending().shared(key, default)
        return self._data.shared_data.get(key, default)

    @property
    def shared_log(self) -> ListView[Any]:
        """The log that all routines of the job share."""
        context, entries = self._context(), self._whole()._data.shared_log
        if context is not None:
            return ListView([*entries, *context.pending().shared_log])
        return ListView(entries, len(entries))

    def get_shared_log(self, filter: Callable[[Any], object] | None = None) -> list[Any]:
        """Return the entries of the shared log, those that `filter` accepts where it is given."""
        return [entry for entry in self.shared_log if filter is None or filter(entry)]

    def raise_for_status(self) -> None:
        """Raise `JobFailed` if the job failed or was cancelled, from its exception if that is at hand."""
        data = self._data
        if data.status is ExecutionStatus.FAILED:
            errors = self.errors
            last = errors[-1] if errors else "no error was recorded"
            error = str(data.stopping or last)
            raise JobFailed(data.job_id, str(data.flow_id), "failed", error) from self._cause
        if data.status is ExecutionStatus.CANCELLED:
            raise JobFailed(data.job_id, str(data.flow_id), "cancelled", "it was told to end")

    def _context(self) -> ExecutionContext | None:
        context = CONTEXT.get()
        return context if context is not None and context.job_state is self else None

    def __repr__(self) -> str:
        return f"<JobState {self.job_id!r} of flow {self.flow_id!r}: {self.status}>"


def _task(activation: Activation) -> PendingTask:
    return PendingTask(
        routine_id=activation.routine_id,
        slot=activation.slot,
        data=activation.data,
        source=activation.source,
        priority=activation.priority,
        attempt=activation.attempt,
        max_retries=activation.max_retries,
        created_at=moment(activation.created),
        due_at=None if activation.due is None else moment(activation.due),
    )
