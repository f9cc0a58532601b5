"""What a job that makes too much work is doing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from routilux_core.job_data import JobData
    from routilux_core.plan import Plan


def cycle(plan: Plan, data: JobData) -> str:
    """Name the loop that the pending work runs around."""
    following = {
        routine_id: sorted({route.routine_id for routes in events.values() for route in routes})
        for routine_id, events in plan.routes.items()
    }
    for activation in data.activations.values():
        start = activation.routine_id
        ways = [[start]]
        seen: set[str] = set()
        while ways:
            way = ways.pop(0)
            for following_id in following[way[-1]]:
                if following_id == start:
                    return "around the loop " + " -> ".join([*way, start])
                if following_id not in seen:
                    seen.add(following_id)
                    ways.append([*way, following_id])
    return "with no loop among the routines that have work"
