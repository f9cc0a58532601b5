"""Stop: a job that stands still, to look at and to let go on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from routilux_core import Activation, Fact, Job, JobState
    from routilux_plugins.monitors.breakpoints.monitor import Breakpoints


class Stop:
    """A job that stands still: nothing of it starts; what runs already goes on to its end.

    Every method may be called from any thread, but not from a handler or a monitor of the job.
    """

    def __init__(
        self, monitor: Breakpoints, job: Job, reason: str, work: Activation | None, fact: Fact | None
    ) -> None:
        self._monitor = monitor
        self.job = job
        """The job."""
        self.reason = reason
        """Why it stands, in words."""
        self.activation = work
        """What is about to start; None where it stands at a fact."""
        self.fact = fact
        """The fact at which it stands; None where it stands before a routine."""

    @property
    def state(self) -> JobState:
        """The state of the job."""
        return self.job.job_state

    @property
    def payload(self) -> dict[str, Any] | None:
        """What the routine is about to get, or what the fact says was sent; None where there is neither."""
        if self.activation is not None:
            return self.activation.data
        found = getattr(self.fact, "data", None)
        work = getattr(self.fact, "activation", None)
        return found if found is not None or work is None else work.data

    @property
    def over(self) -> bool:
        """Whether the job has gone on, or ended, since."""
        return not self._monitor.stands_at(self)

    def step(self, timeout: float | None = None) -> Stop | None:
        """Let just this run, and wait for the job to stand before the next; None when it ended instead.

        None also when `timeout` came first. At a fact, what starts next is what runs.
        """
        return self._monitor.step(self, timeout)

    def go_on(self) -> None:
        """Let the job go on, to the next breakpoint."""
        self._monitor.go_on(self)

    def __repr__(self) -> str:
        return f"<Stop of job {self.job.job_id!r} {self.reason}>"
