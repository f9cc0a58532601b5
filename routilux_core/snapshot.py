"""Snapshot: data and history of a job as they are at one moment, whoever runs it meanwhile."""

from __future__ import annotations

from threading import get_ident
from typing import TYPE_CHECKING

from attrs import evolve

from routilux_core.job_data import FIELDS, JobData, copied
from routilux_core.job_errors import InsideJob
from routilux_core.merge import prefixes

if TYPE_CHECKING:
    from routilux_core.engine import Answer
    from routilux_core.fact import Fact
    from routilux_core.job import Job
    from routilux_core.state import JobState

Snapshot = tuple[JobData, "list[Fact]"]
WHAT = "saving a job"


def snapshot(state: JobState) -> Snapshot:
    """Return data and history as they are between two messages to the job; payloads go by reference."""
    state._whole()
    while True:
        job = state._job
        if job is not None and not job.released:
            return _of_live(job, state)
        with state._lock:
            if state._job is job:
                return _taken(state)


def _of_live(job: Job, state: JobState) -> Snapshot:
    if job.turning == get_ident():
        # A monitor of the job asks, when all facts are told, or a function that is called for half a message.
        if job.ledger.news is None or job.ledger.news:
            raise InsideJob(WHAT, "it waits for the function that asked; ask from a monitor or a handler")
        return _taken(state)
    found: list[Snapshot] = []

    def take(_: object, answer: Answer) -> None:
        try:
            found.append(_taken(state))
        except BaseException as error:  # noqa: BLE001 - to look at a job never harms it
            answer.error = error

    job._ask(take, None)
    if not found:
        raise InsideJob(WHAT, "the job of the monitor that asked and this one would wait for each other")
    return found[0]


def _taken(state: JobState) -> Snapshot:
    """Copy the containers that change, as deep as they are the job's own, while nobody else is at them."""
    data = state._data
    copies = {name: copied(name, getattr(data, name)) for name in FIELDS if name != "merged"}
    copies["merged"] = {
        target: {**payload, **prefixes({name: one for name, one in payload.items() if type(one) is list})}
        for target, payload in data.merged.items()
    }
    return evolve(data, **copies), list(state._history)
