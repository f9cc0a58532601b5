"""Parcel: an activation made ready to run in another process, with everything that its handler may read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from attrs import define

from routilux_core.activation import Activation
from routilux_core.codec import name_of
from routilux_core.error_record import text_of
from routilux_core.job_errors import CannotTravel
from routilux_core.routine_document import arguments, obstacles

if TYPE_CHECKING:
    from routilux_core.routine import Routine


@define(eq=False)
class Parcel:
    """An activation on its way to another process, and all that its handler may read there."""

    job_id: str
    flow_id: str
    root: str
    epoch: int
    blueprint: bytes
    """What its routine is built from; the same for all activations of the routine in a job."""
    activation: Activation
    shared_data: Mapping[str, Any]
    stats: Mapping[str, Any]
    """What its routine has recorded in this job."""


def blueprint(routine: Routine, routine_id: str) -> bytes:
    """Return what a routine can be built from elsewhere; `CannotTravel` if it cannot."""
    for obstacle, advice in obstacles(routine):
        raise CannotTravel(f"routine {routine_id!r}", obstacle, advice)
    kind = type(routine)
    if "<locals>" in kind.__qualname__:
        reason = f"class {name_of(kind)!r} is local to a function"
        raise CannotTravel(f"routine {routine_id!r}", reason, "define it at the top of a module")
    return packed((kind, routine_id, routine.config()), f"routine {routine_id!r}")


def build(content: bytes) -> tuple[str, Routine]:
    """Return the id of a routine in its flow, and the routine, made again."""
    kind, routine_id, config = unpacked(content)
    by_position, by_name = arguments(kind, config)
    routine: Routine = kind(*by_position, **by_name)
    routine._config = {**routine._config, **config}
    return routine_id, routine


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
