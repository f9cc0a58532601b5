"""From an event to new work: which slots it reaches, what merging makes of it, what the policy lets go."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from typing import TYPE_CHECKING

from attrs import frozen

from routilux_core import facts
from routilux_core.activation import Activation
from routilux_core.error_record import text_of
from routilux_core.errors import DeliveryError, RoutiluxError
from routilux_core.identity import MASK, STEP, joined
from routilux_core.job_data import Group, Held
from routilux_core.merge import APPEND, OVERRIDE, Payload, checked_payload, gather, prefixes
from routilux_core.plan import BoundSlot, Plan
from routilux_core.policy import Each, Take
from routilux_core.views import ListView

if TYPE_CHECKING:
    from routilux_core.entry_writer import EntryWriter
    from routilux_core.ledger import Ledger


@frozen(eq=False, repr=False)
class Alarm:
    """A group of waiting payloads that may wait only so long."""

    slot: BoundSlot
    key: Hashable
    first: int
    """The lineage of its first payload, to know it again."""
    at: float
    """When it has to go."""


class Routing:
    """Delivers payloads for one job. What user code raises here fails that one delivery."""

    __slots__ = ("alarms", "failed", "ledger", "routes")

    def __init__(self, ledger: Ledger, plan: Plan) -> None:
        self.ledger = ledger
        self.routes = plan.routes
        self.failed: list[tuple[Activation, BaseException]] = []
        """Deliveries that failed, for the engine to deal with."""
        self.alarms: tuple[Alarm, ...] = ()

    # -- what comes in ---------------------------------------------------------------------------------

    def emit(self, fact: facts.EventEmitted, place: int) -> None:
        """Send an event; `place` is its sender's lineage, item and position in one number."""
        ledger = self.ledger
        routes = self.routes[fact.routine_id].get(fact.event)
        if routes is None:
            fact.connected = False
            ledger.happen(fact)
            return
        base = place * STEP
        data = fact.data
        number, now = ledger.data.last_id, ledger.now
        children, slow = [], []
        for route in routes:
            if route.plain:
                number += 1
                children.append(
                    Activation(
                        number,
                        route.routine_id,
                        route.name,
                        data,
                        route.source,
                        now,
                        (base + route.edge) & MASK,
                    )
                )
            else:
                slow.append(route)
        fact.follows = tuple(children)
        ledger.happen(fact)
        ledger.ready += children
        for route in slow:
            born = (base + route.edge) & MASK
            try:
                payload = route.connection.rename(data)
            except RoutiluxError as error:
                self._fail(route.slot, data, route.source, born, _failure(route.slot, "param_mapping", error))
            else:
                self.deliver(route.slot, payload, route.source, born)

    def post(self, slot: BoundSlot, payload: Payload, lineage: int) -> None:
        """Take in what comes from outside."""
        ledger = self.ledger
        if slot.direct:
            activation = ledger.activation(slot, payload, None, lineage)
            ledger.happen(facts.EventPosted(0, 0.0, slot.routine_id, slot.name, payload, (activation,)))
            ledger.ready.append(activation)
        else:
            ledger.happen(facts.EventPosted(0, 0.0, slot.routine_id, slot.name, payload))
            self.deliver(slot, payload, None, lineage)

    # -- what becomes of it ----------------------------------------------------------------------------

    def deliver(self, slot: BoundSlot, payload: Payload, source: str | None, lineage: int) -> None:
        """Let `payload` reach `slot`: merged, held back or as work."""
        part = "policy"
        try:
            place = None if isinstance(slot.policy, Each) else slot.policy.place(payload, source)
            if place is not None:
                _, _ = map(hash, place)
                if self.ledger.writer is not None:
                    self.ledger.writer.check_place(slot.target, *place)
            part = "merge function"
            merged = self._merged(slot, payload)
            if merged is not None and self.ledger.writer is not None:
                self.ledger.writer.check_merged(slot.target, merged)
        except BaseException as error:  # noqa: BLE001 - user code
            self._fail(slot, payload, source, lineage, _failure(slot, part, error))
            return
        if place is not None:
            self._hold(slot, place, merged, payload, source, lineage)
            return
        if merged is not None:
            self.ledger.happen(merged)
            payload = self._gathered(slot)
        self._release(slot, None, (), payload, source, lineage)

    def _merged(self, slot: BoundSlot, payload: Payload) -> facts.PayloadMerged | None:
        if slot.merge == OVERRIDE:
            return None
        routine_id, name = slot.routine_id, slot.name
        if not callable(slot.merge):
            return facts.PayloadMerged(0, 0.0, routine_id, name, APPEND, payload)
        old = self.ledger.data.merged.get((routine_id, name), {})
        merged = slot.merge(dict(old), dict(payload))
        whole = checked_payload(f"the merge function of slot {slot.target!r}", merged)
        return facts.PayloadMerged(0, 0.0, routine_id, name, "function", whole)

    def _gathered(self, slot: BoundSlot) -> Payload:
        merged = self.ledger.data.merged[slot.routine_id, slot.name]
        return prefixes(merged) if slot.merge == APPEND else merged

    def _hold(
        self,
        slot: BoundSlot,
        place: tuple[Hashable, Hashable],
        merged: facts.PayloadMerged | None,
        payload: Payload,
        source: str | None,
        lineage: int,
    ) -> None:
        groups = self.ledger.data.held.get((slot.routine_id, slot.name), {})
        key, lane = place
        new = key not in groups
        trial = dict(groups.get(key, {}))
        trial.setdefault(lane, deque()).append(Held(payload, lineage, self.ledger.now))
        try:
            took = _checked_take(slot.policy.release(_payloads(trial), slot.sources), trial)
            chosen = [trial[name][index] for name, count in took for index in range(count)]
            whole = _combined(slot, chosen, self.ledger.writer) if took else {}
        except BaseException as error:  # noqa: BLE001 - user code
            self._fail(slot, payload, source, lineage, _failure(slot, "policy", error))
            return
        finally:
            trial[lane].pop()
        if merged is not None:
            self.ledger.happen(merged)
            whole = self._gathered(slot)
        self.ledger.happen(facts.PayloadHeld(0, 0.0, slot.routine_id, slot.name, key, lane, payload, lineage))
        if took:
            self._release(slot, key, took, whole, source, joined([one.lineage for one in chosen], slot.edge))
        if slot.policy.seconds is not None and (took or new):
            self.watch(slot, key)

    def _release(
        self,
        slot: BoundSlot,
        key: Hashable,
        took: tuple[tuple[Hashable, int], ...],
        payload: Payload,
        source: str | None,
        lineage: int,
        *,
        ends: bool = False,
        failure: BaseException | None = None,
    ) -> None:
        undelivered = failure is not None
        activation = self.ledger.activation(slot, payload, source, lineage, undelivered=undelivered)
        fact = facts.PayloadsReleased(0, 0.0, slot.routine_id, slot.name, key, took, (activation,), ends)
        self.ledger.happen(fact)
        if failure is None:
            self.ledger.ready.append(activation)
        else:
            self.failed.append((activation, _failure(slot, "policy", failure)))

    def release_all(self, slot: BoundSlot, key: Hashable, *, ends: bool = False) -> None:
        """Let everything go that waits in one group, as one activation."""
        group = self.ledger.data.held[slot.routine_id, slot.name][key]
        took = tuple((name, len(lane)) for name, lane in group.items())
        chosen = sorted((one for lane in group.values() for one in lane), key=lambda one: one.at)
        lineage = joined([one.lineage for one in chosen], slot.edge)
        failure = None
        try:
            whole = (
                _combined(slot, chosen, self.ledger.writer)
                if slot.merge == OVERRIDE
                else self._gathered(slot)
            )
        except BaseException as error:  # noqa: BLE001 - user code
            whole, failure = {}, error
            for one in chosen:
                gather(whole, one.payload)
        self._release(slot, key, took, whole, None, lineage, ends=ends, failure=failure)

    def watch(self, slot: BoundSlot, key: Hashable) -> None:
        """Set an alarm for a group whose policy lets it wait only so long."""
        group = self.ledger.data.held.get((slot.routine_id, slot.name), {}).get(key)
        if group and slot.policy.seconds is not None:
            first = min((lane[0] for lane in group.values()), key=lambda one: one.at)
            alarm = Alarm(slot, key, first.lineage, first.at + slot.policy.seconds)
            self.alarms = (*self.alarms, alarm)
            self.ledger.stirred = True

    def ring(self, alarm: Alarm) -> None:
        """Let a group go whose time has come, if it is still the same."""
        slot = alarm.slot
        group = self.ledger.data.held.get((slot.routine_id, slot.name), {}).get(alarm.key)
        if group and any(lane[0].lineage == alarm.first for lane in group.values()):
            self.release_all(slot, alarm.key)

    def _fail(
        self, slot: BoundSlot, payload: Payload, source: str | None, lineage: int, failure: DeliveryError
    ) -> None:
        activation = self.ledger.activation(slot, payload, source, lineage, undelivered=True)
        self.ledger.happen(facts.DeliveryFailed(0, 0.0, (activation,)))
        self.failed.append((activation, failure))


def _combined(slot: BoundSlot, chosen: list[Held], writer: EntryWriter | None) -> Payload:
    if slot.merge != OVERRIDE:
        return {}
    combined = slot.policy.combine([one.payload for one in chosen])
    whole = checked_payload(f"the policy of slot {slot.target!r}", combined)
    if writer is not None:
        writer.converter.encode(whole, slot.target)
    return whole


def _failure(slot: BoundSlot, part: str, error: BaseException) -> DeliveryError:
    failure = DeliveryError(slot.target, part, f"{type(error).__name__}: {text_of(error)}")
    failure.__cause__ = error
    return failure


def _payloads(group: Group) -> dict[Hashable, ListView[Payload]]:
    return {name: ListView(lane, show=_payload) for name, lane in group.items()}


def _payload(held: Held) -> Payload:
    return held.payload


def _checked_take(take: Take, group: Group) -> tuple[tuple[Hashable, int], ...]:
    took = tuple((name, count) for name, count in take if count)
    if len(dict(took)) < len(took):
        raise ValueError("it names a lane twice")
    for name, count in took:
        if not 0 < count <= len(group.get(name, ())):
            raise ValueError(f"it takes {count!r} of lane {name!r}, where {len(group.get(name, ()))} wait")
    return took
