"""Jobs as documents: a JobState as plain data, and back as what a crash at that moment would have left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from routilux_core import facts
from routilux_core.apply import apply
from routilux_core.document_errors import InvalidDocument
from routilux_core.document_part import items
from routilux_core.document_table import TABLES, TableReader, TableWriter
from routilux_core.facts_document import decode_fact, encode_fact
from routilux_core.job_data import FIELDS, JobData
from routilux_core.job_data_document import read_fields, write_fields
from routilux_core.schema import Schema, check_keys
from routilux_core.status import ExecutionStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from routilux_core.convert import Converter
    from routilux_core.fact import Fact
    from routilux_core.schema import Document

SCHEMA = Schema("job_state", 1)
LIVE = {ExecutionStatus.RUNNING, ExecutionStatus.PAUSING}
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
    _check_data(data)
    _check_history(data, history)
    _stop(data, history)
    return data, history


def _stop(data: JobData, history: list[Fact]) -> None:
    """Let a job that ran when its document was written stand still, as of the last thing known of it."""
    if data.status not in LIVE:
        return
    news: list[Fact] = [
        facts.ActivationReturned(0, 0.0, data.activations[number], SAVED) for number in data.running
    ]
    if data.stopping is not None:
        news.append(facts.JobStopped(0, 0.0, data.stopping))
    else:
        reason, checkpoint = data.pause or (SAVED, data.checkpoint)
        news.append(facts.JobPaused(0, 0.0, reason, checkpoint, len(data.activations)))
    for fact in news:
        fact.number, fact.at = data.number + 1, data.updated_at
        apply(data, fact)
        history.append(fact)


def _check_data(data: JobData) -> None:
    """Refuse what no job can be in, since the rules of a job rely on it."""
    live = data.status in LIVE
    for holds, path, reason in (
        (data.running.keys() <= data.activations.keys(), "running", "it names what is not pending"),
        (live or not data.running, "running", f"nothing runs in a job that is {data.status}"),
        (
            live or data.running_since is None,
            "running_since",
            f"no time passes for a job that is {data.status}",
        ),
        (
            data.stopping is None or data.status is not ExecutionStatus.COMPLETED,
            "stopping",
            f"a job that is {data.status} does not fail",
        ),
        (
            data.status is not ExecutionStatus.PAUSED or data.pause_points,
            "pause_points",
            "a paused job has one",
        ),
        (not data.activations.keys() & data.failed.keys(), "failed_tasks", "it names what is pending too"),
        (
            max((*data.activations, *data.failed), default=0) <= data.last_id,
            "last_id",
            "there are activations with higher ids",
        ),
        (
            not data.activations or data.status is not ExecutionStatus.COMPLETED,
            "pending_tasks",
            "a completed job has nothing left to run",
        ),
    ):
        if not holds:
            raise InvalidDocument(f"job.{path}", reason)


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
