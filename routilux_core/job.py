"""Job: the live run of one JobState in this process."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Event, get_ident
from time import monotonic
from typing import TYPE_CHECKING, Any

from routilux_core.current import CONTEXT
from routilux_core.effect import PauseAsked
from routilux_core.explain import explain
from routilux_core.feed import Feed
from routilux_core.flow import Flow, checked_timeout
from routilux_core.identity import digest, new_id
from routilux_core.job_errors import InsideJob, InvalidTransition
from routilux_core.merge import checked_payload
from routilux_core.status import ExecutionStatus
from routilux_core.steering import Steering
from routilux_core.waiting import remaining, rest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from routilux_core.record import ExecutionRecord


class Job(Steering):
    """The live run of one JobState: what its starter, its executor and its handlers hold on to.

    Every method may be called from any thread, from handlers and from monitors.
    """

    __slots__ = ()

    # -- what it is ------------------------------------------------------------------------------------

    @property
    def job_id(self) -> str:
        """The id of the run."""
        return self.data.job_id

    @property
    def root(self) -> str:
        """What the idempotency keys of its work start with."""
        return self.data.root

    @property
    def flow(self) -> Flow:
        """The flow that it runs."""
        return self.plan.flow

    @property
    def status(self) -> ExecutionStatus:
        """Where it is in its life."""
        return self.data.status

    @property
    def is_running(self) -> bool:
        """True until it is over or paused."""
        return not self.settled

    def explain(self) -> str:
        """Say in words what the job is doing, or why it is not moving."""
        return explain(self)

    # -- what one may do to it -------------------------------------------------------------------------

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is over or paused; False when `timeout` came first. Inside a handler, work for it."""
        self.refuse_waiting("waiting for a job")
        context = CONTEXT.get()
        if context is None:
            helping = self._in_turn() and not self._elsewhere
            ended = self.work(timeout) if helping else self.wait_outside(timeout)
        else:
            with self.manager.waits(context.job, self):
                ended = self.wait_outside(timeout) if self._elsewhere else self.work(timeout)
        self.raise_detached()
        return ended

    def refuse_waiting(self, what: str) -> None:
        """Refuse something that would wait for the job in a thread without which it cannot go on."""
        if self.turning == get_ident():
            raise InsideJob(what, "the job itself waits for the monitor or function that asked for it")
        if self.lane.needs_caller() and not self.settled:
            reason = "this thread has a part in running its handlers; await the job, or wait for it elsewhere"
            raise InsideJob(what, reason)

    async def _wait_async(self) -> bool:
        context = CONTEXT.get()
        if context is None:
            ended = await super()._wait_async()
        else:
            from asyncio import to_thread  # noqa: PLC0415 - costly, and needed only where something is async

            with self.manager.waits(context.job, self, blocking=False):
                ended = await (super()._wait_async() if self._elsewhere else to_thread(self.work))
        self.raise_detached()
        return ended

    @property
    def _elsewhere(self) -> bool:
        """Whether only its executor can run its handlers."""
        traits = self.executor.traits
        return traits.crosses_process or traits.runs_async

    def pause(self, reason: str = "", checkpoint: Any = None, timeout: float | None = None) -> None:
        """Let nothing more start and wait until no handler runs; from inside one, only ask for it."""
        checked_timeout("timeout", timeout)
        context = CONTEXT.get()
        if context is not None and context.job is self:
            context.add(PauseAsked(reason, checkpoint))
            return
        until = None if timeout is None else monotonic() + timeout
        self._ask(self.engine.pause, (reason, checkpoint), shut=True, until=until)
        if (
            self._in_turn()
            or (context is not None and self in context.job.line())
            or self.lane.needs_caller()
        ):
            return
        done = Event()
        ring = done.set
        while self.data.status is ExecutionStatus.PAUSING or (self.engine.over and not self.ended):
            if not self.watch_end(ring):
                return
            if not rest(done, remaining(until)):
                self.unwatch(ring)
                return
            done.clear()
        self.unwatch(ring)

    def resume(self) -> None:
        """Let it go on after a pause."""
        self.manager.resume_state(self.flow, self.job_state)

    def cancel(self, reason: str = "") -> None:
        """End it; what its running handlers still do is refused."""
        self._ask(self.engine.cancel, reason, shut=True)

    def cancel_quietly(self, reason: str) -> None:
        """End it, unless it has just ended by itself or gone on elsewhere."""
        with self._suppressed():
            self.cancel(reason)

    def pause_quietly(self, reason: str, timeout: float) -> None:
        """Pause it, unless it has just ended by itself or gone on elsewhere."""
        with self._suppressed():
            self.pause(reason, timeout=timeout)

    @contextmanager
    def _suppressed(self) -> Iterator[None]:
        try:
            yield
        except InvalidTransition:
            pass
        except Exception:
            if self.detached is None:
                raise

    def post(self, routine_id: str, slot: str = "trigger", /, **data: Any) -> None:
        """Send an event from outside to a slot; a paused job takes it up when it is resumed."""
        bound = self.plan.slot(routine_id, slot)
        lineage = digest(f"{self.root} post {new_id()}")
        self._ask(self.engine.post, (bound, checked_payload("the post", data), lineage))

    def release(self, activation_id: int | None = None) -> None:
        """Let what a plugin holds back go on, all of it or one activation."""
        with self.lock:
            if self._holds is None or self.ended:
                return
            parked: Any = self.parked
            numbers = list(parked) if activation_id is None else [activation_id]
            self.passed = {*self.passed, *(number for number in numbers if number in self.data.activations)}
            released = [parked.pop(number) for number in numbers if number in parked]
            self.ready.extend(released)
            count = len(released) if self.open else 0
        if count:
            self._wake(count)

    def outputs(self) -> Feed[dict[str, Any]]:
        """Return the outputs from the first one on, as an iterator that goes on while the job does."""
        feed: Feed[dict[str, Any]] = Feed()
        self._ask(self.subscribe_outputs, feed)
        return feed

    def records(self) -> Feed[ExecutionRecord]:
        """Return the history from the first line kept on, as an iterator that goes on while the job does."""
        feed: Feed[ExecutionRecord] = Feed()
        self._ask(self.subscribe_records, feed)
        return feed

    def __repr__(self) -> str:
        return f"<Job {self.job_id!r} of flow {self.flow.flow_id!r}: {self.status}>"
