"""Parcel: an activation made ready to run in another process, with everything that its handler may read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from attrs import Factory, define

from routilux_core.activation import Activation
from routilux_core.codec import name_of
from routilux_core.error_record import text_of
from routilux_core.job_errors import CannotTravel
from routilux_core.routine_document import arguments, obstacles

if TYPE_CHECKING:
    from collections.abc import Iterable

    from routilux_core.routine import Routine
    from routilux_core.surrounding import Around

Surroundings = tuple[tuple[str, bytes], ...]
"""Context managers as bytes, with the names of their plugins."""


@define(eq=False, repr=False)
class Blueprint:
    """What a routine can be built from in another process."""

    key: str
    """The same for the same content."""
    content: bytes | None
    """None where it is known to be there already."""


@define(eq=False)
class Parcel:
    """Activations of one job on their way to another process, and all that their handlers may read there."""

    job_id: str
    flow_id: str
    root: str
    epoch: int
    activations: tuple[Activation, ...]
    blueprints: dict[str, Blueprint]
    """What their routines are built from, by routine id."""
    shared_data: Mapping[str, Any]
    stats: Mapping[str, Mapping[str, Any]]
    """What the routines have recorded in this job."""
    surroundings: Mapping[int, Surroundings] = Factory(dict)
    """What plugins put around handlers, by the number of the activation."""

    def __reduce__(self) -> tuple[Any, ...]:
        # Tuples, since many small activations are worth less than what is said of an object.
        made = [
            (one.id, one.routine_id, one.slot, one.data, one.source, one.lineage, one.attempt, one.items)
            for one in self.activations
        ]
        known = (self.job_id, self.flow_id, self.root, self.epoch)
        return _parcel, (known, made, self.blueprints, self.shared_data, self.stats, self.surroundings)


def _parcel(
    known: tuple[str, str, str, int],
    made: list[tuple[int, str, str, dict[str, Any], str | None, int, int, int]],
    *rest: Any,
) -> Parcel:
    activations = tuple(
        Activation(number, routine_id, slot, data, source, 0.0, lineage, attempt, items)
        for number, routine_id, slot, data, source, lineage, attempt, items in made
    )
    return Parcel(*known, activations, *rest)


def blueprint(routine: Routine, routine_id: str) -> Blueprint:
    """Return what a routine can be built from elsewhere; `CannotTravel` if it cannot."""
    from hashlib import sha256  # noqa: PLC0415 - costly, and only for routines that travel

    for obstacle, advice in obstacles(routine):
        raise CannotTravel(f"routine {routine_id!r}", obstacle, advice)
    kind = type(routine)
    if "<locals>" in kind.__qualname__:
        reason = f"class {name_of(kind)!r} is local to a function"
        raise CannotTravel(f"routine {routine_id!r}", reason, "define it at the top of a module")
    content = packed((kind, routine_id, routine.config()), f"routine {routine_id!r}")
    return Blueprint(sha256(content).hexdigest(), content)


def build(made: Blueprint) -> tuple[str, Routine]:
    """Return the id of a routine in its flow, and the routine, made again."""
    if made.content is None:
        raise CannotTravel(f"routine {made.key[:8]}", "its blueprint is not here", "send it with its content")
    kind, routine_id, config = unpacked(made.content)
    by_position, by_name = arguments(kind, config)
    routine: Routine = kind(*by_position, **by_name)
    routine._config = {**routine._config, **config}
    return routine_id, routine


def surroundings(arounds: Iterable[Around], activation: Activation) -> Surroundings:
    """Return what goes along to be entered around a handler; what cannot travel stays, and is named."""
    found = []
    for around in arounds:
        surrounding = around.surrounding(activation)
        if surrounding is not None:
            try:
                found.append((around.name, packed(surrounding, "its context manager")))
            except CannotTravel as error:
                around.stays(error)
    return tuple(found)


def packed(value: Any, what: str) -> bytes:
    """Return `value` as bytes; `CannotTravel` names the part of it that has no such form.

    The bytes are for a process that this one started. They are never kept, and never taken from a store.
    """
    import pickle  # noqa: PLC0415 - costly, and needed only where handlers run in other processes

    try:
        return pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        path, reason = _culprit(value, what, error)
        advice = "send what it was made from instead, or run the flow on an executor in this process"
        raise CannotTravel(path, reason, advice) from error


def unpacked(content: bytes) -> Any:
    """Return what `packed` has written."""
    import pickle  # noqa: PLC0415 - see above

    return pickle.loads(content)  # noqa: S301 - between a process and those that it has started


def _culprit(value: Any, path: str, error: Exception) -> tuple[str, str]:
    """Return the innermost part of a container that cannot be packed, and why."""
    for place, part in _parts(value):
        try:
            packed(part, f"{path}{place}")
        except CannotTravel as failure:
            return failure.what, failure.reason
    return path, f"it is a {type(value).__qualname__}, and {text_of(error)}"


def _parts(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return [(f"[{key!r}]", part) for key, part in value.items()]
    if isinstance(value, (list, tuple)):
        return [(f"[{index}]", part) for index, part in enumerate(value)]
    names = [field.name for field in getattr(value, "__attrs_attrs__", ())]
    names = names or list(getattr(value, "__dict__", ()))
    return [(f".{name}", getattr(value, name)) for name in names]
