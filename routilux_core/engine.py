"""Engine: the rules of a job. Messages and times go in, facts and new work come out; no thread, lock or clock."""

from __future__ import annotations

from collections import ChainMap, Counter
from collections.abc import Callable, Sequence
from random import random
from typing import Any

from attrs import evolve, frozen

from routilux_core import facts, quiet
from routilux_core.activation import Activation
from routilux_core.apply import activation_completed, event_emitted
from routilux_core.effect import PauseAsked, SharedDataModified
from routilux_core.error_handler import ErrorStrategy
from routilux_core.errors import ActivationTimeout, InvalidTransition, JobTimeout, RunawayLoop, TooMuchPending
from routilux_core.identity import ITEM_BITS, MASK, STEP, digest
from routilux_core.job_data import JobData
from routilux_core.ledger import Ledger
from routilux_core.error_record import describe
from routilux_core.outcome import Outcome
from routilux_core.plan import Plan
from routilux_core.routing import Alarm, Routing
from routilux_core.status import FINAL, MOVES, ExecutionStatus

ENTRY = digest("entry")
"""The lineage of every job's entry; keys start with the job's root anyway."""
EventEmitted = facts.EventEmitted
ActivationCompleted = facts.ActivationCompleted


@frozen(kw_only=True)
class Limits:
    """How much a job may pile up."""

    max_pending: int | None = None
    max_activations: int | None = None


class Answer:
    """What became of a message that somebody waits for: an error, or nothing to say."""

    __slots__ = ("error",)

    def __init__(self) -> None:
        self.error: BaseException | None = None


