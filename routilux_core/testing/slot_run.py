"""run_slot: call one slot of a routine once, without a flow, and see what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import frozen

from routilux_core.facts import EventEmitted
from routilux_core.state import JobState
from routilux_core.status import ExecutionStatus
from routilux_core.testing.bench import BENCH, ROUTINE, bench_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from routilux_core.routine import Routine


@frozen(kw_only=True)
class SlotRun:
    """What one call of a slot's handler came to."""

    emitted: list[tuple[str, dict[str, Any]]]
    """Each emission in order, as event and payload."""
    error: BaseException | None
    """What the handler raised."""
    stats: dict[str, Any]
    """What it recorded."""
    outputs: list[dict[str, Any]]
    """What it sent with `send_output`."""
    deferred: list[tuple[str, dict[str, Any]]]
    """What it set aside with `emit_deferred_event`, as event and payload."""
    paused: bool
    """Whether it asked for a pause of its job."""
    state: JobState
    """The state of the job that it ran in: its shared data, its log, its history."""

    def payloads(self, event: str) -> list[dict[str, Any]]:
        """Return the payloads that went out as `event`, in order."""
        return [payload for name, payload in self.emitted if name == event]

    @property
    def shared_data(self) -> Mapping[str, Any]:
        """The job's shared data after the call."""
        return self.state.shared_data

    def raise_error(self) -> SlotRun:
        """Raise what the handler raised; return this run if it raised nothing."""
        if self.error is not None:
            raise self.error
        return self


def run_slot(
    routine: Routine, slot: str = "trigger", state: JobState | None = None, /, **payload: Any
) -> SlotRun:
    """Call the handler of one slot once with `payload`, as a job would, and return what came of it.

    Arguments are bound, effects are collected, a generator is run to its end and an async handler awaited.
    What the slot does to payloads before that is left out: merging and gathering. Nothing is tried again.
    `state` is the state of a job that was given data before. All of it happens in the caller's thread, in the
    manager of the `with` block around it if there is one.

    >>> from routilux_core import routine
    >>> from routilux_core.testing import run_slot
    >>> @routine
    ... def double(value):
    ...     return {"value": 2 * value}
    >>> run_slot(double(), value=4).emitted
    [('output', {'value': 8})]
    >>> run_slot(double(), value=None).error
    TypeError("unsupported operand type(s) for *: 'int' and 'NoneType'")
    """
    routine.get_slot(slot)
    with bench_of(routine) as (manager, flow):
        found = manager.execute(flow, ROUTINE, payload, job_state=state, entry_slot=slot, executor=BENCH)
    return slot_run(found)


def slot_run(state: JobState) -> SlotRun:
    """Return what can be seen in the state of a job on the bench."""
    return SlotRun(
        emitted=[(fact.event, fact.data) for fact in state.facts if isinstance(fact, EventEmitted)],
        error=state._cause,
        stats=state.stats(ROUTINE),
        outputs=list(state.output_log),
        deferred=[(event["event"], event["data"]) for event in state.deferred_events],
        paused=state.status is ExecutionStatus.PAUSED,
        state=state,
    )
