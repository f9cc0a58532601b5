"""Performance: what the tracker says of a routine, a flow or a job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Self

from attrs import frozen

if TYPE_CHECKING:
    from routilux_plugins.monitors.tracker.durations import Durations


@frozen(kw_only=True)
class Spread:
    """How long things took, in seconds. All are 0.0 where there were none."""

    total: float
    average: float
    minimum: float
    maximum: float
    p50: float
    """Half of them took no longer; right within three percent, as the others."""
    p90: float
    p99: float

    @classmethod
    def of(cls, durations: Durations) -> Self:
        """Return what durations come to."""
        return cls(
            total=durations.total,
            average=durations.average,
            minimum=durations.least,
            maximum=durations.most,
            p50=durations.percentile(50),
            p90=durations.percentile(90),
            p99=durations.percentile(99),
        )


@frozen(kw_only=True)
class RoutinePerformance:
    """How one routine did."""

    count: int
    """How many activations are over."""
    completed: int
    failed: int
    """Those whose last attempt failed, skipped ones too."""
    retries: int
    """How many attempts failed and were followed by another."""
    success_rate: float
    """The part of `count` that completed, from 0.0 to 1.0; 1.0 where there are none."""
    seconds: Spread
    """How long the handlers took that returned."""


@frozen(kw_only=True)
class JobPerformance:
    """How one job did."""

    job_id: str
    flow_id: str
    status: str
    """What it ended with; `running` or `paused` before that."""
    seconds: float
    """How long it has run, pauses left out."""
    activations: RoutinePerformance
    """All its activations together."""
    routines: Mapping[str, RoutinePerformance]


@frozen(kw_only=True)
class FlowPerformance:
    """How the jobs of one flow did."""

    flow_id: str
    count: int
    """How many jobs are over."""
    completed: int
    failed: int
    cancelled: int
    running: int
    """How many are not over; paused ones too."""
    success_rate: float
    """The part of those completed and failed that completed; 1.0 where there are none."""
    seconds: Spread
    """How long the completed jobs took, pauses left out."""
    activations: RoutinePerformance
    """All activations of all its jobs together."""
    routines: Mapping[str, RoutinePerformance]
