"""Telling: what a job tells others, after the facts and outside the lock."""

from __future__ import annotations

import logging
from abc import abstractmethod
from functools import partial
from operator import attrgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from routilux_core.executor import Lane
from routilux_core.facts import ActivationRetried
from routilux_core.hearing import Hearing
from routilux_core.job_errors import JobLeft, ManagerClosed
from routilux_core.job_view import ASTRAY
from routilux_core.observers import Observers, Watching
from routilux_core.status import FINAL, ExecutionStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from routilux_core.activation import Activation
    from routilux_core.chores import Chores
    from routilux_core.desk import Message, Messages
    from routilux_core.executor import Executor
    from routilux_core.fact import Fact
    from routilux_core.job import Job
    from routilux_core.timers import Timer

Numbered = TypeVar("Numbered", bound="Fact")
_number = attrgetter("number")
log = logging.getLogger("routilux")


class _ClosedLane(Lane):
    """Stands for the lane of a job that is over."""

    def wake(self, count: int) -> None:
        """Nobody is left to hear it."""


CLOSED = _ClosedLane()
NO_STATS: Mapping[str, dict[str, Any]] = MappingProxyType({})


class Telling(Hearing):
    """A turn with those who listen: monitors, feeds, timers, the executor's lane."""

    __slots__ = (
        "_timers", "base", "children", "driven", "executor", "lane", "observers", "parent",
    )  # fmt: skip

    executor: Executor
    observers: Observers | None
    parent: Job | None
    lane: Lane
    driven: bool
    """True while `execute` works for it in its own thread."""
    base: Mapping[str, dict[str, Any]]
    """The stats that were there when it was opened."""
    children: dict[Job, None] | None
    """The running jobs that its handlers started."""
    _timers: dict[object, tuple[Timer, object]] | None
    """What is armed, by name, and a mark that tells one arming from the next."""

    def reopen(self) -> bool:
        """Let work start; False when the job is open already."""
        lane = self.executor.open(self) if self.ended else CLOSED  # type: ignore[arg-type]  # every one of us is a Job
        with self.lock:
            if not self.ended:
                self.again = self.engine.over
                opened = False
            else:
                opened = True
                self.lane = lane
                self.ended, self.told, self.engine.over = False, None, self.engine.closed
                self.engine.opening += 1
                self.inflight = 0
                if self._holds is not None:
                    self.parked, self.passed = {}, set()
        if not opened:
            lane.close()
            return False
        if self.data.stats:
            self.base = {routine_id: dict(stats) for routine_id, stats in self.data.stats.items()}
        return True

    def limit_time(self, activation: Activation, seconds: float) -> None:
        """Fail the attempt when it runs for longer than `seconds`."""
        # An attempt may return when the next one already runs, so it is not enough to go by the number.
        self._arm((activation, "limit"), seconds, (self.engine.expired, activation, seconds))

    def unlimit_time(self, activation: Activation) -> None:
        """Take that back: the handler has returned."""
        timers = self._timers
        entry = None if timers is None else timers.pop((activation, "limit"), None)
        if entry is not None:
            entry[0].cancel()

    def _arm(self, name: object, seconds: float, message: Message) -> None:
        timers = self._timers
        if timers is None:
            timers = self._timers = {}
        old = timers.get(name)
        if old is not None:
            old[0].cancel()
        arming = object()
        timer = self.manager.timers.after(seconds, partial(self._fire, name, arming, message))
        timers[name] = (timer, arming)

    def _fire(self, name: object, arming: object, message: Message) -> None:
        timers = self._timers
        if timers is not None:
            known = timers.get(name)
            if known is not None and known[1] is arming:
                timers.pop(name, None)
        self.leave_message(message)

    # -- what Turn asks for ----------------------------------------------------------------------------

    def _wake(self, count: int) -> None:
        self.call_helpers()
        if not self.driven:
            self.lane.wake(count)

    def _call(self) -> None:
        if self._helpers:
            self.call_helpers()
        else:
            self.manager.clerk.ask(self.pump)

    def _show(self) -> None:
        engine, ledger = self.engine, self.ledger
        chores = engine.undone
        if chores is not None:
            self._log(chores)
        if ledger.news:
            news, ledger.news = self._tellable(ledger.news)
            if self.observers is not None:
                self.observers.show(self, news)  # type: ignore[arg-type]  # every one of us is a Job
            self._feed(news)
        if engine.time_left is not None:
            left, engine.time_left = engine.time_left, None
            self._arm("deadline", left, (engine.deadline, self.data.timeout, engine.opening))
        alarms, engine.routing.alarms = engine.routing.alarms, ()
        for alarm in alarms:
            name = (alarm.slot.target, alarm.key)
            self._arm(name, alarm.at - ledger.now, (engine.ring, alarm, None))
        if chores is not None:
            self._do(chores)

    def _log(self, chores: Chores) -> None:
        job_id = self.data.job_id
        while chores.failures:
            fact, error = chores.failures.pop(0)
            level = logging.WARNING if isinstance(fact, ActivationRetried) else logging.ERROR
            text, extra = "job %s: %s: %s", {"job_id": job_id}
            log.log(level, text, job_id, type(fact).__name__, fact.error, exc_info=error, extra=extra)
        while chores.warnings:
            log.warning("job %s: %s", job_id, chores.warnings.pop(0), extra={"job_id": job_id})

    def _do(self, chores: Chores) -> None:
        if chores.outputs:
            outputs, chores.outputs = self._tellable(chores.outputs)
            for fact in outputs:
                self._output(fact)
        while chores.later:
            activation, due = chores.later.pop()
            self._arm(activation, due - self.ledger.now, (self.engine.due, activation, None))
        while chores.voided:
            activation = chores.voided.pop()
            self.manager.loop.cancel(activation)
            self.lane.void(activation)

    def _let_go(self) -> None:
        state, journal = self.job_state, self.journal
        with state._lock:
            if state._job is self:
                state._job = None
                if journal is not None:
                    state._base = journal.kept if journal.complete else ASTRAY
                    if self.data.status not in FINAL:  # what is added to it now is not in the store
                        state._history = list(state._history)

    def _end(self) -> None:
        if self.engine.leaving and self.detached is None:
            self.detached = JobLeft(self.data.job_id)
        status, detached = self.data.status, self.detached is not None
        if self.detached is not None and self.observers is not None and not self._end_is_known:
            self.observers.show_left(self, self.detached)  # type: ignore[arg-type]  # every one of us is a Job
        if self._timers:
            timers, self._timers = self._timers, None
            for timer, _ in list(timers.values()):
                timer.cancel()
        if status in FINAL or detached:
            self.job_state._cause = self.engine.cause
            self._guarded(self.close)
            if status is not ExecutionStatus.COMPLETED:
                self._guarded(self.executor.cancel, self)
        if self.output_feeds or self.record_feeds:
            self.end_feeds()
        lane, self.lane = self.lane, CLOSED
        self._guarded(lane.close)
        if self.parent is not None and self.parent.children is not None:
            self.parent.children.pop(self, None)  # type: ignore[call-overload]  # every one of us is a Job
        self.manager.forget(self)  # type: ignore[arg-type]  # every one of us is a Job

    def _after_end(self, again: bool) -> None:
        if self._waiters or self._helpers:
            self.wake_waiters()
        self._resume_later()
        if self.data.status in FINAL or self.detached is not None:
            children, self.children = self.children, None
            for child in children or ():
                self._take_along(child)
        elif again and self.data.status is ExecutionStatus.PAUSED:
            try:
                self.manager.admit(self)  # type: ignore[arg-type]  # every one of us is a Job
            except ManagerClosed:
                return
            self.go_on()

    @abstractmethod
    def go_on(self, before: Messages = (), after: Messages = (), *, recovers: bool = False) -> None:
        """Start it from where its data stands, between messages that come before and after that."""

    @abstractmethod
    def close(self) -> None:
        """Let go of what only a running job needs."""

    def attach(self, watching: Watching) -> None:
        """Let a monitor watch, before the job begins."""
        if self.observers is None:
            self.observers = Observers()
        self.observers.add(watching)
        if self.observers:
            self.listen()

    def listen(self) -> None:
        """Keep facts for those who watch, from the first one on, though it may be older than the job."""
        if self.ledger.news is None:
            new = self.data.status is ExecutionStatus.PENDING
            self.ledger.news = list(self.job_state._history) if new else []
            self.ledger.stirred = bool(self.ledger.news)
