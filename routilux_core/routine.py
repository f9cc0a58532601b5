"""Routine: a node of a flow, with slots and events and nothing that changes while it runs."""

from __future__ import annotations

from types import FunctionType, MappingProxyType
from typing import TYPE_CHECKING, Any, Self
from weakref import WeakSet

from routilux_core.current import CONTEXT, current_manager
from routilux_core.error_handler import ErrorHandler, ErrorStrategy
from routilux_core.errors import DuplicateName, InvalidOption, UnknownEvent, UnknownSlot
from routilux_core.facts import EventEmitted
from routilux_core.job_errors import InsideJob, NoActiveJob
from routilux_core.slot import MARK, Event, Slot, checked_options, make_event

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from routilux_core.binding import Handler
    from routilux_core.context import ExecutionContext
    from routilux_core.flow import Flow


class Routine:
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

    _slots: dict[str, Slot]
    _events: dict[str, Event]
    _config: dict[str, Any]
    _error_handler: ErrorHandler | None
    flows: WeakSet[Flow]
    """The flows that it was added to."""

    def __new__(cls, *_args: object, **_config: object) -> Self:
        """Give it its slots and events here, so that a subclass need not call `super().__init__`."""
        routine = super().__new__(cls)
        routine._slots, routine._events, routine._config = {}, {}, {}
        routine._error_handler, routine.flows = None, WeakSet()
        for owner in reversed(cls.__mro__):
            for name, value in vars(owner).items():
                if isinstance(value, Event):
                    routine._events[name] = value
                elif isinstance(value, FunctionType) and hasattr(value, MARK):
                    slot_name, options = getattr(value, MARK)
                    routine._slots[slot_name] = Slot(slot_name, getattr(routine, name), **options)
        return routine

    def __init__(self, **config: Any) -> None:
        self._config.update(config)

    # -- definition ------------------------------------------------------------------------------------

    @property
    def slots(self) -> Mapping[str, Slot]:
        """The inputs, by name."""
        return MappingProxyType(self._slots)

    @property
    def events(self) -> Mapping[str, Event]:
        """The outputs, by name."""
        return MappingProxyType(self._events)

    def define_slot(
        self,
        name: str,
        handler: Handler | None = None,
        merge_strategy: Any = "override",
        **options: Any,
    ) -> Slot:
        """Add an input; `options` are `when`, `concurrency`, `timeout`, `priority`, `retry`."""
        slot = Slot(name, handler, merge_strategy=merge_strategy, **checked_options(options))
        if name in self._slots:
            raise DuplicateName("slot", name, f"routine {type(self).__name__!r}")
        self._slots[name] = slot
        self._changed()
        return slot

    def define_event(
        self, name: str, output_params: Iterable[str] | Mapping[str, Any] | None = None
    ) -> Event:
        """Add an output; `output_params` names its fields, or maps their names to types."""
        event = make_event(name, output_params)
        if name in self._events:
            raise DuplicateName("event", name, f"routine {type(self).__name__!r}")
        self._events[name] = event
        self._changed()
        return event

    def get_slot(self, name: str) -> Slot:
        """Return the slot of that name."""
        if name not in self._slots:
            raise UnknownSlot(name, tuple(self._slots), type(self).__name__)
        return self._slots[name]

    def get_event(self, name: str) -> Event:
        """Return the event of that name."""
        if name not in self._events:
            raise UnknownEvent(name, tuple(self._events), type(self).__name__)
        return self._events[name]

    @property
    def error_handler(self) -> ErrorHandler | None:
        """What happens when a handler of this routine fails, where it was said."""
        return self._error_handler

    def set_error_handler(self, handler: ErrorHandler) -> None:
        """Say what happens when a handler of this routine fails; a slot's `retry` goes before it."""
        if not isinstance(handler, ErrorHandler):
            raise InvalidOption("error handler", handler, "an ErrorHandler")
        self._error_handler = handler
        self._changed()

    def set_as_critical(self, strategy: ErrorStrategy | str = ErrorStrategy.RETRY, **options: Any) -> None:
        """Let the job fail when this routine does, after retries unless `strategy` says otherwise."""
        self.set_error_handler(ErrorHandler(strategy, is_critical=True, **options))

    def set_as_optional(self, strategy: ErrorStrategy | str = ErrorStrategy.CONTINUE, **options: Any) -> None:
        """Let the job go on when this routine fails."""
        self.set_error_handler(ErrorHandler(strategy, is_optional=True, **options))

    def _changed(self) -> None:
        for flow in self.flows:
            flow.forget_plan()

    # -- configuration ---------------------------------------------------------------------------------

    def set_config(self, **config: Any) -> None:
        """Set static configuration; not from inside a job, where it would change other jobs too."""
        if CONTEXT.get() is not None:
            reason = "configuration is shared by all jobs; keep what changes in the job's shared data"
            raise InsideJob("set_config", reason)
        self._config.update(config)

    def get_config(self, key: str, default: Any = None) -> Any:
        """Return one configured value."""
        return self._config.get(key, default)

    def config(self) -> dict[str, Any]:
        """Return a copy of the configuration."""
        return dict(self._config)

    # -- while a job runs ------------------------------------------------------------------------------

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
