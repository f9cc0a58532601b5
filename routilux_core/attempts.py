"""Attempts: what the start, the outcome or the failure of an activation means for its job."""

from __future__ import annotations

from collections import ChainMap
from typing import TYPE_CHECKING, Any

from routilux_core import facts
from routilux_core.activation import Activation
from routilux_core.apply import activation_completed, event_emitted
from routilux_core.effect import PauseAsked, SharedDataModified
from routilux_core.failing import Failing
from routilux_core.identity import ITEM_BITS, MASK, STEP, digest
from routilux_core.status import ExecutionStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from routilux_core.outcome import Outcome
    from routilux_core.routing import Alarm

ENTRY = digest("entry")
"""The lineage of every job's entry; keys start with the job's root anyway."""
EventEmitted = facts.EventEmitted
ActivationCompleted = facts.ActivationCompleted


class Attempts(Failing):
    """What becomes of activations: effects, further attempts, failures."""

    __slots__ = ()

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

    def ring(self, alarm: Alarm, _: object) -> None:
        """Let a group go that has waited long enough."""
        if self.data.status is ExecutionStatus.RUNNING:
            self.routing.ring(alarm)
            self._after_delivery()
