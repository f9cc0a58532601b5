"""Why a job is not moving, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routilux_core.record import moment
from routilux_core.status import ExecutionStatus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from routilux_core.job import Job


def explain(job: Job) -> str:
    """Say in words what `job` is doing, one clause a line."""
    data = job.data
    lines = [f"job {data.job_id} of flow {data.flow_id} is {data.status}"]
    if data.status.final:
        last = data.errors[-1] if data.errors and data.status is ExecutionStatus.FAILED else None
        why = f": {last}" if last else ""
        lines.append(f"it ended at {moment(data.updated_at):%Y-%m-%d %H:%M:%S} UTC{why}")
        left = len(data.activations) + len(data.failed)
        if left:
            lines.append(f"{left} activations were not run; fork it to go on from there")
        return "\n".join(lines)
    lines.extend(_reasons(job))
    return "\n".join(lines)


def _reasons(job: Job) -> Iterator[str]:
    yield from _of_status(job)
    yield from _of_started_work(job)
    yield from _of_ready_work(job)
    yield from _of_payloads(job)


def _of_status(job: Job) -> Iterator[str]:
    data = job.data
    if data.status is ExecutionStatus.PAUSED:
        point = data.pause_points[-1]
        yield f"it was paused ({point.reason or 'no reason given'}); resume it to go on"
    if data.status is ExecutionStatus.PAUSING:
        yield "it will pause when the running handlers have returned"
    if data.stopping is not None:
        yield f"it will fail when the running handlers have returned: {data.stopping}"


def _of_started_work(job: Job) -> Iterator[str]:
    data = job.data
    for number, since in list(data.running.items()):
        activation = data.activations.get(number)
        if activation is not None:
            yield f"{activation.target} has been running since {moment(since):%H:%M:%S} UTC"
    for activation in list(job.engine.waiting.values()):
        if activation.due is not None:
            attempt = f"attempt {activation.attempt} of {activation.max_retries + 1}"
            yield f"{activation.target} waits for {attempt} at {moment(activation.due):%H:%M:%S} UTC"


def _of_ready_work(job: Job) -> Iterator[str]:
    for activation in list(job.parked.values()):
        yield f"{activation.target} is held back by a plugin; release({activation.id}) lets it go on"
    if job.stalled:
        yield f"{len(job.stalled)} generators wait until fewer than {job.max_ready} activations are ready"
    ready = len(job.ready)
    if ready:
        if not job.open:
            reason = " and the gate is shut"
        elif job.inflight >= job.limit:
            reason = "; as many run as may"
        else:
            reason = f"; executor {type(job.executor).__name__} has not taken them yet"
        yield f"{ready} activations are ready{reason}"


def _of_payloads(job: Job) -> Iterator[str]:
    data = job.data
    for (routine_id, slot), groups in list(data.held.items()):
        count = sum(len(lane) for group in list(groups.values()) for lane in list(group.values()))
        yield f"{count} payloads wait in {routine_id}.{slot} for its policy"
    if data.deferred:
        yield f"{len(data.deferred)} deferred events wait for a resume"
