"""Attempts: what the start, the outcome or the failure of an activation means for its job."""

from __future__ import annotations

from collections import ChainMap
from typing import TYPE_CHECKING, Any

from routilux_core import facts
from routilux_core.effect import PauseAsked, SharedDataModified
from routilux_core.error_record import text_of
from routilux_core.failing import Failing
from routilux_core.identity import ITEM_BITS, digest
from routilux_core.status import ExecutionStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from routilux_core.activation import Activation
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

    def finished(self, activation: Activation, outcome: Outcome) -> None:
        """Take the outcome of a handler; one that nobody waits for any more is refused."""
        if self.closed or self.data.activations.get(activation.id) is not activation:
            self.reopen = self.reopen or outcome.pauses
            return
        self.settled += 1
        if self.demanding:
            self.chores.freed.append(activation)
            self.unusual = True
        ledger = self.ledger
        if outcome.exception is not None:
            self._broken_off(activation, outcome, outcome.exception)
            return
        try:
            effects = self._resolved(outcome.effects)
            if ledger.writer is not None:
                ledger.writer.prepare(effects)
        except BaseException as error:  # noqa: BLE001 - user code
            self.reopen = self.reopen or outcome.pauses
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
            advanced = outcome.advanced or activation.advanced()
            ledger.happen(facts.ActivationYielded(0, 0.0, advanced))
            self.chores.continuing.append(advanced)
            self.unusual = True
        else:
            seconds = ledger.now - self.data.running[activation.id]
            ledger.happen(ActivationCompleted(0, 0.0, activation, seconds))
        self.check_limits()

    def _broken_off(self, activation: Activation, outcome: Outcome, exception: BaseException) -> None:
        if outcome.interrupted or outcome.ended_worker:
            deaths = self.data.deaths.get(activation.id, 0) + 1 if outcome.ended_worker else 0
            reason = text_of(exception) or "interrupted"
            self.ledger.happen(facts.ActivationReturned(0, 0.0, activation, reason, deaths))
        if outcome.interrupted:
            self.ledger.ready.insert(0, activation)
        else:
            self._failed(activation, exception)

    def finished_several(self, steps: Sequence[tuple[Activation, Outcome]], running: bool) -> None:
        """Take several outcomes, among them items of generators in a row.

        With `running`, the handler of the last one is at its next item already.
        """
        last, chores = len(steps) - 1, self.chores
        for number, (activation, outcome) in enumerate(steps):
            self.finished(activation, outcome)
            goes_on = running if number == last else steps[number + 1][0] is outcome.advanced
            if goes_on and chores.continuing and chores.continuing[-1] is outcome.advanced:
                chores.continuing.pop()
                self.settled -= 1
                if self.demanding:
                    chores.freed.pop()

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
            self.check_limits()
