"""Steering: how managers, executors, contexts and states move a job."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING, Any

from routilux_core.clock import steady
from routilux_core.current import CONTEXT
from routilux_core.divided import Divided, async_targets
from routilux_core.engine import Answer, Engine
from routilux_core.facts import JobStarted, OutputSent
from routilux_core.ledger import Ledger
from routilux_core.shipping import Shipping
from routilux_core.telling import CLOSED, NO_STATS
from routilux_core.waiting import remaining, rest

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable
    from contextvars import Context

    from routilux_core.activation import Activation
    from routilux_core.desk import Message, Messages
    from routilux_core.executor import Executor
    from routilux_core.job import Job
    from routilux_core.manager import JobManager
    from routilux_core.plan import BoundSlot, Plan
    from routilux_core.state import JobState


class Steering(Shipping):
    """A job as its own house sees it; `Job` is what users hold."""

    __slots__ = ("__weakref__", "_begin", "plan", "stray")

    def __init__(self, manager: JobManager, plan: Plan, state: JobState, executor: Executor) -> None:
        settings, hooks = manager.settings, manager.hooks
        engine = Engine(plan, Ledger(state._data, state._history), manager.limits)
        workers = plan.flow.max_workers if executor.traits.concurrent else 1
        super().__init__(engine, manager.clock.time, workers, settings.max_ready)
        self.manager, self.plan, self.job_state, self.executor = manager, plan, state, executor
        if executor.traits.runs_async and async_targets(plan):
            self.ready = Divided(plan)
            self.roundabout = self.limited = True  # who finishes one half does not go on with the other
        self.slots = plan.slots
        context = CONTEXT.get()
        self.parent = None if context is None else context.job
        self.epoch = 0
        self.stray = False
        """True when it was taken up by itself, and nobody waits for its end."""
        self._begin: Message | None = None
        self._blueprints = {}
        self.driven = False
        self.lane, self.base = CLOSED, NO_STATS
        self.live = self.children = self._timers = self.observers = self._later = None
        self._waiters = self._helpers = self._keepers = self.output_feeds = self.record_feeds = (
            self.around
        ) = ()
        if hooks.involved:
            job: Job = self  # type: ignore[assignment]  # every one of us is a Job
            self.around, self._holds = hooks.around(job), hooks.hold(job)
            self.observers = hooks.observers()
            if self.observers:
                self.listen()

    def begin(self, started: JobStarted, slot: BoundSlot, payload: dict[str, Any]) -> None:
        """Start it with its entry; where it is driven, as soon as somebody works for it."""
        self.reopen()
        if started.timeout is not None:
            self.time = steady(self.manager.clock, started.created_at)  # what it has run is counted by it
        self._begin = (self.engine.begin, started, (slot, payload))
        if not self.driven:
            self.launch(take=False)
            self.wait_stored(0)  # which it is with its first facts

    def launch(self, take: bool) -> Activation | None:
        """Begin, if that was left to whoever works; with `take` return the first work."""
        with self.lock:
            message, self._begin = self._begin, None
            if message is not None:
                self.inbox.append(message)
                messages = self._claimed()
        if message is None:
            return self.take() if take else None
        take = take and self._holds is None
        if messages is None:
            return None
        if take and len(messages) == 1 and not self.roundabout:
            return self._open_with(message)
        return self._turn(messages, take, waits=True)

    def go_on(self, before: Messages = (), after: Messages = (), *, recovers: bool = False) -> None:
        """Start it from where its data stands, between messages that come before and after that."""
        self.driven = False
        if self.reopen():
            self.manager.has_resumed(self)  # type: ignore[arg-type]  # every one of us is a Job
            if self.data.timeout is not None:
                self.time = steady(self.manager.clock, self.data.updated_at)
            with self.lock:
                self.inbox += (*before, (self.engine.resume, self.plan.fingerprint, recovers), *after)
            self.pump()

    def unpause(self) -> None:
        """Take back a pause that has not come about yet."""
        self._ask(self.engine.unpause, self.plan.fingerprint)
        self.wake_waiters()

    def wake(self) -> None:
        """Tell the executor of work that it was not told of."""
        self.driven = False
        if self._begin is not None:  # its first turn tells
            self.launch(take=False)
            return
        with self.lock:
            count = min(len(self.ready) + len(self.stalled), self.limit - self.inflight) if self.open else 0
        if count > 0:
            self.lane.wake(count)

    def output(self, activation: Activation | None, fact: OutputSent) -> None:
        """Take an output of a handler that still runs."""
        self._check_output(fact)
        self.send((self.engine.output, activation, fact))

    def change(self, effect: Any) -> bool:
        """Take a change from outside; False when the job is over and its state takes it by itself."""
        if isinstance(effect, OutputSent):
            self._check_output(effect)
            return self._ask(self.engine.output_outside, effect)
        return self._ask(self.engine.change, effect)

    def close(self) -> None:
        """Close its generators, and let go of what refers back to it."""
        if self.live:
            self.close_generators()
        self.around, self._holds = (), None

    def _forget(self, coroutine: Coroutine[Any, Any, None], variables: Context) -> None:
        if not self.lane.finalize(coroutine, variables):
            super()._forget(coroutine, variables)

    def adopt(self, child: Job) -> None:
        """Take in a job that one of its handlers started; it ends when this one does."""
        with self.lock:
            if not self.ended:
                self.children = self.children or {}
                self.children[child] = None
                return
        self._take_along(child)

    def refuses(self, activation: Activation) -> bool:
        """Tell whether what `activation` still does will be refused."""
        return self.engine.refuses(activation)

    def line(self) -> Iterable[Job]:
        """Give the job and those in whose handlers it was started."""
        job: Job | None = self  # type: ignore[assignment]  # every one of us is a Job
        while job is not None:
            yield job
            job = job.parent

    def _ask(self, act: Any, one: Any, *, shut: bool = False, until: float | None = None) -> bool:
        """Send a message and wait until it was taken, or `until`; False when it is for the state itself."""
        answer, done = Answer(), Event()
        with self.lock:
            if self.released and act in {self.engine.change, self.engine.output_outside}:
                return False
            if shut:
                self.open = False
            if self._begin is not None:  # it was to begin when somebody works for it
                self.inbox.append(self._begin)
                self._begin = None
            self.inbox += ((act, one, answer), (self._answered, answer, done))
        self.pump()
        if not (done.is_set() or self._in_turn() or rest(done, remaining(until))):
            return True
        self.manager.interrupts.check()
        if answer.error is not None:
            raise self.detached or answer.error
        self.wait_stored(answer.number, until)
        return True

    def _answered(self, answer: Answer, done: Event) -> None:
        answer.number = self.data.number
        done.set()
