"""Definition: the half of a routine that never changes while it runs."""

from __future__ import annotations

from types import FunctionType, MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Self
from weakref import WeakSet

from routilux_core.configuration import checked_declaration, configured, defaults
from routilux_core.current import CONTEXT
from routilux_core.document_errors import InvalidDocument
from routilux_core.error_handler import ErrorHandler, ErrorStrategy
from routilux_core.errors import DuplicateName, InvalidOption, UnknownEvent, UnknownSlot
from routilux_core.job_errors import InsideJob
from routilux_core.routine_document import PATH, SCHEMA, checked_body, describes, restore, routine_body
from routilux_core.slot import MARK, Event, Slot, checked_options, make_event

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from routilux_core.binding import Handler
    from routilux_core.flow import Flow


class Definition:
    """Slots, events and configuration, and how they are saved."""

    Config: ClassVar[Any] = None
    """The configuration of a class as an attrs class: names, types, defaults."""

    _given: tuple[int, tuple[str, ...]]
    """How many arguments its constructor was given by position, and which ones by name."""
    _slots: dict[str, Slot]
    _events: dict[str, Event]
    _config: dict[str, Any]
    _error_handler: ErrorHandler | None
    flows: WeakSet[Flow]
    """The flows that it was added to."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        checked_declaration(cls, cls.Config)

    def __new__(cls, *args: object, **named: object) -> Self:
        """Give it its slots and events here, so that a subclass need not call `super().__init__`."""
        if args and cls.__init__ is Definition.__init__:
            wanted = f"configuration by name: {cls.__name__}(name=value)"
            raise InvalidOption(f"an argument of {cls.__name__}", args[0], wanted)
        routine = super().__new__(cls)
        routine._given = len(args), tuple(named)
        routine._slots, routine._events, routine._config = {}, {}, defaults(cls.Config)
        routine._error_handler, routine.flows = None, WeakSet()
        for owner in reversed(cls.__mro__):
            for name, value in vars(owner).items():
                if isinstance(value, Event):
                    routine._events[name] = value
                elif isinstance(value, FunctionType) and hasattr(value, MARK):
                    slot_name, options = getattr(value, MARK)
                    routine._slots[slot_name] = Slot(slot_name, getattr(routine, name), **options)
        return routine

    @classmethod
    def _bare(cls) -> Definition:
        """Return an object with what the class declares, and nothing of its constructor."""
        return Definition.__new__(cls)

    def __init__(self, **config: Any) -> None:
        self._config = configured(type(self), self.Config, {**self._config, **config})

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
        self._config = configured(type(self), self.Config, {**self._config, **config})
        self._changed()

    def get_config(self, key: str, default: Any = None) -> Any:
        """Return one configured value."""
        return self._config.get(key, default)

    def config(self) -> dict[str, Any]:
        """Return a copy of the configuration."""
        return dict(self._config)

    # -- documents -------------------------------------------------------------------------------------

    def serialize(self) -> dict[str, Any]:
        """Return class, configuration and error handler as a document: a dict that JSON can express.

        `NotRebuildable` if the routine could not be made again from that: its constructor was given what
        `config()` does not hold, or somebody else has defined its slots.
        """
        return SCHEMA.envelope(routine_body(self, PATH))

    def deserialize(self, data: Mapping[str, Any]) -> Self:
        """Take configuration and error handler from a document of this class."""
        if self.flows and CONTEXT.get() is not None:
            raise InsideJob("deserialize", "configuration is shared by all jobs")
        body = checked_body(SCHEMA.open(data), PATH)
        if not describes(body, type(self)):
            own = f"{type(self).__module__}.{type(self).__qualname__}"
            raise InvalidDocument(PATH, f"it is of class {body['class']!r}, and this routine of {own!r}")
        restore(self, body, PATH)
        self._changed()
        return self
