"""Outpost: runs parcels in a process that has no job manager."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any, NoReturn

from routilux_core.default import get_job_manager
from routilux_core.flow import Flow
from routilux_core.job_errors import OutsideProcess
from routilux_core.loop import Loops
from routilux_core.parcel import build
from routilux_core.plan import compile_flow
from routilux_core.runner import Live, Runner
from routilux_core.state import JobState

if TYPE_CHECKING:
    from collections.abc import Callable

    from routilux_core.activation import Activation
    from routilux_core.facts import OutputSent
    from routilux_core.outcome import Outcome
    from routilux_core.parcel import Parcel
    from routilux_core.plan import Plan

    Send = Callable[[str, Activation, OutputSent], object]

KEPT = 256
"""How many jobs and routines an outpost remembers; what it has forgotten is made anew."""


class Outpost:
    """Runs parcels, in whatever thread calls it; `send` takes a job's id, an activation and its output.

    It remembers the routines that it has built, and the jobs, whose generators may have more to give. A
    generator that it has forgotten starts anew, and its first items are skipped.
    """

    def __init__(self, send: Send) -> None:
        self.send = send
        self.loop = Loops()
        self._plans: OrderedDict[bytes, tuple[Flow, Plan]] = OrderedDict()
        self._jobs: OrderedDict[tuple[str, bytes], RemoteJob] = OrderedDict()

    def job(self, parcel: Parcel) -> RemoteJob:
        """Return the job that a parcel belongs to, as it is seen here."""
        place = (parcel.job_id, parcel.blueprint)
        job = self._jobs.get(place)
        if job is None:
            job = self._jobs[place] = RemoteJob(self, self._plan(parcel), parcel)
            if len(self._jobs) > KEPT:
                self._jobs.popitem(last=False)[1].close_generators()
        job.renew(parcel)
        return job

    def run(self, parcel: Parcel) -> Outcome:
        """Call the handler of a parcel and return what came of it."""
        return self.job(parcel).run(parcel.activation)

    async def run_async(self, parcel: Parcel) -> Outcome:
        """Do what `run` does, awaiting an async handler on the running loop."""
        return await self.job(parcel).run_async(parcel.activation)

    def void(self, job_id: str, number: int) -> None:
        """Know that nobody waits for an activation any more; its handler sees `context.cancelled`."""
        for (other, _), job in list(self._jobs.items()):
            if other == job_id:
                job.voided.add(number)

    def forget(self, job_id: str) -> None:
        """Let go of a job that is over."""
        for place in [place for place in self._jobs if place[0] == job_id]:
            self._jobs.pop(place).close_generators()

    def stop(self, timeout: float | None = None) -> None:
        """End what async handlers ran on."""
        self.loop.stop(timeout)

    def _plan(self, parcel: Parcel) -> tuple[Flow, Plan]:
        known = self._plans.get(parcel.blueprint)
        if known is None:
            routine_id, routine = build(parcel.blueprint)
            flow = Flow(parcel.flow_id)
            flow.add_routine(routine, routine_id)
            known = self._plans[parcel.blueprint] = (flow, compile_flow(flow))
            if len(self._plans) > KEPT:
                self._plans.popitem(last=False)
        return known


class RemoteJob(Runner):
    """A job as the handlers of one of its routines see it far from home: what came with the parcel."""

    __slots__ = (
        "around", "data", "epoch", "flow", "job_state", "live", "manager", "outpost", "plan", "root", "slots",
        "voided",
    )  # fmt: skip

    def __init__(self, outpost: Outpost, planned: tuple[Flow, Plan], parcel: Parcel) -> None:
        self.flow, self.plan = planned
        self.slots = self.plan.slots
        self.outpost, self.root, self.epoch = outpost, parcel.root, parcel.epoch
        self.manager: Any = Absent(outpost.loop)
        self.job_state = JobState(parcel.flow_id, parcel.job_id)
        self.data = self.job_state._data
        self.data.root = parcel.root
        self.around: tuple[Any, ...] = ()
        self.live: dict[int, Live] | None = None
        self.voided: set[int] = set()

    def renew(self, parcel: Parcel) -> None:
        """Know what the home process knew when it sent the parcel."""
        self.data.shared_data = dict(parcel.shared_data)
        self.data.stats = {parcel.activation.routine_id: dict(parcel.stats)}
        self.epoch = parcel.epoch
        self.voided.discard(parcel.activation.id)

    def refuses(self, activation: Activation) -> bool:
        """Tell whether what `activation` still does will be refused."""
        return activation.id in self.voided

    def limit_time(self, activation: Activation, seconds: float) -> None:
        """Leave time limits to the home process."""

    def unlimit_time(self, activation: Activation) -> None:
        """Leave time limits to the home process."""

    def output(self, activation: Activation, fact: OutputSent) -> None:
        """Send an output home, at once."""
        self.outpost.send(self.data.job_id, activation, fact)


class Absent:
    """Stands where a job manager would be; what a handler asks of it is refused in words."""

    def __init__(self, loop: Loops) -> None:
        self.loop = loop

    @property
    def converter(self) -> Any:
        """The converter of this process, for parameters with types."""
        return get_job_manager().converter

    def __getattr__(self, name: str) -> NoReturn:
        raise OutsideProcess(name)
