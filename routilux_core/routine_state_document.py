"""How the routines of a job stand and what they recorded, in documents."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from routilux_core.document_errors import shorten
from routilux_core.document_part import DICT, PAYLOAD, TEXT, VALUE, Part, items, once, optional, refuse
from routilux_core.error_record import ErrorRecord
from routilux_core.job_data import RoutineRecord
from routilux_core.layout import Layout, layout
from routilux_core.schema import check_keys

if TYPE_CHECKING:
    from routilux_core.activation_document import Reader, Writer


def _write_error(error: Any, writer: Writer, path: str) -> dict[str, Any]:
    if type(error) is ErrorRecord:
        return {"record": writer.error(error, path)}
    return {"value": VALUE.write(error, writer, path)}


def _read_error(plain: Any, reader: Reader, path: str) -> Any:
    if type(plain) is dict and "record" in plain:
        return reader.error(check_keys(plain, path, ("record",))["record"], f"{path}.record")
    return VALUE.read(check_keys(plain, path, ("value",))["value"], reader, f"{path}.value")


def _read_sum(plain: Any, reader: Reader, path: str) -> float:
    value = VALUE.read(plain, reader, path)
    if not isinstance(value, (int, float)):
        raise refuse(path, value, "a number")
    return value


@cache
def _record_layout() -> Layout:
    number, error = Part(VALUE.write, _read_sum), Part(_write_error, _read_error)
    parts = {
        "status": VALUE,
        "activations": number,
        "execution_time": number,
        "error": error,
        "more": optional(DICT),
    }
    return layout(RoutineRecord, parts)


def _write_routines(values: dict[str, RoutineRecord], writer: Writer, path: str) -> list[Any]:
    plain = []
    for routine_id, record in values.items():
        name = TEXT.write(routine_id, writer, path)
        written = _record_layout().write(record, writer, f"{path}[{shorten(routine_id)}]")
        plain.append({"routine_id": name, **written})
    return plain


def _read_routines(plain: Any, reader: Reader, path: str) -> dict[str, RoutineRecord]:
    found: dict[str, RoutineRecord] = {}
    for index, entry in enumerate(items(plain, path)):
        place = f"{path}[{index}]"
        read = _record_layout().read(entry, reader, place, "routine_id")
        routine_id = TEXT.read(entry.get("routine_id"), reader, f"{place}.routine_id")
        found[once(found, routine_id, place)] = RoutineRecord(**read)
    return found


def _read_stats(plain: Any, reader: Reader, path: str) -> dict[str, dict[str, Any]]:
    stats: dict[str, dict[str, Any]] = PAYLOAD.read(plain, reader, path)
    for routine_id, recorded in stats.items():
        if type(recorded) is not dict:
            raise refuse(f"{path}[{shorten(routine_id)}]", recorded, "an object")
    return stats


ROUTINES = Part(_write_routines, _read_routines)
STATS = Part(VALUE.write, _read_stats)
