"""Job: the live run of one JobState in this process."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from threading import Event, get_ident
from time import monotonic
from typing import TYPE_CHECKING, Any

from routilux_core.activation import Activation
from routilux_core.current import CONTEXT
from routilux_core.effect import PauseAsked
from routilux_core.engine import Answer, Engine
from routilux_core.executor import Executor
from routilux_core.explain import explain
from routilux_core.facts import JobStarted, OutputSent
from routilux_core.feed import Feed
from routilux_core.flow import Flow, checked_timeout
from routilux_core.identity import digest, new_id
from routilux_core.job_errors import InsideJob, InvalidTransition
from routilux_core.ledger import Ledger
from routilux_core.merge import checked_payload
from routilux_core.plan import BoundSlot, Plan
from routilux_core.record import ExecutionRecord
from routilux_core.runner import Runner
from routilux_core.status import ExecutionStatus
from routilux_core.telling import CLOSED, NO_STATS
from routilux_core.turn import HELD, Message

if TYPE_CHECKING:
    from routilux_core.manager import JobManager
    from routilux_core.state import JobState


class Job(Runner):
    """The live run of one JobState: what its starter, its executor and its handlers hold on to.

    Every method may be called from any thread, from handlers and from monitors.
    """

    __slots__ = ("__weakref__", "_begin", "epoch", "plan")

    def __init__(self, manager: JobManager, plan: Plan, state: JobState, executor: Executor) -> None:
        settings, hooks = manager.settings, manager.hooks
        engine = Engine(plan, Ledger(state._data, state._history), manager.limits)  # noqa: SLF001 - its other half
        concurrent = executor.traits.concurrent
        super().__init__(engine, manager.clock.time, plan.flow.max_workers if concurrent else 1, settings.max_ready)
        self.manager, self.plan, self.job_state, self.executor = manager, plan, state, executor
        self.slots = plan.slots
        context = CONTEXT.get()
        self.parent = None if context is None else context.job
        self.epoch = 0
        """Grows as the job changes hands between processes."""
        self._begin: Message | None = None
        self.driven = False
        self.lane, self.base = CLOSED, NO_STATS
        self.live = self.children = self._timers = self.observers = None
        self._waiters = self._helpers = self.output_feeds = self.record_feeds = self.around = ()
        if hooks.involved:
            self.around, self._holds = hooks.around(self), hooks.hold(self)
            self.observers = hooks.observers()
            if self.observers:
                engine.ledger.news = []

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
        if self.turning == get_ident():
            raise InsideJob("waiting for a job", "the job itself waits for the monitor or function that asked for it")
        context = CONTEXT.get()
        if context is None:
            return self.work(timeout) if self._in_turn() and not self._elsewhere else self.wait_outside(timeout)
        with self.manager.waits(context.job, self):
            return self.wait_outside(timeout) if self._elsewhere else self.work(timeout)

    async def _wait_async(self) -> bool:
        context = CONTEXT.get()
        if context is None or self._elsewhere:
            return await super()._wait_async()
        from asyncio import to_thread  # noqa: PLC0415 - costly, and needed only where something is async

        with self.manager.waits(context.job, self):
            return await to_thread(self.work)

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
        self._ask(self.engine.pause, (reason, checkpoint), shut=True)
        if self._in_turn() or (context is not None and self in context.job.line()):
            return
        until = None if timeout is None else monotonic() + timeout
        done = Event()
        ring = done.set
        while self.data.status is ExecutionStatus.PAUSING or (self.engine.over and not self.ended):
            left = None if until is None else max(0.0, until - monotonic())
            if not self.watch_end(ring):
                return
            if not done.wait(left):
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
        """End it, unless it has just ended by itself."""
        with suppress(InvalidTransition):
            self.cancel(reason)

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

    # -- for managers, executors, contexts and states --------------------------------------------------

    def begin(self, started: JobStarted, slot: BoundSlot, payload: dict[str, Any]) -> None:
        """Start it with its entry; where it is driven, as soon as somebody works for it."""
        self.reopen()
        self.set_deadline(started.timeout)
        self._begin = (self.engine.begin, started, (slot, payload))
        if not self.driven:
            self.launch(take=False)

    def launch(self, take: bool) -> Activation | None:  # noqa: FBT001 - two callers
        """Begin, if that was left to whoever works; with `take` return the first work."""
        message, self._begin = self._begin, None
        if message is None:
            return self.take() if take else None
        with self.lock:
            self.inbox.append(message)
            messages = self._claimed()
        return None if messages is None else self._turn(messages, take and self._holds is None)

    def go_on(self) -> None:
        """Start it from where its data stands."""
        self.driven = False
        if self.reopen():
            self.set_deadline(self.data.timeout)
            self.send((self.engine.resume, self.plan.fingerprint, None))

    def unpause(self) -> None:
        """Take back a pause that has not come about yet."""
        self._ask(self.engine.unpause, self.plan.fingerprint)
        self.wake_waiters()

    def wake(self) -> None:
        """Tell the executor of work that it was not told of."""
        self.driven = False
        self.launch(take=False)
        with self.lock:
            count = min(len(self.ready) + len(self.stalled), self.limit - self.inflight) if self.open else 0
        if count > 0:
            self.lane.wake(count)

    def output(self, activation: Activation | None, fact: OutputSent) -> None:
        """Take an output of a handler that still runs."""
        self.send((self.engine.output, activation, fact))

    def change(self, effect: Any) -> bool:
        """Take a change from outside; False when the job is over and its state takes it by itself."""
        if isinstance(effect, OutputSent):
            return self._ask(self.engine.output_outside, effect)
        return self._ask(self.engine.change, effect)

    def close(self) -> None:
        """Close its generators, and let go of what refers back to it."""
        if self.live:
            self.close_generators()
        self.around, self._holds = (), None

    def _in_turn(self) -> bool:
        """Whether this thread has the turn of any job, so that it must not wait for another's."""
        return bool(HELD.turns) or self.turning == get_ident()

    def adopt(self, child: Job) -> None:
        """Take in a job that one of its handlers started; it ends when this one does."""
        with self.lock:
            if not self.ended:
                self.children = self.children or {}
                self.children[child] = None
                return
        child.cancel_quietly(f"the job that started it is {self.data.status}")

    def refuses(self, activation: Activation) -> bool:
        """Tell whether what `activation` still does will be refused."""
        return self.engine.refuses(activation)

    def line(self) -> Iterable[Job]:
        """Give the job and those in whose handlers it was started."""
        job: Job | None = self
        while job is not None:
            yield job
            job = job.parent

    def _ask(self, act: Any, one: Any, *, shut: bool = False) -> bool:
        """Send a message and wait until it was taken; False when the job's state is no longer changed here."""
        answer, done = Answer(), Event()
        with self.lock:
            if self.released and act in {self.engine.change, self.engine.output_outside}:
                return False
            if shut:
                self.open = False
            self.inbox += ((act, one, answer), (_ring, done, None))
        self.pump()
        if not (done.is_set() or self._in_turn()):
            done.wait()
        self.manager.interrupts.check()
        if answer.error is not None:
            raise answer.error
        return True

    def __repr__(self) -> str:
        return f"<Job {self.job_id!r} of flow {self.flow.flow_id!r}: {self.status}>"


def _ring(done: Event, _: object) -> None:
    done.set()
