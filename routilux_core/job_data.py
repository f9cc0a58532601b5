"""JobData: the bare fields of one run. Only `apply` changes them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Mapping
from typing import Any

from attrs import Factory, define, evolve, fields

from routilux_core.activation import Activation
from routilux_core.error_record import ErrorRecord
from routilux_core.merge import Payload
from routilux_core.status import ExecutionStatus

Target = tuple[str, str]
"""Routine id and slot."""


@define(eq=False)
class Held:
    """A payload that waits in a slot."""

    payload: Payload
    lineage: int
    at: float


Group = dict[Hashable, "deque[Held]"]
"""What waits together, by lane."""


@define(eq=False)
class PausePoint:
    """When and why a job stood still, and what it had to do then."""

    time: float
    reason: str
    checkpoint: Any
    pending: int
    running: int = 0


@define
class RoutineRecord:
    """How one routine of a job stands."""

    status: str = "pending"
    activations: int = 0
    execution_time: float = 0.0
    error: ErrorRecord | None = None
    more: dict[str, Any] | None = None
    """The user's own keys."""

    def shown(self) -> dict[str, Any]:
        """Return it as users see it."""
        known = {name: getattr(self, name) for name in ROUTINE_KEYS}
        return {**known, **(self.more or {})}

    def update(self, update: Mapping[str, Any]) -> None:
        """Set the known keys that `update` names, and keep the others."""
        for key, value in update.items():
            if key in ROUTINE_KEYS:
                setattr(self, key, value)
            else:
                self.more = {**(self.more or {}), key: value}

    def copy(self) -> RoutineRecord:
        """Return another one that is the same."""
        return evolve(self)


ROUTINE_KEYS = ("status", "activations", "execution_time", "error")


@define(eq=False, repr=False)
class JobData:
    """Everything that changes while a flow runs, for one run."""

    job_id: str
    flow_id: str | None
    root: str
    created_at: float
    updated_at: float
    status: ExecutionStatus = ExecutionStatus.PENDING
    number: int = 0
    """Of the last fact."""
    fingerprint: tuple[str, ...] = ()
    timeout: float | None = None
    used: float = 0.0
    """Seconds that it has run until the last pause."""
    running_since: float | None = None
    activations: dict[int, Activation] = Factory(dict)
    """All that are neither completed, failed nor skipped."""
    running: dict[int, float] = Factory(dict)
    """Those whose handler was called, and when."""
    deaths: dict[int, int] = Factory(dict)
    """How many workers they have ended, of those that have ended any."""
    failed: dict[int, Activation] = Factory(dict)
    """Those whose failure stopped the job."""
    last_id: int = 0
    stopping: ErrorRecord | None = None
    """Why the job fails as soon as no handler runs."""
    pause: tuple[str, Any] | None = None
    """Reason and checkpoint of a pause that was accepted."""
    routines: dict[str, RoutineRecord] = Factory(dict)
    stats: dict[str, dict[str, Any]] = Factory(dict)
    merged: dict[Target, dict[str, Any]] = Factory(dict)
    held: dict[Target, dict[Hashable, Group]] = Factory(dict)
    ended: dict[Target, bool] = Factory(dict)
    """The slots that had their one call at the end."""
    metadata: dict[str, Any] = Factory(dict)
    checkpoint: Any = None
    shared_data: dict[str, Any] = Factory(dict)
    shared_log: list[Any] = Factory(list)
    output_log: list[dict[str, Any]] = Factory(list)
    deferred: deque[tuple[str, str, Payload, int]] = Factory(deque)
    pause_points: list[PausePoint] = Factory(list)
    errors: list[ErrorRecord] = Factory(list)
    results: dict[str, list[Payload]] = Factory(dict)


LEGACY = (
    "activations", "failed", "merged", "held", "ended", "shared_data", "shared_log", "output_log", "deferred",
    "pause_points", "errors", "results", "routines", "stats", "checkpoint", "last_id",
)  # fmt: skip
"""The fields that a fork takes over."""


def _of_lists(value: dict[Any, Any]) -> dict[Any, Any]:
    return {key: item.copy() if type(item) is list else item for key, item in value.items()}


DEEP: dict[str, Callable[[Any], Any]] = {
    "routines": lambda records: {name: record.copy() for name, record in records.items()},
    "stats": lambda stats: {name: recorded.copy() for name, recorded in stats.items()},
    "results": _of_lists,
    "merged": lambda merged: {target: _of_lists(payload) for target, payload in merged.items()},
    "held": lambda held: {
        target: {
            key: {lane: waiting.copy() for lane, waiting in group.items()} for key, group in groups.items()
        }
        for target, groups in held.items()
    },
}
"""The fields whose containers hold containers that are the job's own, too."""


def copied(name: str, value: Any) -> Any:
    """Copy a field as deep as its containers are the job's own; what users put in goes by reference."""
    if name in DEEP:
        return DEEP[name](value)
    return value.copy() if type(value) in {dict, list, deque} else value


def legacy(data: JobData) -> dict[str, Any]:
    """Return what a fork of this job takes over."""
    return {name: copied(name, getattr(data, name)) for name in LEGACY}


FIELDS = tuple(field.name for field in fields(JobData))
