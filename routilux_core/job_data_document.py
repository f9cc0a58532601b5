"""The fields of a job's data, each as it stands in a document."""

from __future__ import annotations

from collections import deque
from functools import cache
from typing import TYPE_CHECKING, Any

from routilux_core.activation_document import ACTIVATION, ERROR, SENT, VERSION
from routilux_core.document_errors import InvalidDocument, shorten
from routilux_core.document_part import (
    COUNT,
    DICT,
    LINEAGE,
    LIST,
    MOMENT,
    NUMBER,
    PAYLOAD,
    TEXT,
    VALUE,
    Part,
    entries,
    items,
    once,
    optional,
    refuse,
    several,
)
from routilux_core.errors import InvalidName
from routilux_core.identity import checked_id
from routilux_core.job_data import FIELDS, LEGACY, PausePoint
from routilux_core.layout import Layout, layout
from routilux_core.routine_state_document import ROUTINES, STATS
from routilux_core.schema import check_keys
from routilux_core.slot_document import ENDED, HELD, MERGED
from routilux_core.status import ExecutionStatus

if TYPE_CHECKING:
    from routilux_core.activation import Activation
    from routilux_core.activation_document import Reader, Writer

# -- single values -------------------------------------------------------------------------------------


def _read_id(plain: Any, reader: Reader, path: str) -> str:
    text = TEXT.read(plain, reader, path)
    try:
        return checked_id("id", text)
    except InvalidName as error:
        raise InvalidDocument(path, f"{shorten(text)} is not an id") from error


def _read_status(plain: Any, _reader: Reader, path: str) -> ExecutionStatus:
    if type(plain) is not str or plain not in set(ExecutionStatus):
        raise InvalidDocument(path, f"{shorten(plain)} is no status; they are: {', '.join(ExecutionStatus)}")
    return ExecutionStatus(plain)


def _write_pause(pause: tuple[str, Any], writer: Writer, path: str) -> dict[str, Any]:
    reason, checkpoint = pause
    return {
        "reason": VALUE.write(reason, writer, f"{path}.reason"),
        "checkpoint": VALUE.write(checkpoint, writer, f"{path}.checkpoint"),
    }


def _read_pause(plain: Any, reader: Reader, path: str) -> tuple[Any, Any]:
    check_keys(plain, path, ("reason", "checkpoint"))
    reason = VALUE.read(plain["reason"], reader, f"{path}.reason")
    return reason, VALUE.read(plain["checkpoint"], reader, f"{path}.checkpoint")


ID = Part(lambda value, _writer, _path: checked_id("id", value), _read_id)
STATUS = Part(lambda value, _writer, _path: str(value), _read_status)
PAUSE = Part(_write_pause, _read_pause)

# -- collections of values that users gave -------------------------------------------------------------


def _read_objects(plain: Any, reader: Reader, path: str) -> list[dict[str, Any]]:
    values: list[Any] = LIST.read(plain, reader, path)
    for index, value in enumerate(values):
        if type(value) is not dict:
            raise refuse(f"{path}[{index}]", value, "an object")
    return values


def _read_results(plain: Any, reader: Reader, path: str) -> dict[str, list[dict[str, Any]]]:
    results: dict[str, list[dict[str, Any]]] = PAYLOAD.read(plain, reader, path)
    for name, payloads in results.items():
        for payload in items(payloads, f"{path}[{shorten(name)}]"):
            if type(payload) is not dict:
                raise refuse(f"{path}[{shorten(name)}]", payload, "an object")
    return results


def _write_deferred(values: deque[tuple[str, str, Any, int]], writer: Writer, path: str) -> list[Any]:
    return [
        {
            "routine_id": TEXT.write(routine_id, writer, f"{path}[{index}].routine_id"),
            "event": TEXT.write(event, writer, f"{path}[{index}].event"),
            "data": SENT.write(data, writer, f"{path}[{index}].data"),
            "lineage": LINEAGE.write(lineage, writer, path),
        }
        for index, (routine_id, event, data, lineage) in enumerate(values)
    ]


def _read_deferred(plain: Any, reader: Reader, path: str) -> deque[tuple[str, str, Any, int]]:
    return deque(
        (
            TEXT.read(entry["routine_id"], reader, f"{place}.routine_id"),
            TEXT.read(entry["event"], reader, f"{place}.event"),
            SENT.read(entry["data"], reader, f"{place}.data"),
            LINEAGE.read(entry["lineage"], reader, f"{place}.lineage"),
        )
        for entry, place in entries(plain, path, "routine_id", "event", "data", "lineage")
    )


OBJECTS = Part(VALUE.write, _read_objects)
RESULTS = Part(VALUE.write, _read_results)
DEFERRED = Part(_write_deferred, _read_deferred)

# -- activations, by their ids -------------------------------------------------------------------------


def _write_activations(values: dict[int, Activation], writer: Writer, path: str) -> list[Any]:
    return [writer.activation(value, f"{path}[{index}]") for index, value in enumerate(values.values())]


