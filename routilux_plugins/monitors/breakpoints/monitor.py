"""Breakpoints: the monitor that stops jobs."""

from __future__ import annotations

import logging
from difflib import get_close_matches
from typing import TYPE_CHECKING

from routilux_core import (
    ActivationCompleted,
    ActivationFailed,
    ActivationRetried,
    ActivationReturned,
    ActivationSkipped,
    ActivationYielded,
    InvalidOption,
    JobCancelled,
    JobCompleted,
    JobPaused,
    JobStopped,
    Monitor,
    hookimpl,
)
from routilux_plugins.monitors.breakpoints.condition import Condition
from routilux_plugins.monitors.breakpoints.settings import BreakpointsSettings
from routilux_plugins.monitors.breakpoints.standing import NEXT, StandingJobs
from routilux_plugins.monitors.breakpoints.stop import Stop

if TYPE_CHECKING:
    from routilux_core import Activation, Fact, Job
    from routilux_plugins.monitors.breakpoints.condition import When

log = logging.getLogger("routilux.breakpoints")
STEPS = (
    ActivationCompleted,
    ActivationFailed,
    ActivationSkipped,
    ActivationRetried,
    ActivationReturned,
    ActivationYielded,
)
"""The facts by which a step is done."""
ENDS = (JobCompleted, JobStopped, JobCancelled, JobPaused)


