"""What can be wrong with a flow, found before anything runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from routilux_core.binding import bind
from routilux_core.errors import InvalidHandler

if TYPE_CHECKING:
    from collections.abc import Iterator

    from routilux_core.flow import Flow
    from routilux_core.routine import Routine

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
    for routine_id, routine in flow.routines.items():
        yield from _class_problems(routine_id, routine)
        for name in routine.slots:
            yield from _slot_problems(flow, routine_id, routine, name)
    for connection in flow.connections:
        declared = flow.routines[connection.source_id].events[connection.event].fields
        for field in connection.param_mapping:
            if declared and field not in declared:
                known = ", ".join(declared)
                message = f"param_mapping renames {field!r}, and the event declares: {known}"
                yield Problem(f"connection {connection}", message)


def _class_problems(routine_id: str, routine: Routine) -> Iterator[Problem]:
    kind = type(routine)
    if kind.__module__ == "__main__" or "<locals>" in kind.__qualname__:
        place = "__main__" if kind.__module__ == "__main__" else "a function"
        message = f"class {kind.__qualname__!r} is defined in {place} and cannot be rebuilt in another process"
        yield Problem(f"routine {routine_id}", message)


def _slot_problems(flow: Flow, routine_id: str, routine: Routine, name: str) -> Iterator[Problem]:
    where = f"slot {routine_id}.{name}"
    incoming = [c for c in flow.connections if c.target_id == routine_id and c.slot == name]
    if not incoming and name != ENTRY:
        yield Problem(where, "no event is connected to it, and a job enters by it only if told to")
    handler = routine.slots[name].handler
    if handler is None:
        yield Problem(where, "it has no handler, so what arrives is dropped")
        return
    try:
        binding = bind(handler, f"{routine_id}.{name}")
    except InvalidHandler as error:
        yield Problem(where, error.reason, fatal=True)
        return
    given: set[str] = set()
    for connection in incoming:
        fields = flow.routines[connection.source_id].events[connection.event].fields
        if not fields:
            return
        given.update(connection.param_mapping.get(field, field) for field in fields)
    for field in binding.required:
        if incoming and field not in given:
            known = ", ".join(sorted(given))
            message = f"its handler needs {field!r}, and the events connected to it give: {known}"
            yield Problem(where, message)