class Engine:
    """Turns messages into facts. Whoever has the job's turn calls it, one message after the other."""

    __slots__ = (
        "cause",
        "chance",
        "anew",
        "closed",
        "continuing",
        "data",
        "demanding",
        "failures",
        "freed",
        "later",
        "ledger",
        "limits",
        "opening",
        "outputs",
        "over",
        "limited",
        "plan",
        "reopen",
        "routes",
        "routing",
        "settled",
        "shut",
        "unusual",
        "voided",
        "waiting",
        "warnings",
    )

    def __init__(
        self, plan: Plan, ledger: Ledger, limits: Limits, chance: Callable[[], float] = random
    ) -> None:
        self.plan = plan
        self.demanding = plan.demanding
        self.routes = plan.routes
        self.limited = limits.max_activations is not None or limits.max_pending is not None
        self.ledger = ledger
        self.data = ledger.data
        self.limits = limits
        self.chance = chance
        self.routing = Routing(ledger, plan)
        self.closed = self.data.status in FINAL
        self.over = False
        """True from the fact that ended or paused the job."""
        self.shut = False
        """True from the message that lets nothing more start."""
        self.unusual = False
        """True when the turn has more to do than hand over new work."""
        self.opening = 0
        """How often the job was started or resumed."""
        self.reopen = False
        """True when work may start again, if nobody has shut the gate meanwhile."""
        self.anew = False
        """True when all that is ready is in the ledger, and what the turn has is stale."""
        self.continuing: list[Activation] = []
        """Generators that have more to give."""
        self.cause: BaseException | None = None
        self.settled = 0
        """How many are no longer in flight."""
        self.freed: list[Activation] = []
        """Which they are, where slots have limits of their own."""
        self.voided: list[Activation] = []
        """What is still running and will be refused."""
        self.later: list[tuple[Activation, float]] = []
        """Retries, and when each may start."""
        self.waiting: dict[int, Activation] = {}
        self.outputs: list[facts.OutputSent] = []
        self.warnings: list[tuple[str, object]] = []
        self.failures: list[tuple[facts.Fact, BaseException]] = []

    # -- beginning and going on ------------------------------------------------------------------------

    def begin(self, started: facts.JobStarted, entry: tuple[Any, dict[str, Any]]) -> None:
        """Start the job with its entry, unless it was cancelled before it could."""
        if self.closed:
            return
        slot, payload = entry
        self.reopen = True
        self.ledger.happen(started)
        self.routing.post(slot, payload, ENTRY)
        self._after_delivery()

    def resume(self, fingerprint: tuple[str, ...], _: object) -> None:
        """Go on from where the data stands: everything pending first, then the deferred events."""
        ledger, data = self.ledger, self.data
        if self.closed:
            return
        self.over = self.shut = False
        self.reopen = True
        self.anew = self.unusual = True
        self.waiting.clear()
        self.continuing.clear()
        ledger.ready.clear()
        ledger.happen(facts.JobResumed(0, 0.0, fingerprint))
        for activation in list(data.activations.values()):
            if activation.undelivered:
                slot = self.plan.slot(activation.routine_id, activation.slot)
                ledger.happen(facts.DeliveryRetried(0, 0.0, activation))
                self.routing.deliver(slot, activation.data, activation.source, activation.lineage)
            elif activation.due is not None and activation.due > ledger.now:
                self._wait(activation, activation.due - ledger.now)
            else:
                ledger.ready.append(activation)
        self._go_on()

    def _go_on(self) -> None:
        self._send_deferred()
        for slot in self.plan.order:
            for key in self.data.held.get((slot.routine_id, slot.name), ()):
                self.routing.watch(slot, key)
        self._after_delivery()

    def _send_deferred(self) -> None:
        while self.data.deferred:
            routine_id, event, payload, lineage = self.data.deferred[0]
            self.ledger.happen(facts.DeferredEventReleased(0, 0.0))
            self.routing.emit(EventEmitted(0, 0.0, None, routine_id, event, payload), lineage)

    # -- activations -----------------------------------------------------------------------------------

    def started(self, activation: Activation, _: object) -> None:
        """Note that a handler is about to be called."""
        if not self.closed and self.data.activations.get(activation.id) is activation:
            self.ledger.happen(facts.ActivationStarted(0, 0.0, activation))

    def finished(self, activation: Activation, outcome: Outcome) -> bool:
        """Take the outcome of a handler; one that nobody waits for any more is refused.

        True when it went the short way and there is nothing to tell or to settle but new work.
        """
        data = self.data
        number = activation.id
        if self.closed or data.activations.get(number) is not activation:
            self.reopen = outcome.pauses
            return False
        self.settled += 1
        ledger = self.ledger
        if not outcome.plain or ledger.news is not None or self.demanding:
            self._finished(activation, outcome)
            return False
        # The short way: what _finished does to emissions and a completion, with nobody listening.
        now, keep, count = ledger.now, ledger.keep, data.number
        place = activation.lineage
        if activation.items:
            place += activation.items << ITEM_BITS
        for fact in outcome.effects:
            routes = self.routes[fact.routine_id].get(fact.event)
            if routes is not None and (route := routes.only) is not None:
                child = Activation(
                    data.last_id + 1,
                    route.routine_id,
                    route.name,
                    fact.data,
                    route.source,
                    now,
                    (place * STEP + route.edge) & MASK,
                )
                fact.number = count = count + 1
                fact.at = now
                fact.activations = (child,)
                event_emitted(data, fact)
                keep(fact)
                ledger.ready.append(child)
            else:
                data.number = count
                self.routing.emit(fact, place)
                count = data.number
            place += 1
        data.number = count = count + 1
        completed = ActivationCompleted(count, now, activation, now - data.running[number])
        activation_completed(data, completed)
        data.updated_at = now
        keep(completed)
        if self.limited or self.routing.failed:
            self._after_delivery()
        return not ledger.stirred

    def _finished(self, activation: Activation, outcome: Outcome) -> None:
        if self.demanding:
            self.freed.append(activation)
            self.unusual = True
        ledger = self.ledger
        if outcome.exception is not None:
            if outcome.interrupted:
                ledger.happen(facts.ActivationReturned(0, 0.0, activation, "interrupted"))
                ledger.ready.insert(0, activation)
            else:
                self._failed(activation, outcome.exception)
            return
        try:
            effects = self._resolved(outcome.effects)
        except BaseException as error:  # noqa: BLE001 - user code
            self.reopen = outcome.pauses
            self._failed(activation, error)
            return
        place = (activation.items << ITEM_BITS) + activation.lineage
        for effect in effects:
            if type(effect) is EventEmitted:
                self.routing.emit(effect, place)
                place += 1
            else:
                self._effect(effect)
        if outcome.more:
            advanced = activation.advanced()
            ledger.happen(facts.ActivationYielded(0, 0.0, advanced))
            self.continuing.append(advanced)
            self.unusual = True
        else:
            seconds = ledger.now - self.data.running[activation.id]
            ledger.happen(ActivationCompleted(0, 0.0, activation, seconds))
        self._after_delivery()

    def _resolved(self, effects: Sequence[Any]) -> list[Any]:
        shared: dict[str, Any] = {}
        stats: dict[tuple[str, str], Any] = {}
        resolved: list[Any] = []
        for effect in effects:
            fact = effect
            if type(effect) is facts.StatSet:
                stats[effect.routine_id, effect.key] = effect.value
            elif type(effect) is facts.StatIncremented:
                self._check_increment(effect, stats)
            if type(effect) is SharedDataModified:
                fact = effect.resolved(ChainMap(shared, self.data.shared_data))
            if type(fact) is facts.SharedDataSet:
                shared[fact.key] = fact.value
            resolved.append(fact)
        return resolved

    def _check_increment(self, effect: facts.StatIncremented, stats: dict[tuple[str, str], Any]) -> None:
        name = (effect.routine_id, effect.key)
        known = self.data.stats.get(effect.routine_id, {}).get(effect.key, 0)
        stats[name] = stats.get(name, known) + effect.by  # raises here, before anything takes effect

    def _effect(self, effect: Any) -> None:
        if type(effect) is PauseAsked:
            if self.data.status is ExecutionStatus.RUNNING:
                self.ledger.happen(facts.PauseRequested(0, 0.0, effect.reason, effect.checkpoint))
            self.shut = self.unusual = True
        else:
            self.ledger.happen(effect)

    def expired(self, activation: Activation, seconds: float) -> None:
        """Fail an attempt that runs past its slot's timeout; what it still does is refused."""
        if not self.closed and self.data.activations.get(activation.id) is activation:
            self.settled += 1
            if self.demanding:
                self.freed.append(activation)
                self.unusual = True
            self.voided.append(activation)
            self._failed(activation, ActivationTimeout(activation.target, seconds))

    def due(self, activation: Activation, _: object) -> None:
        """Let a retry start whose time has come."""
        if self.over:
            return
        if self.waiting.pop(activation.id, None) is activation and not self.refuses(activation):
            self.ledger.ready.append(activation)

    def ring(self, alarm: Alarm, _: object) -> None:
        """Let a group go that has waited long enough."""
        if self.data.status is ExecutionStatus.RUNNING:
            self.routing.ring(alarm)
            self._after_delivery()

    def _failed(self, activation: Activation, exception: BaseException) -> None:
        ledger = self.ledger
        handler = self.plan.slot(activation.routine_id, activation.slot).error_handler
        error = describe(exception, activation, ledger.now)
        fact: facts.Fact
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
        self.failures.append((fact, exception))
        ledger.stirred = True

    def _wait(self, activation: Activation, seconds: float) -> None:
        self.waiting[activation.id] = activation
        self.later.append((activation, self.ledger.now + seconds))
        self.ledger.stirred = True

    def _after_delivery(self) -> None:
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

    # -- from outside ----------------------------------------------------------------------------------

    def post(self, delivery: tuple[Any, dict[str, Any], int], answer: Answer) -> None:
        """Take an event from outside, unless the job is over for good."""
        if self.closed:
            answer.error = InvalidTransition(self.data.job_id, str(self.data.status), "posted to", ())
            return
        self.routing.post(*delivery)
        self._after_delivery()

    def pause(self, why: tuple[str, Any], answer: Answer) -> None:
        """Let nothing more start; the job is paused as soon as no handler runs."""
        if self.data.status is ExecutionStatus.RUNNING:
            self.ledger.happen(facts.PauseRequested(0, 0.0, *why))
            self.shut = self.unusual = True
        elif self.data.status not in {ExecutionStatus.PAUSING, ExecutionStatus.PAUSED}:
            answer.error = self._refusal(ExecutionStatus.PAUSED)

    def unpause(self, fingerprint: tuple[str, ...], _: Answer) -> None:
        """Take back a pause that has not come about yet."""
        if self.data.status is ExecutionStatus.PAUSING and self.data.stopping is None:
            self.ledger.happen(facts.JobResumed(0, 0.0, fingerprint))
            self.shut = False
            self.reopen = True
            self._go_on()

    def cancel(self, reason: str, answer: Answer) -> None:
        """End the job here and now; what still runs will be refused."""
        if self.data.status is ExecutionStatus.CANCELLED:
            return
        if self.closed:
            answer.error = self._refusal(ExecutionStatus.CANCELLED)
            return
        self._end(facts.JobCancelled(0, 0.0, reason))

    def deadline(self, seconds: float, opening: int) -> None:
        """End a job that has reached its time limit, if it was not paused since that was set."""
        if opening == self.opening and self.data.status in {ExecutionStatus.RUNNING, ExecutionStatus.PAUSING}:
            self._end_by(JobTimeout(self.data.job_id, seconds))

    def change(self, effect: Any, answer: Answer) -> None:
        """Let somebody outside change the data that routines keep."""
        if isinstance(effect, facts.JobCancelled):
            self.cancel(effect.reason, answer)
            return
        try:
            self.ledger.happen(self._resolved([effect])[0])
        except BaseException as error:  # noqa: BLE001 - user code
            answer.error = error

    def output(self, activation: Activation | None, fact: facts.OutputSent) -> None:
        """Send an output on, unless what its handler does is refused."""
        if activation is None or not self.refuses(activation):
            self.ledger.happen(fact)
            self.outputs.append(fact)
            self.ledger.stirred = True

    def output_outside(self, fact: facts.OutputSent, _: Answer) -> None:
        """Send an output on that no handler sent."""
        self.output(None, fact)

    def refuses(self, activation: Activation) -> bool:
        """Tell whether the outcome of `activation` would be refused."""
        return self.closed or self.data.activations.get(activation.id) is not activation

    # -- the end ---------------------------------------------------------------------------------------

    def settle(self, _one: object, _two: object) -> None:
        """No handler runs and none may start: pause, or end by the error that stopped the job."""
        data = self.data
        if data.stopping is not None:
            self._end(facts.JobStopped(0, 0.0, data.stopping))
        elif data.status is ExecutionStatus.PAUSING:
            reason, checkpoint = data.pause or ("", None)
            self.over = True
            self.ledger.happen(facts.JobPaused(0, 0.0, reason, checkpoint, len(data.activations)))

    def quiet(self, _one: object, _two: object) -> None:
        """Nothing is left to do: let go what waits for that, or complete."""
        if self.data.status is not ExecutionStatus.RUNNING or self.data.activations:
            return
        if quiet.release_leftovers(self.ledger, self.routing, self.plan):
            self._after_delivery()
            return
        left = len(self.data.deferred)
        if left:
            text = "%d deferred events were never sent, because the job completed without being resumed"
            self.warnings.append((text, left))
            self.ledger.stirred = True
        self.over = True
        quiet.complete(self.ledger)
        self.closed = True

    def broken(self, error: BaseException) -> bool:
        """End the job by an error of our own; always False, as there is something to tell."""
        if not self.closed:
            self._end_by(error)
        return False

    def _end_by(self, error: BaseException) -> None:
        if self.closed:
            return
        self.cause = error
        record = describe(error, None, self.ledger.now)
        fact = facts.JobStopped(0, 0.0, record)
        self._end(fact)
        self.failures.append((fact, error))

    def _end(self, fact: facts.Fact) -> None:
        data = self.data
        self.voided.extend(data.activations[number] for number in data.running if number in data.activations)
        self.over = True
        self.ledger.happen(fact)
        self.closed = self.shut = self.unusual = self.ledger.stirred = True

    def _refusal(self, wanted: ExecutionStatus) -> InvalidTransition:
        status = self.data.status
        return InvalidTransition(self.data.job_id, str(status), str(wanted), tuple(sorted(MOVES[status])))


def cycle(plan: Plan, data: JobData) -> str:
    """Name the loop that the pending work runs around."""
    following = {
        routine_id: sorted({route.routine_id for routes in events.values() for route in routes.every})
        for routine_id, events in plan.routes.items()
    }
    for activation in data.activations.values():
        start = activation.routine_id
        ways = [[start]]
        seen: set[str] = set()
        while ways:
            way = ways.pop(0)
            for following_id in following[way[-1]]:
                if following_id == start:
                    return "around the loop " + " -> ".join([*way, start])
                if following_id not in seen:
                    seen.add(following_id)
                    ways.append([*way, following_id])
    return "with no loop among the routines that have work"
