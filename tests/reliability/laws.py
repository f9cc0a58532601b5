"""The laws of a job, checked from its facts: nothing lost, nothing twice, nothing after a stop."""

from collections import Counter, deque
from collections.abc import Iterable
from typing import Any, ClassVar

import attrs

from routilux_core import Flow, JobState
from routilux_core.facts import (
    ActivationCompleted,
    ActivationFailed,
    ActivationRetried,
    ActivationReturned,
    ActivationSkipped,
    ActivationStarted,
    ActivationYielded,
    DeliveryFailed,
    DeliveryRetried,
    EventEmitted,
    EventPosted,
    Fact,
    JobCancelled,
    JobCompleted,
    JobForked,
    JobPaused,
    JobResumed,
    JobStarted,
    JobStopped,
    PauseRequested,
    PayloadHeld,
    PayloadsReleased,
    PayloadsUnmatched,
)
from routilux_core.job_data import FIELDS, Held, JobData, PausePoint
from routilux_core.state import fold

FINAL = (JobCompleted, JobStopped, JobCancelled)


class Violation(AssertionError):
    """A law that was broken."""


def data_of(state: JobState) -> JobData:
    """Return the bare fields of a job, to compare with what its facts add up to."""
    return state._data  # noqa: SLF001 - there is no other way to see all of them


