"""A flow compiled: every handler bound, every event's way known, so that running needs no looking up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import Factory, define

from routilux_core.binding import Binding, Style, bind
from routilux_core.connection import Connection
from routilux_core.error_handler import STOP, ErrorHandler, ErrorStrategy
from routilux_core.errors import UnknownRoutine, UnknownSlot
from routilux_core.flow import Flow
from routilux_core.identity import digest
from routilux_core.merge import APPEND, OVERRIDE, Merge, plain
from routilux_core.policy import Each, Leftover, Policy
from routilux_core.routine import Routine

if TYPE_CHECKING:
    from collections.abc import Mapping

    from routilux_core.slot import Slot

NO_FIELDS = frozenset({""})
"""Equal to the fields of no payload, so that arguments are always looked at."""


@define(eq=False, repr=False)
class BoundSlot:
    """A slot of a flow with all that running it needs."""

    routine: Routine
    routine_id: str
    name: str
    handler: Any
    fields: frozenset[str] | None
    """The exact fields that the handler names, if it names all that it takes."""
    binding: Binding | None
    special: bool
    """True unless calling the handler with the payload is all there is to do."""
    merge: Merge
    policy: Policy
    direct: bool
    """True when a payload becomes an activation as it came."""
    error_handler: ErrorHandler
    max_retries: int
    concurrency: int | None
    timeout: float | None
    priority: int
    edge: int
    straight: dict[str, Route]
    """The way of the events of its routine that have just one, and that plain."""
    sources: tuple[str, ...] = ()
    """The events that are connected to it."""

    def arguments(self, data: dict[str, Any], source: str | None) -> dict[str, Any]:
        """Return what of `data` the handler takes, real lists where a slot has gathered."""
        if self.merge == APPEND:
            data = plain(data)
        return self.binding.arguments(data, self.target, source)  # type: ignore[union-attr]  # only called with one

    @property
    def target(self) -> str:
        """Its place in the flow, as `routine.slot`."""
        return f"{self.routine_id}.{self.name}"

    @property
    def style(self) -> Style:
        """What calling the handler gives."""
        return Style.PLAIN if self.binding is None else self.binding.style


@define(eq=False, repr=False)
class Route:
    """The way from one event to one slot."""

    source: str
    slot: BoundSlot
    routine_id: str
    name: str
    edge: int
    index: int
    """Of the connection in its flow."""
    connection: Connection
    plain: bool
    """True when the payload arrives as it was sent and becomes an activation at once."""


@define(eq=False, repr=False)
class Plan:
    """What a job runs by. It belongs to one flow as it was when it was compiled."""

    flow: Flow
    slots: dict[str, dict[str, BoundSlot]]
    routes: dict[str, dict[str, tuple[Route, ...]]]
    straight: dict[str, dict[str, Route]]
    ways: dict[str, dict[str, int | list[int]]]
    """The plain connections of each event that has any connection, by their numbers."""
    fingerprint: tuple[str, ...]
    order: tuple[BoundSlot, ...]
    """The slots that may hold payloads until the end, in connection order, those that release first."""
    ids: dict[int, tuple[str, ...]]
    """By the identity of a routine object, where it stands in the flow."""
    demanding: bool
    """True when some slot has a priority or a limit of its own."""
    foreign: bool
    """True when delivering calls functions or policies of users."""
    checked: set[object] = Factory(set)
    """The managers whose plugins have looked at it."""

    def slot(self, routine_id: str, name: str) -> BoundSlot:
        """Return the slot; the error lists what there is."""
        slots = self.slots.get(routine_id)
        if slots is None:
            raise UnknownRoutine(routine_id, tuple(self.slots), self.flow.flow_id)
        found = slots.get(name)
        if found is None:
            raise UnknownSlot(name, tuple(slots), routine_id)
        return found


def compile_flow(flow: Flow) -> Plan:
    """Return the flow's plan, made anew if the flow was changed."""
    plan = flow.plan
    if plan is None:
        plan = flow.plan = _compile(flow)
    return plan


