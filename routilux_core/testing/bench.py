"""A bench: one routine as the only one of a flow, its handlers called with just what the test gives."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar

from attrs import evolve

from routilux_core.current import MANAGER
from routilux_core.error_handler import STOP
from routilux_core.executor import Executor, Lane, Traits
from routilux_core.flow import Flow
from routilux_core.manager import JobManager
from routilux_core.merge import OVERRIDE
from routilux_core.plan import compile_flow
from routilux_core.policy import each
from routilux_core.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from routilux_core.job import Job
    from routilux_core.plan import BoundSlot
    from routilux_core.routine import Routine

ROUTINE = "routine"
"""The id of the routine on a bench."""


class Bench(Executor):
    """Runs nothing by itself: whoever waits for a job, or takes its activations, does the work."""

    traits: ClassVar[Traits] = Traits(concurrent=False)

    def open(self, job: Job) -> Lane:  # noqa: ARG002 - the contract's parameter
        """Return a lane that nobody listens to."""
        return _Silent()

    def drive(self, job: Job) -> None:
        """Work for the job in the caller's thread."""
        job.work()

    def stop(self, timeout: float | None = None) -> None:
        """Nothing runs that could be ended."""


class _Silent(Lane):
    def wake(self, count: int) -> None:
        """Leave the work where it is."""


BENCH = Bench()


@contextmanager
def bench_of(routine: Routine) -> Iterator[tuple[JobManager, Flow]]:
    """Put `routine` alone into a flow, with the test's manager or one that knows no plugins.

    A payload reaches its handler as it is, and once: not merged, not gathered, not tried again.
    """
    flow = Flow("bench")
    flow.add_routine(routine, ROUTINE)
    plan = compile_flow(flow)
    plan.slots[ROUTINE] = {name: _direct(slot) for name, slot in plan.slots[ROUTINE].items()}
    manager = MANAGER.get()
    made = JobManager(executor=BENCH, discover=False, settings=Settings()) if manager is None else None
    try:
        yield made or manager, flow  # type: ignore[misc]  # one of them is there
    finally:
        routine.flows.discard(flow)
        if made is not None:
            made.shutdown(wait=False)


def _direct(slot: BoundSlot) -> BoundSlot:
    fields = None if slot.binding is None else slot.binding.fields
    return evolve(
        slot, fields=fields, merge=OVERRIDE, policy=each, direct=True, error_handler=STOP, max_retries=0
    )
