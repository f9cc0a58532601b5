"""Serving: working for a job in one's own thread, with a short way for what most work is."""

from __future__ import annotations

from math import inf
from threading import get_ident
from time import monotonic
from typing import TYPE_CHECKING

from routilux_core.activation import Activation
from routilux_core.apply import activation_completed
from routilux_core.context import CLOSED, ExecutionContext
from routilux_core.current import CONTEXT
from routilux_core.engine import Engine
from routilux_core.facts import ActivationCompleted, ActivationStarted
from routilux_core.identity import ITEM_BITS, MASK, STEP
from routilux_core.interrupt import calls_users, unbreakable
from routilux_core.outcome import Outcome
from routilux_core.ready import Ready
from routilux_core.returned import failure, refuse_unfinished, success
from routilux_core.routing import Routing
from routilux_core.runner import Runner
from routilux_core.telling import Telling

if TYPE_CHECKING:
    from routilux_core.plan import BoundSlot, Plan


class Serving(Telling, Runner):
    """Takes, runs and finishes the activations of one job, one after the other, in the thread that calls."""

    __slots__ = ("around", "live", "slots")

    plan: Plan

    def serve(  # noqa: C901, PLR0912, PLR0915 - one loop without calls of its own: most work comes by here
        self, until: float = inf, activation: Activation | None = None
    ) -> bool:
        """Run what is ready, here, until nothing is or `until` has come; return whether it was the time.

        `until` is in seconds of `time.monotonic()`; `activation` is one that was taken already.

        It does what `take`, `run` and `finish` do. What a plain handler emits while nobody watches goes a
        short way: the same facts, made and applied in this one loop.
        """
        engine, data, ledger, slots = self.engine, self.data, self.ledger, self.slots
        straight, emit, failed = self.plan.straight, engine.routing.emit, engine.routing.failed
        ready, fresh, pending, running = self.ready, ledger.ready, data.activations, data.running
        claim, give_up, acquire, release_lock = self.claim, self.give_up, self.acquire, self.release_lock
        time, interrupts, set_context, keep = self.time, self.manager.interrupts, CONTEXT.set, ledger.keep
        unusual = self.roundabout or self.around or self._holds is not None
        journal, writer = self.journal, ledger.writer
        holds = journal is not None and journal.holds
        timed, ended = until != inf, False
        child: Activation | None = None
        near: BoundSlot | None = None
        if activation is None:
            activation = self.take()
        outer = set_context(None)
        try:
            while activation is not None:
                if interrupts.pending:
                    self._give_back(activation)  # raises in the main thread
                # Most likely it is what the activation before has just sent.
                slot = near if activation is child and near else slots[activation.routine_id][activation.slot]
                outcome: Outcome | None = None
                if slot.special or unusual:
                    outcome = self.run(activation)
                else:
                    context = ExecutionContext(self, activation, slot)  # type: ignore[arg-type]  # every one of us is a Job
                    set_context(context)
                    try:
                        payload, fields = activation.data, slot.fields
                        if fields is not None and payload.keys() != fields:
                            payload = slot.arguments(payload, activation.source)
                        result = slot.handler(**payload)
                        if result is not None:
                            refuse_unfinished(result, slot)
                    except BaseException as error:  # noqa: BLE001 - whatever a handler raises is its failure
                        outcome = failure(context, error)
                    else:
                        if context.overlay or ledger.news is not None or self.inbox or not claim(False):
                            outcome = success(context)
                        elif engine.closed or pending.get(activation.id) is not activation:
                            give_up()
                            outcome = success(context)
                        elif writer is not None:
                            try:
                                writer.prepare(context.effects)
                            except Exception as error:  # noqa: BLE001 - what cannot be kept fails its handler
                                give_up()
                                outcome = failure(context, error)
                if timed:
                    ended = monotonic() >= until
                if outcome is not None:
                    set_context(None)
                    if outcome.interrupted:
                        interrupts.pending = True
                        self.finish(activation, outcome)
                        return False
                    activation = self.finish(activation, outcome, not ended)
                    if activation is None and self._holds is not None and not ended:
                        activation = self.take()
                    continue

                # The short way: the turn is ours, and all there is are emissions and a completion.
                effects, context.effects = context.effects, CLOSED
                following: Activation | None = None
                now, count = time(), data.number
                if now < data.updated_at:
                    now = data.updated_at
                if writer is not None:
                    writer.time(now)
                try:
                    place = activation.lineage
                    if activation.items:
                        place += activation.items << ITEM_BITS
                    for fact in effects:
                        source = fact.routine_id
                        way = (slot.straight if source is slot.routine_id else straight[source]).get(
                            fact.event
                        )
                        if way is not None:
                            near, number = way.slot, data.last_id + 1
                            fact.follows = child = Activation(
                                number,
                                way.routine_id,
                                way.name,
                                fact.data,
                                way.source,
                                now,
                                (place * STEP + way.edge) & MASK,
                            )
                            fact.number = count = count + 1
                            fact.at = now
                            if writer is not None:
                                writer.emitted(fact, way.index)
                            data.last_id = number
                            pending[number] = child
                            keep(fact)
                            if following is None and not (ready or fresh or holds):
                                following = child
                            else:
                                fresh.append(child)
                        else:
                            data.number, ledger.now = count, now
                            emit(fact, place)
                            count = data.number
                        place += 1
                    count += 1
                    completed = ActivationCompleted(count, now, activation, now - running[activation.id])
                    if writer is not None:
                        writer.completed(activation, completed.seconds)
                    activation_completed(data, completed)
                    data.number, data.updated_at = count, now
                    keep(completed)
                    if engine.limited or failed:
                        ledger.now = now
                        engine.check_limits()
                except BaseException as error:  # noqa: BLE001 - our own fault ends the job, never the turn
                    ledger.now = now
                    engine.broken(error)
                going, more = False, 0
                full = journal is not None and journal.ripe  # a snapshot is taken in a turn
                acquire()
                try:
                    if fresh and holds:
                        journal.hold(fresh)  # type: ignore[union-attr]  # which it has where work is held
                        fresh.clear()
                    if self.open and not (ended or full or self.inbox or self.stalled or ledger.stirred):
                        if following is None and (ready or fresh):
                            following = ready.popleft() if ready else fresh.pop(0)
                        if following is not None:
                            if following.id not in running:
                                running[following.id] = now
                                data.number = count = count + 1
                                if writer is not None:
                                    writer.started(following)
                                keep(ActivationStarted(count, now, following))
                            if journal is not None:
                                journal.seal()
                                urgency = journal.urgency
                            if fresh:
                                ready.extend(fresh)
                                fresh.clear()
                                more = min(len(ready), self.limit - self.inflight)
                            going = True
                            give_up()
                finally:
                    release_lock()
                if going:
                    activation = following
                    if more > 0:
                        self._guarded(self._wake, more)
                    if journal is not None and urgency > journal.marked:
                        self._mark(urgency)
                    continue
                if following is not None:
                    fresh.insert(0, following)
                set_context(None)
                engine.settled += 1
                ledger.now = now  # for what may start in the turn
                self.turning = get_ident()
                if (
                    not (pending or self.inbox or ledger.stirred)
                    and self.open
                    and engine.completes(now)
                    and self._kept_here()
                ):
                    self._conclude()
                    return False
                activation = None if ended or full or not holds else self._next_kept()
                if activation is None:
                    activation = self._turn((), not ended)
        finally:
            CONTEXT.reset(outer)
        return ended


calls_users(Serving.serve)
for ours in (
    Activation.__init__,
    ActivationCompleted.__init__,
    ActivationStarted.__init__,
    ExecutionContext.__init__,
    Outcome.__init__,
    activation_completed,
    failure,
    success,
    Routing.emit,
    Engine.check_limits,
    Engine.completes,
    Engine.broken,
    Ready.append,
    Ready.extend,
    Ready.popleft,
    Serving._conclude,
    Serving._guarded,
    Serving._next_kept,
):
    unbreakable(ours)
