"""Telling: what a job tells others, after the facts and outside the lock."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from routilux_core.activation import Activation
from routilux_core.engine import Answer
from routilux_core.errors import ManagerClosed
from routilux_core.executor import Lane
from routilux_core.facts import ActivationRetried, Fact, OutputSent
from routilux_core.feed import Feed
from routilux_core.observers import Observers, Watches
from routilux_core.record import ExecutionRecord, as_record
from routilux_core.status import FINAL, ExecutionStatus
from routilux_core.timers import Timer
from routilux_core.turn import Message
from routilux_core.waiting import Waiting

if TYPE_CHECKING:
    from routilux_core.executor import Executor
    from routilux_core.job import Job
    from routilux_core.manager import JobManager
    from routilux_core.state import JobState

log = logging.getLogger("routilux")
Subscription = tuple[Feed[Any], "list[tuple[int, Feed[Any]]]", Callable[[], "list[Any]"]]


class _ClosedLane(Lane):
    """Stands for the lane of a job that is over."""

    def wake(self, count: int) -> None:
        """Nobody is left to hear it."""


CLOSED = _ClosedLane()


class Telling(Waiting):
    """A turn with those who listen: monitors, feeds, timers, the executor's lane."""

    __slots__ = (
        "_timers",
        "again",
        "base",
        "children",
        "driven",
        "executor",
        "job_state",
        "lane",
        "manager",
        "observers",
        "output_feeds",
        "parent",
        "record_feeds",
    )

    manager: JobManager
    job_state: JobState
    executor: Executor
    observers: Observers
    lane: Lane
    parent: Job | None
    children: set[Job]

    def __init__(self, *parts: Any, **limits: Any) -> None:
        super().__init__(*parts, **limits)
        self.driven = False
        """True while `execute` works for it in its own thread."""
        self.output_feeds: list[tuple[int, Feed[dict[str, Any]]]] = []
        self.record_feeds: list[tuple[int, Feed[ExecutionRecord]]] = []
        self.again = False
        """True when somebody has asked for a resume before the pause was told to all."""
        self.base: dict[str, dict[str, Any]] = {}
        """The stats that were there when it was opened."""
        self._timers: dict[object, Timer] = {}

    def _open(self) -> bool:
        """Let work start; False when somebody else has just done so."""
        with self.lock:
            if not self.ended:
                self.again = self.data.status is ExecutionStatus.PAUSED
                return False
            self.ready.clear()
            self.stalled.clear()
            self.parked.clear()
            self.inflight = 0
            self.open, self.ended = True, False
        self.lane = self.executor.open(self)  # type: ignore[arg-type] - every one of us is a Job
        self.base = {routine_id: dict(stats) for routine_id, stats in self.data.stats.items()}
        return True

    def _set_deadline(self, seconds: float | None) -> None:
        if seconds is not None:
            left = max(0.0, seconds - self.data.used)
            self._arm("deadline", left, (self.engine.deadline, seconds, None))

    def limit_time(self, activation: Activation, seconds: float) -> None:
        """Fail the attempt when it runs for longer than `seconds`."""
        self._arm(activation.id, seconds, (self.engine.expired, activation, seconds))

    def unlimit_time(self, activation: Activation) -> None:
        """Take that back: the handler has returned."""
        timer = self._timers.pop(activation.id, None)
        if timer is not None:
            timer.cancel()

    def _arm(self, name: object, seconds: float, message: Message) -> None:
        self._timers[name] = self.manager.timers.after(seconds, partial(self._fire, name, message))

    def _fire(self, name: object, message: Message) -> None:
        self._timers.pop(name, None)
        with self.lock:
            self.inbox.append(message)
            if self.turning:
                return
        self.manager.clerk.ask(self.pump)

    # -- what Turn asks for ----------------------------------------------------------------------------

    def _wake(self, count: int) -> None:
        self.call_helpers()
        if not self.driven:
            self.lane.wake(count)

    def _show(self) -> None:
        engine, ledger = self.engine, self.engine.ledger
        while engine.failures:
            fact, error = engine.failures.pop(0)
            level = logging.WARNING if isinstance(fact, ActivationRetried) else logging.ERROR
            name = type(fact).__name__
            log.log(level, "job %s: %s: %s", self.data.job_id, name, fact.error, exc_info=error)
        while engine.warnings:
            text, value = engine.warnings.pop(0)
            log.warning(f"job %s: {text}", self.data.job_id, value)
        if ledger.news:
            news, ledger.news = ledger.news, []
            self.observers.show(self, news)  # type: ignore[arg-type] - every one of us is a Job
            self._feed(news)
        while engine.outputs:
            self._output(engine.outputs.pop(0))
        while engine.later:
            activation, due = engine.later.pop()
            self._arm(activation, due - self.time(), (engine.due, activation, None))
        while engine.routing.alarms:
            alarm = engine.routing.alarms.pop()
            self._arm(alarm, alarm.at - self.time(), (engine.ring, alarm, None))
        while engine.voided:
            self.manager.loop.cancel(engine.voided.pop())

    def _let_go(self) -> None:
        if self.job_state._job is self:  # noqa: SLF001 - the state's other half
            self.job_state._job = None  # noqa: SLF001

    def _end(self) -> None:
        status = self.data.status
        if self._timers:
            timers, self._timers = self._timers, {}
            for timer in timers.values():
                timer.cancel()
        if status in FINAL:
            self.job_state._cause = self.engine.cause  # noqa: SLF001 - the state's other half
            self.closing()
            if status is not ExecutionStatus.COMPLETED:
                self.executor.cancel(self)  # type: ignore[arg-type]
        for _, feed in (*self.output_feeds, *self.record_feeds):
            feed.close()
        self.lane.close()
        self.lane = CLOSED
        self.manager.forget(self)  # type: ignore[arg-type]
        if self.parent is not None:
            self.parent.children.discard(self)  # type: ignore[arg-type]
        with self.lock:
            self.ended = True
            again, self.again = self.again, False
            awaited = self._waiters or self._helpers
        if awaited:
            self.wake_waiters()
        if again:
            self._resume_late()
        if self.children and status in FINAL and status is not ExecutionStatus.COMPLETED:
            for child in list(self.children):
                child.cancel(f"the job that started it is {status}")

    def _resume_late(self) -> None:
        """Do what was asked for between the fact that paused the job and the end of its telling."""
        try:
            self.manager.admit(self)  # type: ignore[arg-type] - every one of us is a Job
        except ManagerClosed:
            return
        self.go_on()

    @abstractmethod
    def go_on(self) -> None:
        """Start it from where its data stands."""

    @abstractmethod
    def closing(self) -> None:
        """Let go of what only a running job needs."""

    # -- those who listen ------------------------------------------------------------------------------

    def attach(self, name: str, watches: Watches) -> None:
        """Let a monitor watch, before the job begins."""
        self.observers.add(name, watches)
        if self.engine.ledger.news is None:
            self.engine.ledger.news = []

    def _subscribe(self, subscription: Subscription, _: Answer) -> None:
        feed, feeds, earlier = subscription
        feed.put(earlier())
        if self.settled:
            feed.close()
            return
        feeds.append((self.data.number, feed))
        if self.engine.ledger.news is None:
            self.engine.ledger.news = []

    def _feed(self, news: list[Fact]) -> None:
        for after, feed in self.record_feeds:
            records = [as_record(fact) for fact in news if fact.number > after]
            feed.put([record for record in records if record is not None])

    def _output(self, fact: OutputSent) -> None:
        entry = fact.entry()
        for after, feed in self.output_feeds:
            if fact.number > after:
                feed.put((entry,))
        handler = self.job_state._output_handler  # noqa: SLF001 - the state's other half
        if handler is not None:
            try:
                handler.handle(entry)
            except Exception:
                log.exception("job %s: the output handler raised; the output log has it", self.data.job_id)

