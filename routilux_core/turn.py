"""Turn: who may touch a job, and when.

The *lock* guards `inbox`, `ready`, `inflight`, the gate (`open`) and `turning`; it is held for microseconds
and no user code, executor, timer or future is called under it. The *turn* is one thread's exclusive right to
engine and data, without holding the lock. A message that finds the turn taken waits in the inbox; whoever has
the turn takes it.
"""

from __future__ import annotations

from threading import get_ident
from typing import TYPE_CHECKING

from routilux_core.current import CONTEXT
from routilux_core.desk import HELD, Desk, Message
from routilux_core.interrupt import unbreakable
from routilux_core.status import ExecutionStatus
from routilux_core.urgency import Urgency

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from routilux_core.activation import Activation
    from routilux_core.outcome import Outcome


def _nothing(_one: object, _two: object) -> None:
    """Take a turn for what follows every message."""


NOTHING: Message = (_nothing, None, None)


class Turn(Desk):
    """Who may touch a job, and when. `Job` adds what happens at its edges."""

    __slots__ = ()

    # -- for executors ---------------------------------------------------------------------------------

    def finish(self, activation: Activation, outcome: Outcome, take: bool = False) -> Activation | None:
        """Hand in an outcome, and with `take` get the next work in the same breath."""
        if outcome.pauses:
            with self.lock:
                self.open = False
        message = (self.engine.finished, activation, outcome)
        take = take and self._holds is None
        with self.lock:
            if not self.claim(False):
                self.inbox.append(message)
                following = self._next() if take else None
                if following is not None:
                    self._note(following)
                return following
            self.turning = get_ident()
            messages, self.inbox = self.inbox, []
        return self._turn((*messages, message), take)

    # -- the protocol ----------------------------------------------------------------------------------

    def send(self, message: Message) -> bool:
        """Put a message in, and take the turn if it is free; False when another thread will see to it."""
        with self.lock:
            self.inbox.append(message)
            messages = self._claimed()
        if messages is not None:
            _apart(self._turn, messages)
        return messages is not None

    def leave_message(self, message: Message) -> None:
        """Put a message in, for another thread to take the turn if nobody has it."""
        with self.lock:
            self.inbox.append(message)
            if self.turning:
                return
        self._call()

    def pump(self) -> None:
        """Take the turn if it is free and something waits."""
        with self.lock:
            messages = self._claimed() if self.inbox else None
        if messages is not None:
            _apart(self._turn, messages)

    def _open_with(self, message: Message) -> Activation | None:
        """Use the turn for the one message that begins the job, and return the first work."""
        engine, ledger = self.engine, self.ledger
        act, one, two = message
        ledger.now = max(self.time(), self.data.updated_at)
        try:
            act(one, two)
        except BaseException as error:  # noqa: BLE001 - our own fault ends the job, never the turn
            engine.broken(error)
        if ledger.stirred or engine.unusual or len(ledger.ready) != 1 or not self._kept_here():
            return self._turn((), True)
        journal, messages = self.journal, None
        with self.lock:
            if self.inbox:
                messages, self.inbox = self.inbox, []
            else:
                engine.reopen, self.open = False, True
                following = ledger.ready.pop()
                self.inflight += 1
                ledger.start(following)
                if journal is not None:
                    journal.seal()
                self.turning = 0
                self.give_up()
        if messages is not None:
            return self._turn(messages, True)
        if journal is not None:
            self._mark(journal.urgency)
        return following

    def _conclude(self) -> None:
        """Do what follows a completion that the engine has just written; the turn is this thread's."""
        self.told = self.data.status
        HELD.turns += 1
        self._guarded(self._end)
        HELD.turns -= 1
        self.engine.settled = 0
        with self.lock:
            self.inflight = 0
            self.open, self.ended = False, True
            messages, self.inbox = self.inbox, []
            if not messages:
                self.turning, self.released = 0, True
                self.give_up()
        if messages:
            self._turn(messages)
        self._guarded(self._after_end, False)
        self._let_go()

    def _turn(  # noqa: C901, PLR0912, PLR0915 - one loop without calls of its own, since most work comes by here
        self, messages: Sequence[Message], take: bool = False, waits: bool = False
    ) -> Activation | None:
        """Use the turn that this thread has: first for `messages`, then until the inbox is empty.

        With `take` it returns the next work. With that, or if the thread `waits` for what comes of it, it may
        write to the store by itself.
        """
        engine, data, ledger, journal = self.engine, self.data, self.ledger, self.journal
        following: Activation | None = None
        woken, ending, again = False, False, False
        writes, urgency = take or waits, Urgency.NONE
        HELD.turns += 1
        while True:
            if messages:
                now = self.time()
                ledger.now = now if now > data.updated_at else data.updated_at
                for act, one, two in messages:
                    try:
                        act(one, two)
                    except BaseException as error:  # noqa: BLE001 - our own fault ends the job, never the turn
                        engine.broken(error)
            concluding = engine.over and self.told is not data.status and self._complete
            if ledger.stirred or concluding:
                ledger.stirred = False
                self._guarded(self._show)
            if concluding:
                self.told = data.status
                self._guarded(self._end)
            if journal is not None and journal.ripe:
                self._guarded(journal.take_snapshot)
            with self.lock:
                self.inflight -= engine.settled
                engine.settled = 0
                if engine.unusual:
                    engine.unusual = False
                    woken = self._settle_unusual() or woken
                if ledger.ready:
                    if journal is not None and journal.holds:
                        journal.hold(ledger.ready)
                    else:
                        self.ready.extend(ledger.ready)
                        woken = True
                    ledger.ready.clear()
                if journal is not None:
                    woken = self._keep(journal) or woken
                if concluding:
                    self.ended = ending = True
                    again, self.again = self.again, False
                if self.inbox:
                    messages, self.inbox = self.inbox, []
                    journal = self.journal  # another one, if it was paused in this turn and goes on already
                    continue
                if engine.reopen:
                    engine.reopen = False
                    self.open = data.status is ExecutionStatus.RUNNING and data.stopping is None
                    woken = True
                if not self.inflight and not engine.over:
                    if not self.open:
                        if data.pause is not None or data.stopping is not None or engine.leaving:
                            messages = ((engine.settle, None, None),)
                            continue
                    elif not data.activations and data.status is ExecutionStatus.RUNNING:
                        messages = ((engine.quiet, None, None),)
                        continue
                if not (writes and journal is not None and self._idle_until_kept(journal)):
                    if take:
                        take = False
                        following = self._next()
                        if following is not None and following.id not in data.running:
                            if ledger.news is not None:
                                messages = ((engine.started, following, None),)
                                continue
                            ledger.start(following)
                    if journal is not None:
                        journal.seal()
                        urgency = journal.urgency
                    self.turning = 0
                    self.give_up()
                    self.released = engine.closed and self.ended and self.told is data.status
                    count = 0
                    if (woken or self.limited) and self.open:
                        count = min(self._startable(), self.limit - self.inflight)
                    break
            messages, writes = (), self._write()
            now = self.time()
            ledger.now = now if now > data.updated_at else data.updated_at
        HELD.turns -= 1
        if journal is not None and urgency > journal.marked:
            self._mark(urgency)
        if count > 0:
            self._guarded(self._wake, count)
        if ending:
            self._guarded(self._after_end, again)
        if self.released:
            self._let_go()
        return following


def _apart(turn: Callable[[list[Message]], object], messages: list[Message]) -> None:
    """Take a turn from within a handler, without its context: monitors are not part of it."""
    context = CONTEXT.get()
    if context is None:
        turn(messages)
        return
    token = CONTEXT.set(None)
    try:
        turn(messages)
    finally:
        CONTEXT.reset(token)


for protected in (Turn.finish, Turn.send, Turn.pump, Turn._turn):
    unbreakable(protected)
