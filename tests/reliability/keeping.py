"""What a store has of a job, compared with the job."""

from collections import deque
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import attrs

from routilux_core import JobManager, JobState
from routilux_core.job_data import FIELDS
from routilux_core.views import ListView
from tests.reliability.laws import Violation, data_of


def content(value: Any) -> Any:
    """Return a value in a form that compares by content, whoever has made it."""
    if attrs.has(type(value)):
        fields = {field.name: getattr(value, field.name) for field in attrs.fields(type(value))}
        if "follows" in fields:  # one may stand without a tuple
            fields["follows"] = value.activations
        return type(value).__name__, content(fields)
    if isinstance(value, Mapping):
        return {key: content(item) for key, item in value.items()}
    if isinstance(value, (list, deque, ListView)):
        return [content(item) for item in value]
    if isinstance(value, tuple):
        return tuple(content(item) for item in value)
    return repr(value) if isinstance(value, float) else value


def settle(state: JobState) -> None:
    """Wait until what monitors did to a job that stands still is kept and told, too."""
    job = state._job  # noqa: SLF001 - a paused one is not among those that a manager runs
    if job is not None:
        job.wait()  # its status may be known before the store has it
        job.wait_stored()
    state.serialize()  # in a turn, so after all that came before


def check_kept(manager: JobManager, state: JobState) -> None:
    """Demand that the store has the job as it is: data, facts and history."""
    settle(state)
    kept = manager.load(state.job_id)
    facts, same = list(kept.facts), list(state.facts)
    for own, other in zip(facts, same, strict=False):
        if content(own) != content(other):
            raise Violation(f"the store has {own} and the job {other}")
    if len(facts) != len(same):
        raise Violation(f"the store has {len(facts)} facts and the job {len(same)}: {same[len(facts) :]}")
    for before, after in pairwise(facts):
        if after.at < before.at:
            raise Violation(f"{after} goes back in time from {before}")
    for name in FIELDS:
        own, other = (content(getattr(data_of(one), name)) for one in (kept, state))
        if own != other:
            raise Violation(f"the store has {name} {own} and the job {other}")
    page = manager.history(state.job_id, limit=100_000)
    if [content(one) for one in page.records] != [content(one) for one in state.execution_history]:
        raise Violation(f"the store has the history {page.records} and the job {state.execution_history}")
