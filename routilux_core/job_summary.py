"""JobSummary: a job as a list shows it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from attrs import field, frozen

from routilux_core.record import moment
from routilux_core.status import ExecutionStatus

if TYPE_CHECKING:
    from routilux_core.job_view import JobView
    from routilux_core.store import Listed


@frozen(kw_only=True)
class JobSummary:
    """A job as a list shows it."""

    job_id: str
    flow_id: str
    status: ExecutionStatus
    created_at: datetime
    updated_at: datetime
    owner: str | None = None
    """The manager that has it, if one has."""
    note: str = ""
    """Why nobody can take it up, where that is so."""
    position: tuple[float, str] = field(repr=False, eq=False)
    """What jobs are ordered by. A datetime is less exact, and a page after it would begin somewhere near."""


def summary_of_state(state: JobView) -> JobSummary:
    """Return the summary of a job of this process."""
    return JobSummary(
        job_id=state.job_id,
        flow_id=str(state.flow_id),
        status=state.status,
        created_at=state.created_at,
        updated_at=state.updated_at,
        position=(state._data.created_at, state.job_id),
    )


def summary_of_listed(listed: Listed) -> JobSummary:
    """Return the summary of a job of a store."""
    head = listed.head
    return JobSummary(
        job_id=listed.job_id,
        flow_id=head.flow_id,
        status=head.status,
        created_at=moment(head.created_at),
        updated_at=moment(head.updated_at),
        owner=listed.owner,
        note=head.note,
        position=(head.created_at, listed.job_id),
    )
