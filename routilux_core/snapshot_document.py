"""Snapshots for a store: a job's data at one moment, without what only grows: history, logs and results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from routilux_core.document_errors import InvalidDocument
from routilux_core.document_part import COUNT, entries, once
from routilux_core.document_table import TABLES, TableReader, TableWriter
from routilux_core.job_check import check_data
from routilux_core.job_data import FIELDS, JobData
from routilux_core.job_data_document import read_fields, write_fields
from routilux_core.plain_bytes import dumps, loads
from routilux_core.schema import Schema, check_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from routilux_core.convert import Converter

SCHEMA = Schema("job_snapshot", 1)
LOGS = ("shared_log", "output_log", "errors", "results")
"""What the rules of a job never look at; it is in the history."""
KEPT = tuple(name for name in FIELDS if name not in LOGS)


class _Writer(TableWriter):
    def __init__(self, converter: Converter, versions: Mapping[tuple[str, ...], str]) -> None:
        super().__init__(converter)
        self._versions = versions

    def version(self, fingerprint: tuple[str, ...], path: str) -> Any:
        return self._versions.get(fingerprint) or super().version(fingerprint, path)


class _Reader(TableReader):
    def __init__(
        self, converter: Converter, tables: dict[str, Any], lines_of: Callable[[str], tuple[str, ...]]
    ) -> None:
        super().__init__(converter, tables)
        self._lines_of = lines_of

    def version(self, plain: Any, path: str) -> tuple[str, ...]:
        return self._lines_of(plain) if type(plain) is str else super().version(plain, path)


def write_snapshot(
    data: JobData,
    origins: Mapping[int, int],
    converter: Converter,
    versions: Mapping[tuple[str, ...], str],
) -> bytes:
    """Return a job's data as the content of a snapshot."""
    writer = _Writer(converter, versions)
    for index, activation in enumerate((*data.failed.values(), *data.activations.values())):
        writer.activation(activation, f"pending_tasks[{index}]")
    job = write_fields({name: getattr(data, name) for name in KEPT}, writer, "")
    made = [{"id": number, "fact": fact} for number, fact in origins.items()]
    return dumps(SCHEMA.envelope({"job": job, "origins": made, **writer.tables()}))


def read_snapshot(
    content: bytes, converter: Converter, lines_of: Callable[[str], tuple[str, ...]]
) -> tuple[JobData, dict[int, int]]:
    """Return the data that a snapshot holds, and which facts made the activations in it."""
    try:
        document = loads(content)
    except (ValueError, RecursionError) as error:
        raise InvalidDocument("the snapshot", "it is no JSON") from error
    body = check_keys(SCHEMA.open(document), SCHEMA.kind, ("job", "origins", *TABLES))
    reader = _Reader(converter, body, lines_of)
    data = JobData(**read_fields(body["job"], KEPT, reader, "job"))
    check_data(data)
    origins: dict[int, int] = {}
    for entry, place in entries(body["origins"], "origins", "id", "fact"):
        number = once(origins, COUNT.read(entry["id"], reader, place), place)
        origins[number] = COUNT.read(entry["fact"], reader, place)
    return data, origins
