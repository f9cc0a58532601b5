"""What no job can be in, whoever wrote its document: the rules of a job rely on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routilux_core.document_errors import InvalidDocument
from routilux_core.standstill import LIVE
from routilux_core.status import ExecutionStatus

if TYPE_CHECKING:
    from routilux_core.job_data import JobData


def check_data(data: JobData) -> None:
    """Refuse what no job can be in, since the rules of a job rely on it."""
    live = data.status in LIVE
    for holds, path, reason in (
        (data.running.keys() <= data.activations.keys(), "running", "it names what is not pending"),
        (data.deaths.keys() <= data.activations.keys(), "deaths", "it names what is not pending"),
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
