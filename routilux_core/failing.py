"""Failing: what a failed attempt means for its job, and how a job ends before it is done."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from routilux_core import facts
from routilux_core.chores import Chores
from routilux_core.error_handler import ErrorStrategy
from routilux_core.error_record import describe
from routilux_core.job_errors import (
    ActivationTimeout,
    RunawayLoop,
    TooMuchPending,
)
from routilux_core.routing import Routing
from routilux_core.runaway import cycle
from routilux_core.status import FINAL

if TYPE_CHECKING:
    from collections.abc import Callable

    from routilux_core.activation import Activation
    from routilux_core.chores import Failure
    from routilux_core.fact import Fact
    from routilux_core.ledger import Ledger
    from routilux_core.plan import Plan


@frozen(kw_only=True, eq=False, repr=False)
class Limits:
    """How much a job may pile up."""

    max_pending: int | None = None
    max_activations: int | None = None


def _chance() -> float:
    from random import random  # noqa: PLC0415 - costly, and needed only where something is tried again

    return random()  # noqa: S311 - it spreads retries, and is no secret


class Failing:
    """Further attempts, failures, limits, and the end by an error."""

    __slots__ = (
        "anew",
        "cause",
        "chance",
        "closed",
        "data",
        "demanding",
        "leaving",
        "ledger",
        "limited",
        "limits",
        "opening",
        "over",
        "plan",
        "reopen",
        "routing",
        "settled",
        "shut",
        "time_left",
        "undone",
        "unusual",
        "waiting",
    )

    def __init__(
        self, plan: Plan, ledger: Ledger, limits: Limits, chance: Callable[[], float] | None = None
    ) -> None:
        self.plan = plan
        self.demanding = plan.demanding
        self.limited = limits.max_activations is not None or limits.max_pending is not None
        self.ledger = ledger
        self.data = ledger.data
        self.limits = limits
        self.chance = chance or _chance
        self.routing = Routing(ledger, plan)
        self.closed = self.data.status in FINAL
        self.over = False
        """True from the fact that ended or paused the job."""
        self.shut = False
        """True from the message that lets nothing more start."""
        self.leaving = False
        """True when it is to go on elsewhere as soon as no handler runs."""
        self.unusual = False
        """True when the turn has more to do than hand over new work."""
        self.opening = 0
        """How often the job was started or resumed."""
        self.time_left: float | None = None
        """The seconds until the deadline, when it has to be set."""
        self.reopen = False
        """True when work may start again, if nobody has shut the gate meanwhile."""
        self.anew = False
        """True when all that is ready is in the ledger, and what the turn has is stale."""
        self.cause: BaseException | None = None
        self.settled = 0
        """How many are no longer in flight."""
        self.waiting: dict[int, Activation] = {}
        """Retries whose time has not come."""
        self.undone: Chores | None = None
        """What else the turn has to do."""

    @property
    def chores(self) -> Chores:
        """Where to put what else the turn has to do."""
        if self.undone is None:
            self.undone = Chores()
        return self.undone

    def expired(self, activation: Activation, seconds: float) -> None:
        """Fail an attempt that runs past its slot's timeout; what it still does is refused."""
        if not self.closed and self.data.activations.get(activation.id) is activation:
            self.settled += 1
            if self.demanding:
                self.chores.freed.append(activation)
                self.unusual = True
            self.chores.voided.append(activation)
            self._failed(activation, ActivationTimeout(activation.target, seconds))

    def due(self, activation: Activation, _: object) -> None:
        """Let a retry start whose time has come."""
        if self.over:
            return
        if self.waiting.pop(activation.id, None) is activation and not self.refuses(activation):
            self.ledger.ready.append(activation)

    def _failed(self, activation: Activation, exception: BaseException) -> None:
        ledger = self.ledger
        handler = self.plan.slot(activation.routine_id, activation.slot).error_handler
        error = describe(exception, activation, ledger.now)
        fact: Failure
        if handler.retries(exception, activation.attempt) and not activation.undelivered:
            delay = handler.delay(activation.attempt, self.chance())
            again = evolve(activation, attempt=activation.attempt + 1, due=ledger.now + delay)
            fact = facts.ActivationRetried(0, 0.0, again, error)
            self._wait(again, delay)
        else:
            strategy = handler.last_resort()
            if strategy is ErrorStrategy.SKIP:
                fact = facts.ActivationSkipped(0, 0.0, activation, error)
            else:
                stops = strategy is ErrorStrategy.STOP
                fact = facts.ActivationFailed(0, 0.0, activation, error, stops)
                if stops:
                    self.shut = self.unusual = True
                    self.cause = self.cause or exception
        ledger.happen(fact)
        self.chores.failures.append((fact, exception))
        ledger.stirred = True

    def _wait(self, activation: Activation, seconds: float) -> None:
        self.waiting[activation.id] = activation
        self.chores.later.append((activation, self.ledger.now + seconds))
        self.ledger.stirred = True

    def check_limits(self) -> None:
        """Fail the deliveries that raised, and end a job that piles up too much."""
        failed = self.routing.failed
        while failed:
            self._failed(*failed.pop(0))
        limits = self.limits
        if limits.max_activations is not None and self.data.last_id > limits.max_activations:
            self._end_by(RunawayLoop(limits.max_activations, cycle(self.plan, self.data)))
        elif limits.max_pending is not None and len(self.data.activations) > limits.max_pending:
            slots = Counter(activation.target for activation in self.data.activations.values())
            slot, count = slots.most_common(1)[0]
            self._end_by(TooMuchPending(limits.max_pending, slot, count))

    def refuses(self, activation: Activation) -> bool:
        """Tell whether the outcome of `activation` would be refused."""
        return self.closed or self.data.activations.get(activation.id) is not activation

    def broken(self, error: BaseException) -> None:
        """End the job by an error of our own."""
        if not self.closed:
            self._end_by(error)

    def _end_by(self, error: BaseException) -> None:
        if self.closed:
            return
        self.cause = error
        record = describe(error, None, self.ledger.now)
        fact = facts.JobStopped(0, 0.0, record)
        self._end(fact)
        self.chores.failures.append((fact, error))

    def _end(self, fact: Fact) -> None:
        data = self.data
        running = [data.activations[number] for number in data.running if number in data.activations]
        self.ledger.happen(fact)
        self.chores.voided.extend(running)
        self.over = self.closed = self.shut = self.unusual = self.ledger.stirred = True
