"""JobState: one run of a flow as data, to look at, to add to, to keep and to move."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Self

from routilux_core import facts
from routilux_core.apply import apply
from routilux_core.current import current_manager
from routilux_core.effect import SharedDataModified
from routilux_core.errors import InvalidOption
from routilux_core.fact import Fact
from routilux_core.identity import digest, new_id
from routilux_core.job_errors import NoActiveJob
from routilux_core.job_view import JobView
from routilux_core.outputs import OutputHandler
from routilux_core.schema import load, save_text, write

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from os import PathLike

    from routilux_core.job_data import JobData
    from routilux_core.manager import JobManager
    from routilux_core.stored_job import StoredJob


class JobState(JobView):
    """Everything that changes while a flow runs, for one run.

    Read it from any thread at any time. Inside a handler of its job, reads see what the handler wrote, and
    writes take effect with the handler; from anywhere else they take effect at once.
    """

    __slots__ = ()

    def add_deferred_event(self, routine_id: str, event: str, data: dict[str, Any] | None = None) -> None:
        """Set an event aside until the job is resumed."""
        if self._job is not None:
            self._job.flow.routine(routine_id).get_event(event)
        context = self._context()
        if context is not None:
            lineage = context.next_lineage()
        else:
            lineage = digest(f"{self._data.root} deferred {new_id()}")
        self._change(facts.DeferredEventAdded(0, 0.0, routine_id, event, dict(data or {}), lineage))

    def update_routine_state(self, routine_id: str, state: dict[str, Any]) -> None:
        """Add keys to a routine's state."""
        for name in ("activations", "execution_time"):
            if not isinstance(state.get(name, 0), (int, float)):
                raise InvalidOption(f"{name} of a routine's state", state[name], "a number")
        self._change(facts.RoutineStateUpdated(0, 0.0, routine_id, dict(state)))

    def record_execution(self, routine_id: str, event_name: str, data: dict[str, Any]) -> None:
        """Add a line to the history."""
        self._change(facts.ExecutionRecorded(0, 0.0, routine_id, event_name, dict(data)))

    def update_shared_data(self, key: str, value: Any) -> None:
        """Set one value of the shared data."""
        self._change(facts.SharedDataSet(0, 0.0, _checked_key(key), value))

    def modify_shared_data(self, key: str, function: Callable[[Any], Any], default: Any = None) -> None:
        """Replace a value by `function(value)` without losing what others do to it.

        The function is applied when the effects are, so it may be called more than once and must be pure.
        """
        self._change(SharedDataModified(_checked_key(key), function, default))

    def append_to_shared_log(self, entry: Any) -> None:
        """Add an entry to the shared log."""
        self._change(facts.SharedLogAppended(0, 0.0, entry))

    # -- what goes out ---------------------------------------------------------------------------------

    def set_output_handler(self, handler: OutputHandler | None) -> None:
        """Say where the outputs go, from now on."""
        if handler is not None and not isinstance(handler, OutputHandler):
            raise InvalidOption("output handler", handler, "an OutputHandler, or None")
        self._output_handler = handler

    def send_output(self, output_type: str, /, **data: Any) -> None:
        """Send an output, at once."""
        context = self._context()
        if context is not None:
            context.send_output(output_type, data)
            return
        self._change(facts.OutputSent(0, 0.0, None, output_type, data, 0))

    # -- keeping and moving it -------------------------------------------------------------------------

    def serialize(self) -> dict[str, Any]:
        """Return everything about the run as plain data for JSON, of one moment also while it runs.

        What a handler has done is in it when it has returned; of one that runs, the activation is pending.
        """
        from routilux_core.job_document import write_job  # noqa: PLC0415 - costly, and only for jobs that are saved
        from routilux_core.snapshot import snapshot  # noqa: PLC0415 - as above

        data, history = snapshot(self)
        return write_job(data, history, self._manager().converter)

    def deserialize(self, data: Mapping[str, Any]) -> Self:
        """Become what `serialize` was given; for a state that nothing has happened to.

        A job that ran at that moment is paused, with what its handlers were at pending again.
        """
        from routilux_core.job_document import read_job  # noqa: PLC0415 - see serialize

        restored, history = read_job(data, self._manager().converter)
        with self._lock:
            if self._job is not None or self._data.number:
                wanted = "one that nothing has happened to: JobState().deserialize(data)"
                raise InvalidOption("the state to restore into", self, wanted)
            self._data, self._history = restored, history
        return self

    def save(self, path: str | PathLike[str]) -> None:
        """Write it into a file as JSON, which only its owner may read: whole, or not at all."""
        save_text(path, write(self.serialize()))

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Return the state that `save` wrote."""
        return load(path, "job_state", cls().deserialize)

    def become(self, stored: StoredJob) -> None:
        """Be as a store has the job. Who ran it here, before others did, has no part in it any more."""
        with self._lock:
            job, self._job = self._job, None
            if job is not None:
                job.released = True
            self._data, self._history = stored.data, stored.history
            self._archive, self._base = stored.archive, stored.data.number

    def forget_since(self, past: list[Fact]) -> None:
        """Be as after those facts: what came later did not happen after all."""
        fresh = JobState(self._data.flow_id, self._data.job_id)
        fresh._data.created_at = fresh._data.updated_at = self._data.created_at
        with self._lock:
            self._data, self._history, self._job = fold(past, fresh), past, None

    def _manager(self) -> JobManager:
        job = self._job
        return current_manager() if job is None else job.manager

    # -- how it changes --------------------------------------------------------------------------------

    def claim(self) -> bool:
        """Be the one who resumes it; False when somebody else is at it right now."""
        with self._lock:
            if self._claimed:
                return False
            self._claimed = True
            return True

    def unclaim(self) -> None:
        """Have done so."""
        self._claimed = False

    def _change(self, effect: Any) -> None:
        context = self._context()
        if context is not None:
            context.add(effect)
            return
        while True:
            job = self._job
            if job is not None and job.change(effect):
                return
            seen = self._data.number
            fact = self._resolved(effect)
            with self._lock:
                if (self._job is None or self._job.released) and self._data.number == seen:
                    fact.number, fact.at = seen + 1, max(time.time(), self._data.updated_at)
                    apply(self._data, fact)
                    self._history.append(fact)
                    break
        if isinstance(fact, facts.OutputSent) and self._output_handler is not None:
            self._output_handler.handle(fact.entry())

    def _resolved(self, effect: Any) -> Fact:
        if isinstance(effect, SharedDataModified):
            return effect.resolved(self._data.shared_data)
        if not isinstance(effect, Fact):
            raise NoActiveJob(type(effect).__name__, "it needs a running job")
        return effect


def _checked_key(key: object) -> str:
    if not isinstance(key, str):
        raise InvalidOption("a shared data key", key, "text")
    return key


def fold(history: list[Fact], origin: JobState | None = None) -> JobData:
    """Return what the facts add up to, from the first one on."""
    first = JobState() if origin is None else origin
    data = first._data
    for fact in history:
        apply(data, fact)
    return data
