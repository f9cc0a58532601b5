"""Message: what a log record says of a fact, in words and in fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from routilux_core import Fact, Job

INFO = frozenset(
    {"job_started", "job_resumed", "job_paused", "job_completed", "job_failed", "job_cancelled", "job_forked"}
)
"""The kinds of facts that are logged at level `info`; the others are details, for `debug`.

What failed is logged by the core itself, with its traceback, as a warning or an error.
"""


def message(job: Job, fact: Fact) -> str:
    """Return one line about a fact."""
    if fact.tag not in INFO:
        return f"job {job.job_id}: {_words(fact.tag)}{_about(fact)}"
    verb = _words(fact.tag).removeprefix("job ")
    if fact.tag in {"job_completed", "job_failed", "job_cancelled"}:
        verb += f" after {fact.at - job.job_state.created_at.timestamp():.3f} s"
    return f"job {job.job_id} of flow {job.flow.flow_id} {verb}{_about(fact)}"


def _words(tag: str) -> str:
    return tag.replace("_", " ")


def _about(fact: Any) -> str:
    """Return what else there is to say, where there is something."""
    work = getattr(fact, "activation", None)
    if hasattr(fact, "event"):
        said = f" {fact.routine_id}.{fact.event}"
    elif work is not None:
        said = f" {work.target}" + (f", attempt {work.attempt}" if work.attempt > 1 else "")
    else:
        said = "".join(f" {getattr(fact, name)}" for name in ("routine_id", "key") if hasattr(fact, name))
    if hasattr(fact, "seconds"):
        said += f" in {fact.seconds:.6f} s"
    reason = getattr(fact, "error", None) or getattr(fact, "reason", "")
    return f"{said}: {reason}" if reason else said


def extra(job: Job, fact: Any) -> dict[str, Any]:
    """Return the fields of the record, beside those that all records have."""
    found = {"job_id": job.job_id, "flow_id": job.flow.flow_id, "fact": fact.tag, "fact_number": fact.number}
    work = getattr(fact, "activation", None)
    if work is not None:
        found |= {"activation": work.id, "routine_id": work.routine_id, "slot": work.slot}
        found["attempt"] = work.attempt
    for name in ("routine_id", "slot", "event", "seconds", "reason"):
        if hasattr(fact, name):
            found[name] = getattr(fact, name)
    error = getattr(fact, "error", None)
    if error is not None:
        found["error"] = str(error)
    return found