def _read_activations(plain: Any, reader: Reader, path: str) -> dict[int, Activation]:
    found: dict[int, Activation] = {}
    for activation in several(ACTIVATION).read(plain, reader, path):
        found[once(found, activation.id, path)] = activation
    return found


def _write_running(values: dict[int, float], _writer: Writer, _path: str) -> list[Any]:
    return [{"id": number, "since": since} for number, since in values.items()]


def _read_running(plain: Any, reader: Reader, path: str) -> dict[int, float]:
    found: dict[int, float] = {}
    for entry, place in entries(plain, path, "id", "since"):
        number = once(found, COUNT.read(entry["id"], reader, f"{place}.id"), place)
        found[number] = MOMENT.read(entry["since"], reader, f"{place}.since")
    return found


def _write_deaths(values: dict[int, int], _writer: Writer, _path: str) -> list[Any]:
    return [{"id": number, "count": count} for number, count in values.items()]


def _read_deaths(plain: Any, reader: Reader, path: str) -> dict[int, int]:
    found: dict[int, int] = {}
    for entry, place in entries(plain, path, "id", "count"):
        number = once(found, COUNT.read(entry["id"], reader, f"{place}.id"), place)
        found[number] = COUNT.read(entry["count"], reader, f"{place}.count")
    return found


ACTIVATIONS = Part(_write_activations, _read_activations)
RUNNING = Part(_write_running, _read_running)
DEATHS = Part(_write_deaths, _read_deaths)

# -- pauses and errors ---------------------------------------------------------------------------------


@cache
def _point_layout() -> Layout:
    return layout(PausePoint)


def _write_points(values: list[PausePoint], writer: Writer, path: str) -> list[Any]:
    return [_point_layout().write(point, writer, f"{path}[{index}]") for index, point in enumerate(values)]


def _read_points(plain: Any, reader: Reader, path: str) -> list[PausePoint]:
    return [
        PausePoint(**_point_layout().read(point, reader, f"{path}[{index}]"))
        for index, point in enumerate(items(plain, path))
    ]


POINTS = Part(_write_points, _read_points)
ERRORS = Part(
    several(ERROR).write, lambda plain, reader, path: list(several(ERROR).read(plain, reader, path))
)

# -- all of them ---------------------------------------------------------------------------------------

PARTS: dict[str, tuple[str, Part]] = {
    "job_id": ("job_id", ID),
    "flow_id": ("flow_id", optional(ID)),
    "root": ("root", ID),
    "status": ("status", STATUS),
    "created_at": ("created_at", MOMENT),
    "updated_at": ("updated_at", MOMENT),
    "number": ("number", COUNT),
    "timeout": ("timeout", optional(NUMBER)),
    "used": ("used", NUMBER),
    "running_since": ("running_since", optional(MOMENT)),
    "failed": ("failed_tasks", ACTIVATIONS),
    "activations": ("pending_tasks", ACTIVATIONS),
    "running": ("running", RUNNING),
    "deaths": ("deaths", DEATHS),
    "last_id": ("last_id", COUNT),
    "stopping": ("stopping", optional(ERROR)),
    "pause": ("pause", optional(PAUSE)),
    "deferred": ("deferred_events", DEFERRED),
    "merged": ("merged", MERGED),
    "held": ("held", HELD),
    "ended": ("ended", ENDED),
    "routines": ("routine_states", ROUTINES),
    "stats": ("stats", STATS),
    "metadata": ("metadata", DICT),
    "checkpoint": ("checkpoint", VALUE),
    "shared_data": ("shared_data", PAYLOAD),
    "shared_log": ("shared_log", LIST),
    "output_log": ("output_log", OBJECTS),
    "pause_points": ("pause_points", POINTS),
    "errors": ("errors", ERRORS),
    "results": ("results", RESULTS),
    "fingerprint": ("fingerprint", VERSION),
}
"""For each field of a job's data, its name in documents, which is the one that users know, and its part."""


def write_fields(values: dict[str, Any], writer: Writer, path: str) -> dict[str, Any]:
    """Write some fields of a job's data."""
    plain = {}
    for field, value in values.items():
        name, part = PARTS[field]
        plain[name] = part.write(value, writer, f"{path}{name}")
    return plain


def read_fields(plain: Any, fields: tuple[str, ...], reader: Reader, path: str) -> dict[str, Any]:
    """Read these fields of a job's data, all of them."""
    check_keys(plain, path, (PARTS[field][0] for field in fields))
    found = {}
    for field in fields:
        name, part = PARTS[field]
        found[field] = part.read(plain[name], reader, f"{path}.{name}")
    return found


LEGACY_PART = Part(
    lambda values, writer, path: write_fields(values, writer, f"{path}."),
    lambda plain, reader, path: read_fields(plain, LEGACY, reader, path),
)
"""What a fork took over."""
WHOLE_PART = Part(
    lambda values, writer, path: write_fields(values, writer, f"{path}."),
    lambda plain, reader, path: read_fields(plain, FIELDS, reader, path),
)
"""Everything, of a job that was moved."""
