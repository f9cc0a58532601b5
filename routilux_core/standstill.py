"""Standstill: a job that was running when it was last heard of, and that nobody runs any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routilux_core import facts
from routilux_core.apply import apply
from routilux_core.status import ExecutionStatus

if TYPE_CHECKING:
    from routilux_core.fact import Fact
    from routilux_core.job_data import JobData

LIVE = {ExecutionStatus.RUNNING, ExecutionStatus.PAUSING}


def stand_still(data: JobData, reason: str) -> list[Fact]:
    """Let a job stand still as of the last thing known of it, and return the facts of that.

    What ran is pending again. The job is paused, or has failed if it was about to.
    """
    if data.status not in LIVE:
        return []
    news: list[Fact] = [
        facts.ActivationReturned(0, 0.0, data.activations[number], reason) for number in data.running
    ]
    if data.stopping is not None:
        news.append(facts.JobStopped(0, 0.0, data.stopping))
    else:
        why, checkpoint = data.pause or (reason, data.checkpoint)
        news.append(facts.JobPaused(0, 0.0, why, checkpoint, len(data.activations)))
    for fact in news:
        fact.number, fact.at = data.number + 1, data.updated_at
        apply(data, fact)
    return news
