"""What can be wrong with a flow, found before anything runs."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from attrs import frozen

from routilux_core.binding import bind
from routilux_core.connection import Connection
from routilux_core.errors import InvalidHandler
from routilux_core.routine_document import obstacles

if TYPE_CHECKING:
    from collections.abc import Iterator

    from routilux_core.flow import Flow
    from routilux_core.routine import Routine
    from routilux_core.slot import Event, Slot

ENTRY = "trigger"
"""The slot that a job enters by where none is named."""


@frozen
class Problem:
    """One thing that looks wrong in a flow."""

    where: str
    message: str
    fatal: bool = False
    """True when no job can run with it."""

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


def problems(flow: Flow) -> Iterator[Problem]:
    """Give all problems of `flow` that the core knows of."""
    routines, incoming = flow.routines, defaultdict[tuple[str, str], list[Connection]](list)
    for connection in flow.connections:
        incoming[connection.target_id, connection.slot].append(connection)
        declared = routines[connection.source_id].events[connection.event].fields
        for field in connection.param_mapping:
            if declared and field not in declared:
                known = ", ".join(declared)
                message = f"param_mapping renames {field!r}, and the event declares: {known}"
                yield Problem(f"connection {connection}", message)
    for routine_id, routine in routines.items():
        yield from _class_problems(routine_id, routine)
        for slot in routine.slots.values():
            arriving = incoming[routine_id, slot.name]
            given = [_fields(routines[one.source_id].events[one.event], one) for one in arriving]
            yield from _slot_problems(f"{routine_id}.{slot.name}", slot, given)


def _class_problems(routine_id: str, routine: Routine) -> Iterator[Problem]:
    kind = type(routine)
    if kind.__module__ == "__main__" or "<locals>" in kind.__qualname__:
        place = "__main__" if kind.__module__ == "__main__" else "a function"
        fault = f"class {kind.__qualname__!r} is defined in {place}"
        yield Problem(f"routine {routine_id}", f"{fault} and cannot be rebuilt in another process")
    for obstacle, advice in obstacles(routine):
        yield Problem(f"routine {routine_id}", f"{obstacle}, so it cannot be saved; {advice}")


def _fields(event: Event, connection: Connection) -> set[str]:
    return {connection.param_mapping.get(field, field) for field in event.fields}


def _slot_problems(target: str, slot: Slot, given: list[set[str]]) -> Iterator[Problem]:
    """Give the problems of one slot; `given` are the fields of each event connected to it."""
    where = f"slot {target}"
    if not given and slot.name != ENTRY:
        yield Problem(where, "no event is connected to it, and a job enters by it only if told to")
    if slot.handler is None:
        yield Problem(where, "it has no handler, so what arrives is dropped")
        return
    try:
        required = bind(slot.handler, target).required
    except InvalidHandler as error:
        yield Problem(where, error.reason, fatal=True)
        return
    if given and all(given):
        together = set[str]().union(*given)
        for field in required:
            if field not in together:
                known = ", ".join(sorted(together))
                message = f"its handler needs {field!r}, and the events connected to it give: {known}"
                yield Problem(where, message)
