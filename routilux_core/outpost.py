"""Outpost: runs parcels in a process that has no job manager."""

from __future__ import annotations

import logging
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, NoReturn

from routilux_core.current import CONTEXT
from routilux_core.default import get_job_manager
from routilux_core.effect import PauseAsked
from routilux_core.flow import Flow
from routilux_core.job_errors import OutsideProcess
from routilux_core.loop import Loops
from routilux_core.outcome import Outcome
from routilux_core.parcel import build, unpacked
from routilux_core.plan import compile_flow
from routilux_core.runner import Runner
from routilux_core.state import JobState
from routilux_core.surrounding import HOOK, enter
from routilux_core.tolerance import Tolerance

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import ExitStack

    from routilux_core.activation import Activation
    from routilux_core.facts import OutputSent
    from routilux_core.generators import Live
    from routilux_core.parcel import Blueprint, Parcel, Surroundings
    from routilux_core.plan import Plan

    Send = Callable[[str, Activation, OutputSent], object]

log = logging.getLogger("routilux.plugins")
KEPT = 256
"""How many jobs an outpost remembers; what it has forgotten is made anew."""


class Outpost:
    """Runs parcels, in whatever thread calls it; `send` takes a job's id, an activation and its output.

    It remembers the routines that it has built, until it is told to discard a blueprint, and the jobs, whose
    generators may have more to give. A generator that it has forgotten starts anew, and its first items are
    skipped.
    """

    def __init__(self, send: Send) -> None:
        self.send = send
        self.loop = Loops()
        self._blueprints: dict[str, Blueprint] = {}
        self._plans: dict[str, tuple[Flow, Plan]] = {}
        self._jobs: OrderedDict[tuple[str, str], RemoteJob] = OrderedDict()
        self._running: dict[tuple[str, int, int], tuple[Activation, Parcel]] = {}
        self._voided: dict[str, set[tuple[int, int]]] = {}
        """By job, the attempts that nobody waits for."""

    def job(self, parcel: Parcel, routine_id: str) -> RemoteJob:
        """Return the job that a parcel belongs to, as the handlers of one routine see it here."""
        place = (parcel.job_id, parcel.blueprints[routine_id].key)
        job = self._jobs.get(place)
        if job is None:
            job = self._jobs[place] = RemoteJob(self, self._plan(parcel, routine_id), parcel)
            if len(self._jobs) > KEPT:
                self._jobs.popitem(last=False)[1].close_generators()
        if job.parcel is not parcel:
            job.renew(parcel)
        return job

    def accept(self, parcel: Parcel) -> None:
        """Remember its blueprints, so that later parcels can do without their content."""
        for blueprint in parcel.blueprints.values():
            if blueprint.content is not None:
                self._blueprints[blueprint.key] = blueprint

    def run(self, parcel: Parcel, activation: Activation) -> Outcome:
        """Call the handler of an activation of a parcel and return what came of it."""
        place = (parcel.job_id, activation.id, activation.attempt)
        self._running[place] = activation, parcel
        try:
            if self.refuses(parcel.job_id, activation):
                return Outcome()
            return self.job(parcel, activation.routine_id).run(activation)
        except BaseException as error:  # noqa: BLE001 - a constructor may raise anything
            return Outcome(exception=error)
        finally:
            del self._running[place]

    async def run_async(self, parcel: Parcel, activation: Activation) -> Outcome:
        """Do what `run` does, awaiting an async handler on the running loop."""
        place = (parcel.job_id, activation.id, activation.attempt)
        self._running[place] = activation, parcel
        try:
            if self.refuses(parcel.job_id, activation):
                return Outcome()
            return await self.job(parcel, activation.routine_id).run_async(activation)
        except BaseException as error:  # noqa: BLE001 - as above
            return Outcome(exception=error)
        finally:
            del self._running[place]

    def void(self, job_id: str, number: int, attempt: int) -> None:
        """Know, in any thread, that nobody waits for an attempt of an activation any more.

        Its handler sees `context.cancelled`; an async one is cancelled; what has not begun does not.
        """
        self._voided.setdefault(job_id, set()).add((number, attempt))
        running = self._running.get((job_id, number, attempt))
        if running is not None:
            self.loop.cancel(running[0])

    def surroundings(self, job_id: str, activation: Activation) -> Surroundings:
        """Return what came along to be entered around the handler of what runs."""
        _, parcel = self._running[job_id, activation.id, activation.attempt]
        return parcel.surroundings.get(activation.id, ())

    def refuses(self, job_id: str, activation: Activation) -> bool:
        """Tell whether nobody waits for it any more."""
        return (activation.id, activation.attempt) in self._voided.get(job_id, ())

    def forget(self, job_id: str) -> None:
        """Let go of a job that is over."""
        self._voided.pop(job_id, None)
        for place in [place for place in self._jobs if place[0] == job_id]:
            self._jobs.pop(place).close_generators()

    def discard(self, key: str) -> None:
        """Forget a blueprint; a parcel that needs it later has its content."""
        self._plans.pop(key, None)
        self._blueprints.pop(key, None)

    def stop(self, timeout: float | None = None) -> None:
        """End what async handlers ran on."""
        self.loop.stop(timeout)

    def _plan(self, parcel: Parcel, routine_id: str) -> tuple[Flow, Plan]:
        blueprint = parcel.blueprints[routine_id]
        known = self._plans.get(blueprint.key)
        if known is None:
            _, routine = build(self._blueprints.get(blueprint.key, blueprint))
            flow = Flow(parcel.flow_id)
            flow.add_routine(routine, routine_id)
            known = self._plans[blueprint.key] = (flow, compile_flow(flow))
        return known


class RemoteJob(Runner):
    """A job as the handlers of one of its routines see it far from home: what came with the parcel."""

    __slots__ = (
        "_tolerances", "around", "data", "epoch", "flow", "job_state", "live", "manager", "outpost", "parcel",
        "plan", "root", "slots",
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
        self._tolerances: dict[str, Tolerance] = {}
        self.live: dict[int, Live] | None = None
        self.parcel: Parcel | None = None

    def renew(self, parcel: Parcel) -> None:
        """Know what the home process knew when it sent the parcel."""
        self.parcel, self.epoch = parcel, parcel.epoch
        self.around = (self._surround,) if parcel.surroundings else ()
        self.data.shared_data = dict(parcel.shared_data)
        self.data.stats = {routine_id: dict(stats) for routine_id, stats in parcel.stats.items()}

    def _surround(self, stack: ExitStack, activation: Activation) -> None:
        """Enter what the plugins at home have sent along."""
        job_id = self.data.job_id
        for name, content in self.outpost.surroundings(job_id, activation):
            try:
                surrounding = unpacked(content)
            except Exception:
                text = "what plugin %r sent along with an activation of job %s cannot be read here"
                log.exception(text, name, job_id)
            else:
                tolerance = self._tolerances.setdefault(name, Tolerance(name, HOOK, job_id))
                enter(stack, surrounding, tolerance)

    def refuses(self, activation: Activation) -> bool:
        """Tell whether what `activation` still does will be refused."""
        return self.outpost.refuses(self.data.job_id, activation)

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

    def pause_state(
        self, flow: Flow, state: JobState, reason: str, checkpoint: Any, _timeout: object
    ) -> None:
        """Ask for a pause of the handler's own job, which is one of its effects."""
        context = CONTEXT.get()
        if context is None or state is not context.job_state:
            raise OutsideProcess(f"pausing another job of flow {flow.flow_id!r}")
        context.add(PauseAsked(reason, checkpoint))

    def __getattr__(self, name: str) -> NoReturn:
        raise OutsideProcess(name)