class Book:
    """The accounts of one job, kept from its facts alone."""

    def __init__(self, flow: Flow) -> None:
        self.routes = Counter((one.source_id, one.event) for one in flow.connections)
        self.number = 0
        self.at = 0.0
        self.deliveries = 0
        self.waiting = 0
        self.merged = 0
        self.unmatched = 0
        self.made = 0
        self.ended: Counter[str] = Counter()
        self.open: dict[int, Any] = {}
        self.running: set[int] = set()
        self.deaths: Counter[int] = Counter()
        self.shut: Fact | None = None
        """The fact since which nothing may start."""
        self.timeout: float | None = None
        self.used = 0.0
        self.since: float | None = None

    def read(self, facts: Iterable[Fact]) -> None:
        """Enter `facts`, which follow those that were read before."""
        for fact in facts:
            self._demand(fact.number == self.number + 1, fact, f"follows number {self.number}")
            self._demand(fact.at >= self.at, fact, f"goes back in time from {self.at}")
            self.number, self.at = fact.number, fact.at
            enter = self.ENTRIES.get(type(fact))
            if enter is not None:
                enter(self, fact)

    def _demand(self, holds: bool, fact: Fact, complaint: str) -> None:
        if not holds:
            raise Violation(f"{complaint}: {fact}")

    def _make(self, fact: Any, *, inherited: bool = False) -> None:
        activations = fact.legacy["activations"].values() if inherited else fact.activations
        for activation in activations:
            self._demand(activation.id not in self.open, fact, "makes an activation twice")
            self.open[activation.id] = activation
        if inherited:
            self.ended["inherited"] -= len(activations)
        else:
            self.made += len(activations)

    def _end(self, fact: Any, how: str) -> None:
        activation = self.open.pop(fact.activation.id, None)
        self.running.discard(fact.activation.id)
        self._demand(activation is fact.activation, fact, "ends what is not open")
        self.ended[how] += 1

    # -- one entry for each kind of fact ---------------------------------------------------------------

    def _forked(self, fact: JobForked) -> None:
        self.timeout = fact.timeout
        self._make(fact, inherited=True)
        held = fact.legacy["held"]
        inherited = sum(
            len(lane) for groups in held.values() for group in groups.values() for lane in group.values()
        )
        self.waiting += inherited
        self.deliveries += inherited
        self.shut = fact

    def _started_job(self, fact: JobStarted) -> None:
        self.timeout, self.since = fact.timeout, fact.at

    def _resumed(self, fact: JobResumed) -> None:
        self._demand(not isinstance(self.shut, FINAL), fact, "resumes what is over")
        self.shut = None
        self.since = fact.at if self.since is None else self.since

    def _pause_requested(self, fact: PauseRequested) -> None:
        self.shut = fact

    def _stop_clock(self, fact: Fact) -> None:
        if self.since is not None:
            self.used += fact.at - self.since
            self.since = None
        self.running.clear()
        self.shut = fact

    def _paused(self, fact: JobPaused) -> None:
        inside = {number for number in self.running if not self.open[number].items}
        self._demand(not inside, fact, f"pauses while {inside} run")
        self._stop_clock(fact)

    def _over(self, fact: Any) -> None:
        self._demand(not isinstance(self.shut, FINAL), fact, "ends what is over")
        self._stop_clock(fact)
        if isinstance(fact, JobCompleted):
            self._demand(not self.open, fact, f"completes with {list(self.open)} open")
        elif isinstance(fact, JobStopped) and fact.error.type == "JobTimeout":
            early = self.timeout is not None and self.used < self.timeout - 1e-6
            self._demand(not early, fact, f"ends after {self.used} of {self.timeout} s")

    def _posted(self, fact: EventPosted) -> None:
        self.deliveries += 1
        self._make(fact)

    def _emitted(self, fact: EventEmitted) -> None:
        sender = fact.activation
        if sender is not None:
            present = self.open.get(sender.id) is sender and sender.id in self.running
            self._demand(present, fact, "comes from an attempt that does not run")
        self.deliveries += self.routes[fact.routine_id, fact.event]
        self._make(fact)

    def _held(self, _fact: PayloadHeld) -> None:
        self.waiting += 1

    def _released(self, fact: PayloadsReleased) -> None:
        took = sum(count for _, count in fact.took)
        self.waiting -= took
        self.merged += max(0, took - 1)
        self._make(fact)

    def _left_over(self, fact: PayloadsUnmatched) -> None:
        self.waiting -= fact.count()
        self.unmatched += fact.count()

    def _delivery_failed(self, fact: DeliveryFailed) -> None:
        self._make(fact)

    def _delivery_retried(self, fact: DeliveryRetried) -> None:
        self._end(fact, "delivered again")
        self.deliveries += 1

    def _started(self, fact: ActivationStarted) -> None:
        number = fact.activation.id
        self._demand(self.shut is None, fact, f"starts after {self.shut}")
        self._demand(self.open.get(number) is fact.activation, fact, "starts what is not open")
        self._demand(number not in self.running, fact, "starts what runs")
        self.running.add(number)

    def _yielded(self, fact: ActivationYielded) -> None:
        before = self.open.get(fact.activation.id)
        follows = before is not None and before.items + 1 == fact.activation.items
        self._demand(follows and fact.activation.id in self.running, fact, f"does not follow {before}")
        self.open[fact.activation.id] = fact.activation

    def _completed(self, fact: ActivationCompleted) -> None:
        self._demand(fact.activation.id in self.running, fact, "completes what does not run")
        self._end(fact, "completed")

    def _retried(self, fact: ActivationRetried) -> None:
        before = self.open.get(fact.activation.id)
        follows = before is not None and before.attempt + 1 == fact.activation.attempt
        self._demand(follows, fact, f"does not follow {before}")
        self.running.discard(fact.activation.id)
        self.open[fact.activation.id] = fact.activation

    def _failed(self, fact: ActivationFailed) -> None:
        self._end(fact, "failed")

    def _skipped(self, fact: ActivationSkipped) -> None:
        self._end(fact, "skipped")

    def _returned(self, fact: ActivationReturned) -> None:
        number = fact.activation.id
        self._demand(number in self.open, fact, "returns what is not open")
        if fact.deaths:
            self._demand(number in self.running, fact, "counts the death of a worker that did not run it")
            self.deaths[number] += 1
            self._demand(
                fact.deaths == self.deaths[number], fact, f"follows {self.deaths[number] - 1} deaths"
            )
        self.running.discard(number)

    # -- the laws --------------------------------------------------------------------------------------

    def balance(self) -> None:
        """Demand that every delivery and every activation is accounted for."""
        reached = self.merged + self.waiting + self.unmatched + self.made
        if self.deliveries != reached:
            raise Violation(f"deliveries: {self.deliveries} made and {reached} accounted for: {self}")
        if self.made != self.ended.total() + len(self.open):
            raise Violation(f"activations: {self.made} made and others accounted for: {self}")

    def compare(self, state: JobState) -> None:
        """Demand that the live state has just what the facts say is open and waiting."""
        data = data_of(state)
        if data.activations != self.open:
            raise Violation(f"open: {list(data.activations)} live and {list(self.open)} by the facts")
        if data.held or self.waiting:
            lanes = (
                lane for groups in data.held.values() for group in groups.values() for lane in group.values()
            )
            waiting = sum(map(len, lanes))
            if waiting != self.waiting:
                raise Violation(f"waiting: {waiting} live and {self.waiting} by the facts")

    def __repr__(self) -> str:
        counts = ("deliveries", "merged", "waiting", "unmatched", "made")
        figures = ", ".join(f"{name} {getattr(self, name)}" for name in counts)
        return f"<Book {figures}, ended {dict(self.ended)}, open {list(self.open)}>"

    ENTRIES: ClassVar[dict[type[Fact], Any]] = {
        JobForked: _forked,
        JobStarted: _started_job,
        JobResumed: _resumed,
        PauseRequested: _pause_requested,
        JobPaused: _paused,
        JobCompleted: _over,
        JobStopped: _over,
        JobCancelled: _over,
        EventPosted: _posted,
        EventEmitted: _emitted,
        PayloadHeld: _held,
        PayloadsReleased: _released,
        PayloadsUnmatched: _left_over,
        DeliveryFailed: _delivery_failed,
        DeliveryRetried: _delivery_retried,
        ActivationStarted: _started,
        ActivationYielded: _yielded,
        ActivationCompleted: _completed,
        ActivationRetried: _retried,
        ActivationFailed: _failed,
        ActivationSkipped: _skipped,
        ActivationReturned: _returned,
    }


def bare(value: Any) -> Any:
    """Return `value` in a form that compares by content."""
    if isinstance(value, (Held, PausePoint)):
        return attrs.astuple(value, recurse=False)
    if isinstance(value, dict):
        return {key: bare(item) for key, item in value.items()}
    if isinstance(value, (list, deque)):
        return [bare(item) for item in value]
    return value


def differing_fields(live: JobData, folded: JobData) -> list[str]:
    """Name the fields in which two states differ."""
    return [name for name in FIELDS if bare(getattr(live, name)) != bare(getattr(folded, name))]


def check_fold(state: JobState) -> None:
    """Demand that the facts add up to the live state, field by field."""
    folded = fold(list(state.facts))
    different = differing_fields(data_of(state), folded)
    if different:
        shown = [
            f"{name}: {getattr(data_of(state), name)!r} / {getattr(folded, name)!r}" for name in different
        ]
        raise Violation("the facts do not add up to the state; live / folded: " + "; ".join(shown))


def check_all(flow: Flow, state: JobState) -> Book:
    """Demand all laws of a job that stands still."""
    book = Book(flow)
    book.read(state.facts)
    book.balance()
    book.compare(state)
    check_fold(state)
    return book
