"""Turn: who may touch a job, and when.

The *lock* guards `inbox`, `ready`, `inflight`, the gate (`open`) and `turning`; it is held for microseconds and no
user code, executor, timer or future is called under it. The *turn* is one thread's exclusive right to engine and
data, without holding the lock. A message that finds the turn taken waits in the inbox; whoever has the turn takes it.
"""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Mapping, Sequence, Set
from threading import get_ident
from types import MappingProxyType
from typing import Any

from routilux_core.activation import Activation
from routilux_core.current import CONTEXT
from routilux_core.engine import Engine
from routilux_core.interrupt import unbreakable
from routilux_core.outcome import Outcome
from routilux_core.ready import Ready
from routilux_core.status import SETTLED, ExecutionStatus

log = logging.getLogger("routilux")
Message = tuple[Callable[[Any, Any], None], Any, Any]
EVERYTHING = 1 << 60


class _Held(threading.local):
    """How many turns a thread has: whoever has one must not wait for another job's."""

    turns = 0


HELD = _Held()


NOTHING_PARKED: Mapping[int, Activation] = MappingProxyType({})


def _nothing(_one: object, _two: object) -> None:
    """Take a turn for what follows every message."""


NOTHING: Message = (_nothing, None, None)


class Turn(ABC):
    """The inbox of a job and the protocol around it. `Job` adds what happens at its edges."""

    __slots__ = (
        "_holds", "acquire", "again", "claim", "data", "ended", "engine", "give_up", "inbox", "inflight", "ledger",
        "limit", "limited", "lock", "max_ready", "open", "parked", "passed", "ready", "release_lock", "released",
        "roundabout", "stalled", "time", "told", "turning",
    )  # fmt: skip

    def __init__(self, engine: Engine, time: Callable[[], float], limit: int | None, max_ready: int) -> None:
        plan = engine.plan
        self.engine = engine
        self.data = engine.data
        self.ledger = engine.ledger
        self.time = time
        self.lock = lock = threading.Lock()
        self.acquire, self.release_lock = lock.acquire, lock.release
        """The lock without the cost of `with`, for the hot path."""
        turn = threading.Lock()
        self.claim, self.give_up = turn.acquire, turn.release
        """The turn: `claim(False)` takes it if it is free; it is given up under the lock, with an empty inbox."""
        self.turning = 0
        """The thread that has the turn; 0 when it is free."""
        self.inbox: list[Message] = []
        self.ready: deque[Activation] | Ready = Ready(plan) if plan.demanding else deque()
        self.stalled: deque[Activation] | tuple[()] = ()
        """Generators that have more to give than the job has room for."""
        self.inflight = 0
        """How many activations were taken and not yet settled."""
        self.open = False
        """Whether work may start: the gate."""
        self.limit = EVERYTHING if limit is None else limit
        self.limited = limit is not None or plan.demanding
        self.max_ready = max_ready
        self.roundabout = plan.demanding or plan.foreign
        """True when outcomes must not go the short way."""
        self.ended = True
        """True while the job is not running: before it begins, when paused, when over."""
        self.told: ExecutionStatus | None = None
        """The status of the end, or of the pause, that everybody was told of."""
        self.released = False
        """True when it is over and changes no longer come through here."""
        self.again = False
        """True when a resume was asked for before the pause was told to all."""
        self._holds: Callable[[Activation], bool] | None = None
        self.parked: Mapping[int, Activation] = NOTHING_PARKED
        """What a plugin holds back."""
        self.passed: Set[int] = frozenset()
        """What was held back and let go on."""

    # -- for executors ---------------------------------------------------------------------------------

    def take(self) -> Activation | None:
        """Return work to run now, or None. Whoever takes it must give its outcome to `finish`."""
        while True:
            with self.lock:
                activation = self._next()
                if activation is None:
                    return None
                holds = self._holds
                if holds is None:
                    messages = self._note(activation)
            if holds is not None:
                HELD.turns += 1
                parked = holds(activation)
                HELD.turns -= 1
                if parked:
                    self._park(activation)
                    continue
                with self.lock:
                    if self.engine.refuses(activation):
                        return None
                    messages = self._note(activation)
            if messages is not None:
                self._turn(messages)
            return activation

    def finish(
        self,
        activation: Activation,
        outcome: Outcome,
        take: bool = False,  # noqa: FBT001, FBT002 - keywords cost time here
    ) -> Activation | None:
        """Hand in an outcome, and with `take` get the next work in the same breath."""
        if not outcome.plain and outcome.pauses:
            with self.lock:
                self.open = False
        if self.roundabout or self.inbox or not self.claim(False):  # noqa: FBT003 - a lock's own parameter
            return self._finish_among_others(activation, outcome, take and self._holds is None)
        self.turning = get_ident()
        engine, data, ledger = self.engine, self.data, self.ledger
        now = self.time()
        ledger.now = now if now > data.updated_at else data.updated_at
        try:
            short = engine.finished(activation, outcome)
        except BaseException as error:  # noqa: BLE001 - our own fault ends the job, never the turn
            short = engine.broken(error)
        if not (short and take) or self._holds is not None:
            return self._turn((), take and self._holds is None)
        # The short way: nothing to tell, nothing special to settle, and most likely work to go on with.
        following: Activation | None = None
        count = 0
        fresh, ready = ledger.ready, self.ready
        self.acquire()
        try:
            if self.open and (ready or fresh) and not (self.inbox or self.stalled):
                following = ready.popleft() if ready else fresh.pop(0)
                if fresh:
                    ready.extend(fresh)
                    fresh.clear()
                    count = min(len(ready), self.limit - self.inflight)
                engine.settled = 0
                if following.id not in data.running:  # type: ignore[union-attr] - a deque has no gaps
                    ledger.start(following)  # type: ignore[arg-type]
                self.turning = 0
                self.give_up()
        finally:
            self.release_lock()
        if following is None:
            return self._turn((), take)
        if count > 0:
            self._guarded(self._wake, count)
        return following

    def _finish_among_others(self, activation: Activation, outcome: Outcome, take: bool) -> Activation | None:  # noqa: FBT001
        message = (self.engine.finished, activation, outcome)
        with self.lock:
            if not self.claim(False):  # noqa: FBT003
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
            self._turn_apart(messages)
        return messages is not None

    def pump(self) -> None:
        """Take the turn if it is free and something waits."""
        with self.lock:
            messages = self._claimed() if self.inbox else None
        if messages is not None:
            self._turn_apart(messages)

    def _claimed(self) -> list[Message] | None:
        """Take the turn and the inbox, under the lock; None when another thread has it."""
        if not self.claim(False):  # noqa: FBT003
            return None
        self.turning = get_ident()
        messages, self.inbox = self.inbox, []
        return messages

    def _turn_apart(self, messages: list[Message]) -> None:
        """Take a turn from within a handler, without its context: monitors are not part of it."""
        context = CONTEXT.get()
        if context is None:
            self._turn(messages)
            return
        token = CONTEXT.set(None)
        try:
            self._turn(messages)
        finally:
            CONTEXT.reset(token)

    def _next(self) -> Activation | None:
        if not self.open or self.inflight >= self.limit:
            return None
        ready = self.ready
        if self.stalled and self._crowd() < self.max_ready:
            ready.append(self.stalled.popleft())
        if not ready:
            return None
        activation = ready.popleft()
        if activation is not None:
            self.inflight += 1
        return activation

    def _note(self, activation: Activation) -> list[Message] | None:
        """Note a start, under the lock; what it returns is to be taken a turn with."""
        if activation.id in self.data.running:
            return None
        ledger = self.ledger
        if not self.inbox and ledger.news is None and self.claim(False):  # noqa: FBT003
            now = self.time()
            ledger.now = now if now > self.data.updated_at else self.data.updated_at
            ledger.start(activation)
            self.give_up()
            return None
        self.inbox.append((self.engine.started, activation, None))
        return self._claimed()

    def _park(self, activation: Activation) -> None:
        with self.lock:
            self.inflight -= 1
            if self.engine.demanding:
                self.ready.settle((activation,))  # type: ignore[union-attr]
            if activation.id in self.passed:
                self.ready.append(activation)
            else:
                self.parked[activation.id] = activation  # type: ignore[index] - a dict where something holds
        self.send(NOTHING)

    def _turn(
        self,
        messages: Sequence[Message],
        take: bool = False,  # noqa: FBT001, FBT002 - keywords cost time here
    ) -> Activation | None:
        """Use the turn that this thread has: first for `messages`, then until the inbox is empty."""
        engine, data, ledger = self.engine, self.data, self.ledger
        following: Activation | None = None
        woken, ending, again = False, False, False
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
            if ledger.stirred:
                ledger.stirred = False
                self._guarded(self._show)
            concluding = engine.over and self.told is not data.status
            if concluding:
                self.told = data.status
                self._guarded(self._end)
            with self.lock:
                self.inflight -= engine.settled
                engine.settled = 0
                if engine.unusual:
                    engine.unusual = False
                    self._settle_unusual()
                if ledger.ready:
                    self.ready.extend(ledger.ready)
                    ledger.ready.clear()
                    woken = True
                if concluding:
                    self.ended = ending = True
                    again, self.again = self.again, False
                if self.inbox:
                    messages, self.inbox = self.inbox, []
                    continue
                if engine.reopen:
                    engine.reopen = False
                    self.open = data.status is ExecutionStatus.RUNNING and data.stopping is None
                    woken = True
                if not self.inflight and not engine.over:
                    if not self.open:
                        if data.pause is not None or data.stopping is not None:
                            messages = ((engine.settle, None, None),)
                            continue
                    elif not data.activations and data.status is ExecutionStatus.RUNNING:
                        messages = ((engine.quiet, None, None),)
                        continue
                if take:
                    take = False
                    following = self._next()
                    if following is not None and following.id not in data.running:
                        if ledger.news is not None:
                            messages = ((engine.started, following, None),)
                            continue
                        ledger.start(following)
                self.turning = 0
                self.give_up()
                self.released = engine.closed
                count = 0
                if (woken or self.limited) and self.open:
                    count = min(self._startable(), self.limit - self.inflight)
                break
        HELD.turns -= 1
        if count > 0:
            self._guarded(self._wake, count)
        if ending:
            self._guarded(self._after_end, again)
        if engine.closed:
            self._let_go()
        return following

    def _settle_unusual(self) -> None:
        """Do under the lock what most turns have no need of."""
        engine = self.engine
        if engine.anew:
            engine.anew = False
            self.ready.clear()
            self.stalled = ()
        if engine.freed:
            self.ready.settle(engine.freed)  # type: ignore[union-attr]
            engine.freed.clear()
        for activation in engine.continuing:
            if self.stalled or self._crowd() >= self.max_ready:
                self.stalled = self.stalled or deque()
                self.stalled.append(activation)
            else:
                self.ready.append(activation)
        engine.continuing.clear()
        if engine.shut:
            self.open = False

    def _startable(self) -> int:
        return len(self.ready) + (len(self.stalled) if self.stalled and self._crowd() < self.max_ready else 0)

    def _crowd(self) -> int:
        ready = self.ready
        return ready.crowd if isinstance(ready, Ready) else len(ready)

    def _guarded(self, call: Callable[..., None], *given: Any) -> None:
        """Call what others had a part in; whatever it raises, the turn goes on."""
        try:
            call(*given)
        except BaseException:
            log.exception("job %s: telling others failed", self.data.job_id)

    @property
    def settled(self) -> bool:
        """True when the job is over or paused, and everybody was told."""
        return self.ended and self.data.status in SETTLED

    # -- what a job adds -------------------------------------------------------------------------------

    @abstractmethod
    def _show(self) -> None:
        """Tell those who listen what is new."""

    @abstractmethod
    def _end(self) -> None:
        """Do what follows the last fact, or the one that paused the job, before anybody is woken."""

    @abstractmethod
    def _after_end(self, again: bool) -> None:  # noqa: FBT001 - one caller
        """Wake those who wait for the end; with `again` a resume was asked for meanwhile."""

    @abstractmethod
    def _let_go(self) -> None:
        """Leave the state to itself: the job is over and its inbox empty."""

    @abstractmethod
    def _wake(self, count: int) -> None:
        """Tell those who run work that there is some."""


for protected in (Turn.take, Turn.finish, Turn.send, Turn.pump, Turn._turn):  # noqa: SLF001 - our own
    unbreakable(protected)
