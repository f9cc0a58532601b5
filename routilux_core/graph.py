"""Graph: routines and the connections between them."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from routilux_core.connection import Connection
from routilux_core.error_handler import ErrorHandler
from routilux_core.errors import DuplicateName, InvalidOption, UnknownRoutine
from routilux_core.identity import checked_id, new_id
from routilux_core.routine import Routine

if TYPE_CHECKING:
    from collections.abc import Mapping

    from routilux_core.plan import Plan

CONNECT = "'routine.event' and 'routine.slot', or all four names; param_mapping goes by its name"


class Graph:
    """A graph of routines, in which other graphs may stand as one piece."""

    def __init__(self, flow_id: str | None) -> None:
        self.flow_id = new_id() if flow_id is None else checked_id("flow id", flow_id)
        self.error_handler: ErrorHandler | None = None
        self._members: dict[str, Routine | Graph] = {}
        self._connections: list[Connection] = []
        self._parents: WeakSet[Graph] = WeakSet()
        self.plan: Plan | None = None
        """What the flow was compiled to; made anew after every change."""

    @property
    def routines(self) -> Mapping[str, Routine]:
        """All routines by id, those of sub-flows as `sub.<id>`."""
        found: dict[str, Routine] = {}
        for name, member in self._members.items():
            if isinstance(member, Graph):
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
            if isinstance(member, Graph)
            for c in member.connections
        )
        return (*inner, *self._connections)

    @property
    def own_connections(self) -> tuple[Connection, ...]:
        """The connections that were made here, without those inside sub-flows."""
        return tuple(self._connections)

    @property
    def members(self) -> Mapping[str, Routine | Graph]:
        """What was added here, sub-flows whole."""
        return MappingProxyType(self._members)

    def add_routine(self, routine: Routine | Graph, routine_id: str | None = None) -> str:
        """Add a routine, or another flow as a sub-flow, and return its id."""
        given: object = routine
        if not isinstance(given, (Routine, Graph)):
            hint = "an instance; call the class: add_routine(Thing(), ...)"
            wanted = hint if isinstance(given, type) else "a Routine or a Flow"
            raise InvalidOption("routine", given, wanted)
        chosen = new_id() if routine_id is None else checked_id("routine id", routine_id)
        inner = routine.routines if isinstance(routine, Graph) else ()
        self._refuse_taken({chosen, *(f"{chosen}.{name}" for name in inner)})
        if isinstance(routine, Graph):
            if routine is self or self in routine.descendants():
                raise InvalidOption("routine", routine.flow_id, "a flow that does not contain this one")
            routine._parents.add(self)
        else:
            routine.flows.add(self)  # type: ignore[arg-type]  # every graph is a Flow
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
        """Connect an event to a slot.

        `connect("a", "output", "b", "input")` and `connect("a.output", "b.input")` say the same.
        `param_mapping` is `{event field: slot field}`; other fields pass under their own names.
        """
        if target_id is None and slot is None:
            source_id, event, target_id, slot = *_split(source_id), *_split(event)
        if not isinstance(target_id, str) or not isinstance(slot, str):
            raise InvalidOption("connect", (source_id, event, target_id, slot), CONNECT)
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
            if isinstance(member, Graph) and routine_id.startswith(f"{name}."):
                line = member._line(routine_id.removeprefix(f"{name}."))
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
                    parent._refuse_taken({f"{place}.{name}" for name in names})

    def become(self, other: Graph) -> None:
        """Take over everything of `other`, which nobody uses afterwards."""
        for member in {*self._members.values()}:
            if isinstance(member, Graph):
                member._parents.discard(self)
            else:
                member.flows.discard(self)  # type: ignore[arg-type]  # every graph is a Flow
        self.flow_id, self.error_handler = other.flow_id, other.error_handler
        self._members, self._connections = dict(other._members), list(other._connections)
        for member in {*self._members.values()}:
            holders: WeakSet[Any] = member._parents if isinstance(member, Graph) else member.flows
            holders.discard(other)
            holders.add(self)
        self.forget_plan()

    def descendants(self) -> set[Graph]:
        """Return the flows inside this one."""
        inner = {member for member in self._members.values() if isinstance(member, Graph)}
        return inner.union(*(flow.descendants() for flow in inner))

    def forget_plan(self) -> None:
        """Compile anew at the next use, here and in the flows around."""
        self.plan = None
        for parent in self._parents:
            parent.forget_plan()


def _split(dotted: str) -> tuple[str, str]:
    owner, dot, name = str(dotted).rpartition(".")
    if not dot:
        raise InvalidOption("connect", dotted, CONNECT)
    return owner, name
