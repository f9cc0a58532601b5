"""Desk: the inbox, the ready work and the gate of a job."""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from threading import get_ident
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from routilux_core.ready import Ready
from routilux_core.status import SETTLED, ExecutionStatus

if TYPE_CHECKING:
    from routilux_core.activation import Activation
    from routilux_core.engine import Engine
    from routilux_core.journal import Journal
    from routilux_core.urgency import Urgency

log = logging.getLogger("routilux")
Message = tuple[Callable[[Any, Any], object], Any, Any]
Messages = Iterable[Message]
EVERYTHING = 1 << 60


class _Held(threading.local):
    """How many turns a thread has: whoever has one must not wait for another job's."""

    turns = 0


HELD = _Held()


NOTHING_PARKED: Mapping[int, Activation] = MappingProxyType({})


class Desk(ABC):
    """What lies before those who work for a job: inbox, ready work, the gate; the lock guards all of it."""

    __slots__ = (
        "_holds", "acquire", "again", "claim", "data", "detached", "ended", "engine", "give_up", "inbox",
        "inflight", "journal", "ledger", "limit", "limited", "lock", "max_ready", "open", "parked", "passed",
        "ready", "release_lock", "released", "roundabout", "stalled", "time", "told", "turning",
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
        """The turn: `claim(False)` takes it if it is free; it is given up under the lock, the inbox empty."""
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
        self.journal: Journal | None = None
        """What is to be kept of it, where there is a store."""
        self.detached: BaseException | None = None
        """Why it goes on without this process, where it does."""
        self._holds: Callable[[Activation], bool] | None = None
        self.parked: Mapping[int, Activation] = NOTHING_PARKED
        """What a plugin holds back."""
        self.passed: AbstractSet[int] = frozenset()
        """What was held back and let go on."""

    def _claimed(self) -> list[Message] | None:
        """Take the turn and the inbox, under the lock; None when another thread has it."""
        if not self.claim(False):
            return None
        self.turning = get_ident()
        messages, self.inbox = self.inbox, []
        return messages

    def _next(self, awaited: bool = False) -> Activation | None:
        if not self.open or self.inflight >= self.limit:
            return None
        ready = self.ready
        if self.stalled and self._crowd() < self.max_ready:
            ready.append(self.stalled.popleft())
        if not ready:
            return None
        activation = ready.awaited.popleft() if awaited else ready.popleft()  # type: ignore[union-attr]  # see take_async
        if activation is not None:
            self.inflight += 1
        return activation

    def _note(self, activation: Activation) -> list[Message] | None:
        """Note a start, under the lock; what it returns is to be taken a turn with."""
        if activation.id in self.data.running:
            return None
        ledger = self.ledger
        if not self.inbox and ledger.news is None and self.claim(False):
            now = self.time()
            ledger.now = now if now > self.data.updated_at else self.data.updated_at
            ledger.start(activation)
            if self.journal is not None:
                self.journal.seal()
            self.give_up()
            return None
        self.inbox.append((self.engine.started, activation, None))
        return self._claimed()

    def _settle_unusual(self) -> bool:
        """Do under the lock what most turns have no need of; return whether generators have more to give."""
        engine, more = self.engine, False
        if engine.anew:
            engine.anew = False
            self.ready.clear()
            self.stalled = ()
            if self.journal is not None:
                self.journal.drop()
        chores = engine.undone
        if chores is not None:
            if chores.freed:
                self.ready.settle(chores.freed)  # type: ignore[union-attr]  # a Ready, where slots are demanding
                chores.freed.clear()
            if self.journal is not None and self.journal.holds:
                self.journal.hold(chores.continuing, continuing=True)
            else:
                more = bool(chores.continuing)
                self._go_on_with(chores.continuing)
            chores.continuing.clear()
        if engine.shut:
            self.open = False
        return more

    def _go_on_with(self, generators: Iterable[Activation]) -> None:
        for activation in generators:
            if self.stalled or self._crowd() >= self.max_ready:
                self.stalled = self.stalled or deque()
                self.stalled.append(activation)
            else:
                self.ready.append(activation)

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
        """True when the job is over, paused or detached, and everybody was told."""
        status = self.data.status
        return self.ended and self.told is status and (status in SETTLED or self.detached is not None)

    # -- what a job adds -------------------------------------------------------------------------------

    @abstractmethod
    def _show(self) -> None:
        """Tell those who listen what is new."""

    @abstractmethod
    def _end(self) -> None:
        """Do what follows the last fact, or the one that paused the job, before anybody is woken."""

    @abstractmethod
    def _after_end(self, again: bool) -> None:
        """Wake those who wait for the end; with `again` a resume was asked for meanwhile."""

    @abstractmethod
    def _let_go(self) -> None:
        """Leave the state to itself: the job is over and its inbox empty."""

    @abstractmethod
    def _wake(self, count: int) -> None:
        """Tell those who run work that there is some."""

    @abstractmethod
    def _call(self) -> None:
        """Have some other thread take the turn."""

    @property
    @abstractmethod
    def _complete(self) -> bool:
        """True when everybody may be told of an end."""

    @abstractmethod
    def _keep(self, journal: Journal) -> bool:
        """Let happen what follows from what is kept by now; return whether there is new work."""

    @abstractmethod
    def _idle_until_kept(self, journal: Journal) -> bool:
        """Tell whether nothing can be done here before the store has what happened."""

    @abstractmethod
    def _write(self) -> bool:
        """Write to the store what has happened; False where somebody else will, as soon as they can."""

    @abstractmethod
    def _kept_here(self) -> bool:
        """Write what the turn has made of a message; False where that is left to others."""

    @abstractmethod
    def _mark(self, urgency: Urgency) -> None:
        """Have it written by others."""
