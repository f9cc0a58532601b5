"""Jobs as documents: a JobState as plain data, and back as what a crash at that moment would have left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from routilux_core.document_errors import InvalidDocument
from routilux_core.document_part import items
from routilux_core.document_table import TABLES, TableReader, TableWriter
from routilux_core.facts_document import decode_fact, encode_fact
from routilux_core.job_check import check_data
from routilux_core.job_data import FIELDS, JobData
from routilux_core.job_data_document import read_fields, write_fields
from routilux_core.schema import Schema, check_keys
from routilux_core.standstill import stand_still

if TYPE_CHECKING:
    from collections.abc import Sequence

    from routilux_core.convert import Converter
    from routilux_core.fact import Fact
    from routilux_core.schema import Document

SCHEMA = Schema("job_state", 1)
SAVED = "its document was written while it ran"
"""Why a job stands still that comes from a document of a running one."""


def write_job(data: JobData, history: Sequence[Fact], converter: Converter) -> Document:
    """Return a job's data and history as a document, which shares nothing with them."""
    writer = TableWriter(converter)
    for index, activation in enumerate((*data.failed.values(), *data.activations.values())):
        writer.activation(activation, f"pending_tasks[{index}]")
    job = write_fields({name: getattr(data, name) for name in FIELDS}, writer, "")
    happened = [encode_fact(fact, writer, f"history[{index}]") for index, fact in enumerate(history)]
    return SCHEMA.envelope({"job": job, "history": happened, **writer.tables()})


def read_job(document: Any, converter: Converter) -> tuple[JobData, list[Fact]]:
    """Return the data and the history that a document holds, of a job that nobody runs."""
    body = check_keys(SCHEMA.open(document), SCHEMA.kind, ("job", "history", *TABLES))
    reader = TableReader(converter, body)
    data = JobData(**read_fields(body["job"], FIELDS, reader, "job"))
    history = [
        decode_fact(plain, reader, f"history[{index}]")
        for index, plain in enumerate(items(body["history"], "history"))
    ]
    check_data(data)
    _check_history(data, history)
    history += stand_still(data, SAVED)
    return data, history


def _check_history(data: JobData, history: Sequence[Fact]) -> None:
    """Refuse a history with gaps, or one that goes back in time or ends elsewhere than its job."""
    before: Fact | None = None
    for index, fact in enumerate(history):
        if before is not None and (fact.number != before.number + 1 or fact.at < before.at):
            reason = f"it has number {fact.number} at {fact.at}, after {before.number} at {before.at}"
            raise InvalidDocument(f"history[{index}]", reason)
        before = fact
    if before is not None and (before.number != data.number or before.at > data.updated_at):
        reason = (
            f"it is {data.number} at {data.updated_at}, and history ends with {before.number} at {before.at}"
        )
        raise InvalidDocument("job.number", reason)
