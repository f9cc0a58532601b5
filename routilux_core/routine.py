"""Routine: a node of a flow, with slots and events and nothing that changes while it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from routilux_core.current import CONTEXT, current_manager
from routilux_core.definition import Definition
from routilux_core.errors import UnknownEvent
from routilux_core.facts import EventEmitted
from routilux_core.job_errors import NoActiveJob

if TYPE_CHECKING:
    from routilux_core.context import ExecutionContext
    from routilux_core.flow import Flow


class Routine(Definition):
    """A node of a flow. Subclass it, give it slots and events, and connect it.

    >>> from routilux_core import Event, slot
    >>> class Double(Routine):
    ...     output = Event("value")
    ...     @slot
    ...     def trigger(self, value):
    ...         self.emit("output", value=2 * value)
    >>> sorted(Double().events)
    ['output']
    """

    def emit(self, event: str, flow: Flow | None = None, /, **data: Any) -> None:
        """Send `event` with `data` to every slot that is connected to it.

        Inside a job it takes effect when the handler returns, or at a generator's next yield. Outside a
        job the connected handlers are called here and now, in `flow` or the one flow of this routine.
        """
        context = CONTEXT.get()
        if event not in self._events:
            name = type(self).__name__ if context is None else context.routine_id
            raise UnknownEvent(event, tuple(self._events), name)
        if context is None:
            current_manager().emit_directly(self, event, flow, data)
        else:
            slot = context.slot
            routine_id = slot.routine_id if self is slot.routine else context.place_of(self)
            context.effects.append(EventEmitted(0, 0.0, context.activation, routine_id, event, data))

    def emit_deferred_event(self, event: str, /, **data: Any) -> None:
        """Set `event` aside until the job is resumed."""
        self._context("emit_deferred_event").emit_deferred(self, event, data)

    def send_output(self, output_type: str, /, **data: Any) -> None:
        """Send `data` to the job's output handler and output log, at once."""
        self._context("send_output").send_output(output_type, data)

    def get_execution_context(self) -> ExecutionContext | None:
        """Return flow, job state and routine id of the handler that runs here; None outside a job."""
        return CONTEXT.get()

    def stats(self) -> dict[str, Any]:
        """Return what this routine recorded: in this job, or outside over all jobs of this process."""
        context = CONTEXT.get()
        return current_manager().stats(self) if context is None else context.stats(self)

    def set_stat(self, key: str, value: Any) -> None:
        """Record a value."""
        context = CONTEXT.get()
        if context is None:
            current_manager().set_stat(self, key, value)
        else:
            context.set_stat(self, key, value)

    def increment_stat(self, key: str, by: float = 1) -> None:
        """Count something."""
        context = CONTEXT.get()
        if context is None:
            current_manager().increment_stat(self, key, by)
        else:
            context.increment_stat(self, key, by)

    def _context(self, what: str) -> ExecutionContext:
        context = CONTEXT.get()
        if context is None:
            raise NoActiveJob(what, "it works inside a handler that a job runs")
        return context

    def __repr__(self) -> str:
        return f"<{type(self).__name__} slots={tuple(self._slots)!r} events={tuple(self._events)!r}>"
