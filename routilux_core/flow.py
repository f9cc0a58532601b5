"""Flow: routines and the connections between them, and how a job of them is to be run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import inf
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from routilux_core.connection import Connection
from routilux_core.current import current_manager
from routilux_core.error_handler import ErrorHandler
from routilux_core.errors import DuplicateName, InvalidOption, UnknownRoutine
from routilux_core.identity import checked_id, new_id
from routilux_core.picture import dot, mermaid
from routilux_core.routine import Routine

if TYPE_CHECKING:
    from routilux_core.executor import Executor
    from routilux_core.plan import Plan
    from routilux_core.state import JobState
    from routilux_core.validation import Problem


class Flow:
    """A graph of routines. It never changes while it runs, so one flow serves any number of jobs at once.

    >>> from routilux_core import routine
    >>> @routine
    ... def shout(text):
    ...     return {"text": text.upper()}
    >>> flow = Flow("greeting")
    >>> flow.add_routine(shout(), "shout")
    'shout'
    >>> flow.execute("shout", {"text": "hello"}).status == "completed"
    True
    """

    def __init__(
        self,
        flow_id: str | None = None,
        execution_strategy: str | None = None,
        max_workers: int | None = None,
        execution_timeout: float | None = None,
    ) -> None:
        self.flow_id = new_id() if flow_id is None else checked_id("flow id", flow_id)
        self.execution_strategy = execution_strategy
        self.max_workers = _checked_workers(max_workers)
        self.execution_timeout = checked_timeout("execution_timeout", execution_timeout)
        self.error_handler: ErrorHandler | None = None
        self._members: dict[str, Routine | Flow] = {}
        self._connections: list[Connection] = []
        self._parents: WeakSet[Flow] = WeakSet()
        self.plan: Plan | None = None
        """What the flow was compiled to; made anew after every change."""

    # -- definition ------------------------------------------------------------------------------------

    @property
    def routines(self) -> Mapping[str, Routine]:
        """All routines by id, those of sub-flows as `sub.<id>`."""
        found: dict[str, Routine] = {}
        for name, member in self._members.items():
            if isinstance(member, Flow):
                found.update({f"{name}.{inner}": routine for inner, routine in member.routines.items()})
            else:
                found[name] = member
        return MappingProxyType(found)

    @property
    def connections(self) -> tuple[Connection, ...]:
        """All connections, those inside sub-flows first."""
        inner = (
            Connection(f"{name}.{c.source_id}", c.event, f"{name}.{c.target_id}", c.slot, c.param_mapping)
            for name, member in self._members.items()
            if isinstance(member, Flow)
            for c in member.connections
        )
        return (*inner, *self._connections)

    @property
    def members(self) -> Mapping[str, Routine | Flow]:
        """What was added here, sub-flows whole."""
        return MappingProxyType(self._members)

    def add_routine(self, routine: Routine | Flow, routine_id: str | None = None) -> str:
        """Add a routine, or another flow as a sub-flow, and return its id."""
        if not isinstance(routine, (Routine, Flow)):
            hint = "an instance; call the class: add_routine(Thing(), ...)"
            wanted = hint if isinstance(routine, type) else "a Routine or a Flow"
            raise InvalidOption("routine", routine, wanted)
        chosen = new_id() if routine_id is None else checked_id("routine id", routine_id)
        inner = routine.routines if isinstance(routine, Flow) else ()
        self._refuse_taken({chosen, *(f"{chosen}.{name}" for name in inner)})
        if isinstance(routine, Flow):
            if routine is self or self in routine.descendants():
                raise InvalidOption("routine", routine.flow_id, "a flow that does not contain this one")
            routine._parents.add(self)  # noqa: SLF001 - another flow
        else:
            routine.flows.add(self)
        self._members[chosen] = routine
        self.forget_plan()
        return chosen

    def connect(
        self,
        source_id: str,
        event: str,
        target_id: str | None = None,
        slot: str | None = None,
        param_mapping: dict[str, str] | None = None,
    ) -> Connection:
        """Connect an event to a slot: `connect("a", "output", "b", "input")` or `connect("a.output", "b.input")`.

        `param_mapping` is `{event field: slot field}`; other fields pass under their own names.
        """
        if target_id is None or slot is None:
            source_id, event, target_id, slot = *_split(source_id), *_split(event)
        source, target = self.routine(source_id), self.routine(target_id)
        fields = source.get_event(event).output_params
        target.get_slot(slot)
        connection = Connection(source_id, event, target_id, slot, param_mapping)
        connection.check(tuple(fields))
        self._connections.append(connection)
        self.forget_plan()
        return connection

    def routine(self, routine_id: str) -> Routine:
        """Return the routine of that id."""
        member = self._members.get(routine_id)
        if isinstance(member, Routine):
            return member
        routines = self.routines
        if routine_id not in routines:
            raise UnknownRoutine(routine_id, tuple(routines), self.flow_id)
        return routines[routine_id]

    def set_execution_strategy(self, name: str, max_workers: int | None = None) -> None:
        """Choose the executor by its plugin's name, and how many activations may run at once."""
        workers = self.max_workers if max_workers is None else _checked_workers(max_workers)
        self.execution_strategy, self.max_workers = name, workers

    def set_error_handler(self, handler: ErrorHandler) -> None:
        """Say what happens when a handler fails for which neither slot nor routine says it."""
        if not isinstance(handler, ErrorHandler):
            raise InvalidOption("error handler", handler, "an ErrorHandler")
        self.error_handler = handler
        self.forget_plan()

    def nearest_error_handler(self, routine_id: str) -> ErrorHandler | None:
        """Return what the innermost flow says that holds the routine and says anything."""
        _, *flows = self._line(routine_id)
        return next((flow.error_handler for flow in flows if flow.error_handler is not None), None)

    def _line(self, routine_id: str) -> tuple[Any, ...]:
        """Return the routine of that id and the flows around it, innermost first; nothing if unknown."""
        found = self._members.get(routine_id)
        if isinstance(found, Routine):
            return found, self
        for name, member in self._members.items():
            if isinstance(member, Flow) and routine_id.startswith(f"{name}."):
                line = member._line(routine_id.removeprefix(f"{name}."))  # noqa: SLF001 - another flow
                if line:
                    return (*line, self)
        return ()

    def _refuse_taken(self, names: set[str]) -> None:
        """Raise `DuplicateName` if one of the ids is taken here or in a flow around."""
        taken = sorted(name for name in names if name in self._members or self._line(name))
        if taken:
            raise DuplicateName("routine", taken[0], f"flow {self.flow_id!r}")
        for parent in self._parents:
            for place, member in parent.members.items():
                if member is self:
                    parent._refuse_taken({f"{place}.{name}" for name in names})  # noqa: SLF001 - another flow

    def descendants(self) -> set[Flow]:
        """Return the flows inside this one."""
        inner = {member for member in self._members.values() if isinstance(member, Flow)}
        return inner.union(*(flow.descendants() for flow in inner))

    def forget_plan(self) -> None:
        """Compile anew at the next use, here and in the flows around."""
        self.plan = None
        for parent in self._parents:
            parent.forget_plan()

    def validate(self) -> list[Problem]:
        """Return everything that looks wrong, at once; an empty list is good news."""
        return current_manager().validate(self)

    def to_mermaid(self) -> str:
        """Return a picture of the flow as Mermaid text."""
        return mermaid(self)

    def to_dot(self) -> str:
        """Return a picture of the flow as DOT text."""
        return dot(self)

    # -- running ---------------------------------------------------------------------------------------

    def start(
        self,
        entry_routine_id: str,
        entry_params: dict[str, Any] | None = None,
        timeout: float | None = None,
        job_state: JobState | None = None,
        *,
        entry_slot: str = "trigger",
        executor: str | Executor | None = None,
        monitors: Iterable[Any] = (),
        metadata: dict[str, Any] | None = None,
    ) -> JobState:
        """Start a job and return its state at once, status `running`."""
        return current_manager().start_job(
            self,
            entry_routine_id,
            entry_params,
            timeout,
            job_state,
            entry_slot=entry_slot,
            executor=executor,
            monitors=monitors,
            metadata=metadata,
        )

    def execute(
        self,
        entry_routine_id: str,
        entry_params: dict[str, Any] | None = None,
        timeout: float | None = None,
        job_state: JobState | None = None,
        *,
        raise_on_error: bool = False,
        **options: Any,
    ) -> JobState:
        """Start a job, wait for its end or a pause, and return its state. `options` are those of `start`."""
        return current_manager().execute(
            self, entry_routine_id, entry_params, timeout, job_state, raise_on_error=raise_on_error, **options
        )

    async def execute_async(
        self,
        entry_routine_id: str,
        entry_params: dict[str, Any] | None = None,
        timeout: float | None = None,
        job_state: JobState | None = None,
        *,
        raise_on_error: bool = False,
        **options: Any,
    ) -> JobState:
        """Do what `execute` does, without blocking the event loop."""
        return await current_manager().execute_async(
            self, entry_routine_id, entry_params, timeout, job_state, raise_on_error=raise_on_error, **options
        )

    def pause(
        self,
        job_state: JobState,
        reason: str = "",
        checkpoint: Any = None,
        timeout: float | None = None,
    ) -> None:
        """Let nothing more start, and wait until no handler of the job runs; from its own handler, only ask."""
        current_manager().pause_state(self, job_state, reason, checkpoint, timeout)

    def resume(self, job_state: JobState, *, accept_changes: bool = False) -> JobState:
        """Let a paused job go on and return its state, the same object, at once."""
        return current_manager().resume_state(self, job_state, accept_changes=accept_changes)

    def cancel(self, job_state: JobState, reason: str = "") -> None:
        """End a job; what its running handlers still do is refused."""
        current_manager().cancel_state(self, job_state, reason)

    def fork(self, job_state: JobState, start: bool = True) -> JobState:  # noqa: FBT001, FBT002 - part of the API
        """Make a new job from what an ended or paused one had not done, its failed activations included."""
        return current_manager().fork_state(self, job_state, start=start)

    def wait_for_completion(self, timeout: float | None = None) -> bool:
        """Wait for every job of this flow in this process; False when `timeout` came first."""
        return current_manager().wait_for_flow(self, timeout)

    def __repr__(self) -> str:
        return f"<Flow {self.flow_id!r} routines={tuple(self.routines)!r}>"


def _split(dotted: str) -> tuple[str, str]:
    owner, dot, name = str(dotted).rpartition(".")
    if not dot:
        raise InvalidOption("connect", dotted, "'routine.event' and 'routine.slot', or all four names")
    return owner, name


def _checked_workers(value: int | None) -> int | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise InvalidOption("max_workers", value, "a whole number from 1 up")
    return value


def checked_timeout(name: str, value: float | None) -> float | None:
    """Return `value` if it is a time limit that can be reached, or None."""
    if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < inf):
        raise InvalidOption(name, value, "a number of seconds above 0")
    return value