def _compile(flow: Flow) -> Plan:
    routines = dict(flow.routines)
    routes: dict[str, dict[str, tuple[Route, ...]]] = {routine_id: {} for routine_id in routines}
    straight: dict[str, dict[str, Route]] = {routine_id: {} for routine_id in routines}
    slots = {
        routine_id: {
            name: _bind(flow, routine, routine_id, slot, straight[routine_id])
            for name, slot in routine.slots.items()
        }
        for routine_id, routine in routines.items()
    }
    alike: dict[frozenset[str] | None, frozenset[str] | None] = {}
    for named in slots.values():
        for slot in named.values():
            slot.fields = alike.setdefault(
                slot.fields, slot.fields
            )  # one object, which the cache keeps at hand
    reached: dict[str, BoundSlot] = {}
    for index, connection in enumerate(flow.connections):
        slot = slots[connection.target_id][connection.slot]
        reached.setdefault(slot.target, slot)
        slot.sources = tuple(dict.fromkeys((*slot.sources, connection.source)))
        route = Route(
            source=connection.source,
            slot=slot,
            routine_id=slot.routine_id,
            name=slot.name,
            edge=digest(f"{connection} {index}"),
            index=index,
            connection=connection,
            plain=slot.direct and not connection.param_mapping and not slot.max_retries and not slot.priority,
        )
        known = routes[connection.source_id]
        known[connection.event] = (*known.get(connection.event, ()), route)
    for routine_id, events in routes.items():
        for event, ways in events.items():
            if len(ways) == 1 and ways[0].plain:
                straight[routine_id][event] = ways[0]
    everything = [slot for named in slots.values() for slot in named.values()]
    for slot in everything:
        reached.setdefault(slot.target, slot)
    ids: dict[int, tuple[str, ...]] = {}
    for routine_id, routine in routines.items():
        ids[id(routine)] = (*ids.get(id(routine), ()), routine_id)
    return Plan(
        flow=flow,
        slots=slots,
        routes=routes,
        straight=straight,
        ways={
            routine_id: {event: _numbers(ways) for event, ways in events.items()}
            for routine_id, events in routes.items()
        },
        fingerprint=_fingerprint(routines, flow.connections),
        order=_order(reached),
        ids=ids,
        demanding=any(slot.priority or slot.concurrency for slot in everything),
        foreign=any(callable(slot.merge) or not isinstance(slot.policy, Each) for slot in everything),
    )


def _numbers(ways: tuple[Route, ...]) -> int | list[int]:
    numbers = [way.index for way in ways if way.plain]
    return numbers[0] if len(ways) == len(numbers) == 1 else numbers


def _bind(flow: Flow, routine: Routine, routine_id: str, slot: Slot, straight: dict[str, Route]) -> BoundSlot:
    binding = None if slot.handler is None else bind(slot.handler, f"{routine_id}.{slot.name}")
    handler = slot.retry or routine.error_handler or flow.nearest_error_handler(routine_id) or STOP
    fields = None if binding is None else binding.fields
    if slot.merge_strategy == APPEND:
        fields = NO_FIELDS
    return BoundSlot(
        routine=routine,
        routine_id=routine_id,
        name=slot.name,
        handler=slot.handler,
        fields=fields,
        binding=binding,
        special=binding is None
        or binding.style is not Style.PLAIN
        or slot.timeout is not None
        or bool(binding.typed)
        or (binding.fields is None and bool(binding.required)),
        merge=slot.merge_strategy,
        policy=slot.when,
        direct=isinstance(slot.when, Each) and slot.merge_strategy == OVERRIDE,
        error_handler=handler,
        max_retries=handler.max_retries if handler.strategy is ErrorStrategy.RETRY else 0,
        concurrency=slot.concurrency,
        timeout=slot.timeout,
        priority=slot.priority,
        edge=digest(f"{routine_id}.{slot.name}"),
        straight=straight,
    )


def _order(reached: Mapping[str, BoundSlot]) -> tuple[BoundSlot, ...]:
    holding = [slot for slot in reached.values() if not isinstance(slot.policy, Each)]
    rank = {Leftover.RELEASE: 0, Leftover.ONCE: 1, Leftover.UNMATCHED: 2}
    return tuple(sorted(holding, key=lambda slot: rank[slot.policy.leftover]))


def _fingerprint(routines: Mapping[str, Routine], connections: tuple[Connection, ...]) -> tuple[str, ...]:
    lines = []
    for routine_id, routine in routines.items():
        kind = type(routine)
        lines.append(f"routine {routine_id}: {kind.__module__}.{kind.__qualname__}")
        lines.extend(f"slot {routine_id}.{name}" for name in routine.slots)
        lines.extend(f"event {routine_id}.{name}" for name in routine.events)
    for connection in connections:
        renamed = ", ".join(f"{old}: {new}" for old, new in sorted(connection.param_mapping.items()))
        lines.append(f"connection {connection}" + (f" {{{renamed}}}" if renamed else ""))
    return tuple(lines)


def differences(old: tuple[str, ...], new: tuple[str, ...]) -> tuple[str, ...]:
    """Say in words what `new` has that `old` had not, and the other way round."""
    before, after = set(old), set(new)
    return (
        *(f"{line} is gone" for line in old if line not in after),
        *(f"{line} is new" for line in new if line not in before),
    )
