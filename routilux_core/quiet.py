"""The end of a job: what still waits when everything else has gone quiet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routilux_core import facts
from routilux_core.policy import Leftover

if TYPE_CHECKING:
    from routilux_core.ledger import Ledger
    from routilux_core.plan import Plan
    from routilux_core.routing import Routing


def release_leftovers(ledger: Ledger, routing: Routing, plan: Plan) -> bool:
    """Let go what waits, one round: all unfinished batches, else the next slot's one call at the end.

    Return whether anything came of it; if so the job is not over.
    """
    data = ledger.data
    before = data.number
    for slot in plan.order:
        target = (slot.routine_id, slot.name)
        leftover = slot.policy.leftover
        if target not in data.held or leftover is Leftover.UNMATCHED:
            continue
        if leftover is Leftover.ONCE:
            if data.number != before:
                break
            if target in data.ended:
                continue
        for key in list(data.held[target]):
            routing.release_all(slot, key, ends=leftover is Leftover.ONCE)
        if leftover is Leftover.ONCE:
            break
    return data.number != before


def complete(ledger: Ledger) -> None:
    """Record what is left over for good, and that the job is over."""
    data = ledger.data
    for (routine_id, slot), groups in list(data.held.items()):
        for key, group in list(groups.items()):
            took = tuple((name, len(lane)) for name, lane in group.items())
            ledger.happen(facts.PayloadsUnmatched(0, 0.0, routine_id, slot, key, took))
    if data.deferred:
        ledger.happen(facts.DeferredEventsLeft(0, 0.0, len(data.deferred)))
    ledger.happen(facts.JobCompleted(0, 0.0))