class Breakpoints(Monitor):
    """Lets jobs stand still before chosen routines or at chosen facts.

    While a job stands, nothing of it starts; what runs already goes on to its end. `wait` gives the stop, in
    any thread. There payload and state can be looked at, and the job goes on by a step, or for good.
    """

    def __init__(self, settings: BreakpointsSettings | None = None) -> None:
        settings = settings or BreakpointsSettings()
        self._conditions: tuple[Condition, ...] = ()
        self._jobs = StandingJobs()
        for name in settings.before:
            self.before(name)
        for tag in settings.on:
            self.on(tag)

    # -- where jobs are to stand -------------------------------------------------------------------------

    def before(self, name: str, when: When | None = None) -> Condition:
        """Let jobs stand before a routine, or a slot as `routine.slot`.

        `when(job, activation)` may say no.
        """
        return self._add(Condition(before=name, when=when))

    def on(self, tag: str, when: When | None = None) -> Condition:
        """Let jobs stand at a kind of fact, as `activation_failed`; `when(job, fact)` may say no.

        A job that has nothing left to start when it happens ends all the same; its stop is over then.
        """
        known = sorted(kind.tag for kind in self.watches() if kind not in ENDS)
        if tag not in known:
            near = get_close_matches(tag, known, n=1)
            meant = f"; did you mean {near[0]!r}?" if near else ""
            wanted = f"a kind of fact after which a job goes on: {', '.join(known)}{meant}"
            raise InvalidOption("on", tag, wanted)
        return self._add(Condition(on=tag, when=when))

    def clear(self, condition: Condition | None = None) -> None:
        """Take one breakpoint back, or all of them. Jobs that stand go on standing."""
        with self._jobs.lock:
            kept = () if condition is None else (one for one in self._conditions if one is not condition)
            self._conditions = tuple(kept)

    def _add(self, condition: Condition) -> Condition:
        with self._jobs.lock:
            self._conditions = (*self._conditions, condition)
        return condition

    # -- for those who look at them ----------------------------------------------------------------------

    @property
    def stops(self) -> tuple[Stop, ...]:
        """The jobs that stand now."""
        with self._jobs.lock:
            return self._jobs.stops()

    def wait(self, timeout: float | None = None) -> Stop | None:
        """Return the next stop that nobody was given, waiting for it; None when the time was up first."""
        jobs = self._jobs
        with jobs.lock:
            return jobs.next() if jobs.wait(jobs.untold, timeout) else None

    def stands_at(self, stop: Stop) -> bool:
        """Tell whether the job still stands there."""
        with self._jobs.lock:
            return self._jobs.at(stop) is not None

    def step(self, stop: Stop, timeout: float | None = None) -> Stop | None:
        """Do what `Stop.step` does."""
        job, jobs = stop.job, self._jobs
        with jobs.lock:
            standing = jobs.at(stop)
            if standing is None:
                return None
            jobs.take(stop)
            number = standing.goes()
            if standing.missed:
                jobs.add(standing.missed.pop(0))
        if number != NEXT:
            job.release(number)
        with jobs.lock:
            jobs.wait(lambda: standing.stop is not None or jobs.get(job) is not standing, timeout)
            return None if standing.stop is None else jobs.take(standing.stop)

    def go_on(self, stop: Stop) -> None:
        """Do what `Stop.go_on` does."""
        job, jobs = stop.job, self._jobs
        going, made = [], None
        with jobs.lock:
            standing = jobs.at(stop)
            if standing is None:
                return
            jobs.take(stop)
            standing.stop = None
            if stop.activation is not None:
                going.append(stop.activation.id)
                standing.held.pop(stop.activation.id, None)
        while made is None:
            with jobs.lock:
                if standing.missed:
                    jobs.add(standing.missed.pop(0))
                work = standing.first()
                if work is None and not standing.stands and jobs.get(job) is standing:
                    jobs.forget(job)
                if work is None or standing.stands:
                    break
            meets = self._before(job, work)
            with jobs.lock:
                del standing.held[work.id]
                if meets:
                    made = Stop(self, job, f"before {work.target}", work, None)
                    jobs.add(made)
                else:
                    going.append(work.id)
        for number in going:
            job.release(number)
        self._say(made)

    # -- what it is asked and told -----------------------------------------------------------------------

    def _before(self, job: Job, work: Activation) -> bool:
        return any(one.meets_activation(job, work) for one in self._conditions)

    @hookimpl
    def hold(self, job: Job, activation: Activation) -> bool:
        """Keep it from starting where the job stands, or is to stand before it."""
        jobs, stood = self._jobs, job in self._jobs
        if not stood and not self._before(job, activation):
            return False
        made = None
        with jobs.lock:
            standing = jobs.get(job)
            if standing is not None and not standing.arriving:
                if standing.asks(activation):
                    return False
            elif standing is not None or not stood:
                made = Stop(self, job, f"before {activation.target}", activation, None)
                jobs.add(made)
        if made is None:
            return standing is not None or self.hold(job, activation)  # it has gone on just now
        if job.status.final or not job.is_here:  # its end may have been told before it stood
            with jobs.lock:
                jobs.forget(job)
        self._say(made)
        return True

    def on_fact(self, job: Job, fact: Fact) -> None:
        """See whether the job is to stand, whether a step is done, and whether the job is over."""
        jobs, made = self._jobs, None
        meets = any(one.meets_fact(job, fact) for one in self._conditions if one.on is not None)
        if not (meets or job in jobs):
            return
        with jobs.lock:
            standing = jobs.get(job)
            if isinstance(fact, ENDS):
                jobs.forget(job)
            elif meets:
                made = Stop(self, job, f"at {fact.tag}", None, fact)
                if standing is None or not standing.stands:
                    jobs.add(made)
                else:
                    standing.missed.append(made)
            elif standing is not None and isinstance(fact, STEPS) and standing.stepping == fact.activation.id:
                work = standing.first()
                standing.stepping, standing.arriving = None, work is None
                if work is not None:
                    made = Stop(self, job, f"before {work.target}", work, None)
                    jobs.add(made)
        self._say(made)

    @hookimpl
    def job_left(self, job: Job) -> None:
        """Let it stand no more: it goes on elsewhere."""
        with self._jobs.lock:
            self._jobs.forget(job)

    def _say(self, stop: Stop | None) -> None:
        if stop is not None and not self._jobs.waiting:
            text = "job %s stands still %s; wait() gives the stop, and go_on() lets the job go on"
            log.warning(text, stop.job.job_id, stop.reason)
