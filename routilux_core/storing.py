"""Storing: a turn whose job may be kept in a store: what is sealed, written, and followed up."""

from __future__ import annotations

from bisect import bisect_right
from operator import attrgetter
from threading import get_ident
from typing import TYPE_CHECKING, TypeVar

from routilux_core.desk import HELD
from routilux_core.feeding import Feeding
from routilux_core.interrupt import unbreakable
from routilux_core.status import SETTLED, ExecutionStatus
from routilux_core.urgency import Urgency

if TYPE_CHECKING:
    from collections.abc import Callable

    from routilux_core.activation import Activation
    from routilux_core.fact import Fact
    from routilux_core.facts import OutputSent
    from routilux_core.journal import Journal

Numbered = TypeVar("Numbered", bound="Fact")
_number = attrgetter("number")


class Storing(Feeding):
    """A turn whose job may be kept in a store."""

    __slots__ = ("_keepers", "_later", "epoch")

    _keepers: tuple[Callable[[], object], ...]
    """Those who wait until something is in the store."""
    _later: Callable[[], None] | None
    """Resumes it when a pause has been told to all."""
    epoch: int
    """Grows as the job changes hands between processes."""

    # -- before it runs --------------------------------------------------------------------------------

    def keep(self, journal: Journal) -> None:
        """Have what happens to it kept; said before it begins or goes on."""
        self.journal, self.ledger.writer, self.epoch = journal, journal.writer, journal.claim.epoch
        self.detached = None

    # -- for those who write ---------------------------------------------------------------------------

    def stored(self, number: int) -> None:
        """Hear that everything up to that fact is in the store."""
        journal = self.journal
        if journal is None:
            return
        with self.lock:
            journal.kept = max(journal.kept, number)  # tidings may overtake each other
            keepers, self._keepers = self._keepers, ()
            free = False
            if self.turning == get_ident():  # it has just written this itself
                self.ledger.stirred = self.ledger.stirred or journal.awaited
            elif journal.awaited or journal.waiting:
                alone = not (self.inbox or self.turning)
                self.inbox.append((self._hear_stored, None, None))
                free = not self.turning
        for ring in keepers:
            ring()
        if free and not keepers:  # those take the turn as soon as they are awake
            if alone and self._private:
                self.pump()
            else:
                self._call()
        if (
            journal.released
            and self.data.status is ExecutionStatus.PAUSED
            and self.manager.keeping is not None
        ):
            self.manager.keeping.renewal.look_at(self)  # type: ignore[arg-type]  # every one of us is a Job

    @property
    def _private(self) -> bool:
        """True when no user's code is called where the job is told that something is kept."""
        watched = self.ledger.news is not None or self.job_state._output_handler is not None
        return not watched and not self.output_feeds

    def _hear_stored(self, _one: object, _two: object) -> None:
        self.ledger.stirred = True

    # -- the end of it here ----------------------------------------------------------------------------

    def detach(self, error: BaseException) -> None:
        """Let the job go on without this process: nothing that happens to it here is kept any more."""
        with self.lock:
            if self.detached is not None:
                return
            self.detached, self.open = error, False
            if self.journal is not None:
                self.journal.closed = True
            keepers, self._keepers = self._keepers, ()
        self.leave_message((self.engine.abandon, error, None))
        for ring in keepers:
            ring()

    # -- the short way ---------------------------------------------------------------------------------

    def _next_kept(self) -> Activation | None:
        """Write what a step has done, and start what follows from it; None where there is more to see to.

        The turn is this thread's, and after it given up if there is work.
        """
        engine, ledger, journal = self.engine, self.ledger, self.journal
        if journal is None or engine.over or engine.unusual or not self._kept_here():
            return None
        with self.lock:
            if self.inbox or self.stalled or ledger.stirred or not self.open:
                return None
            self._keep(journal)
            if not self.ready or self.inflight > self.limit:
                return None
            following = self.ready.popleft()
            if following is None:
                return None
            engine.settled = 0  # it takes the place of the one that is done
            now = self.time()
            ledger.now = now if now > ledger.now else ledger.now
            if following.id not in self.data.running:  # as a generator is that goes on
                ledger.start(following)
            journal.seal()
            urgency, more = journal.urgency, min(len(self.ready), self.limit - self.inflight)
            self.turning = 0
            self.give_up()
        if more > 0:
            self._guarded(self._wake, more)
        if urgency > journal.marked:
            self._mark(urgency)
        return following

    def _kept_here(self) -> bool:
        """Write what the turn has made of a message; False where that is left to others."""
        journal = self.journal
        if journal is None:
            return True
        with self.lock:
            journal.seal()
        return self._write() and journal.complete

    # -- for the turn ----------------------------------------------------------------------------------

    def _in_turn(self) -> bool:
        """Whether this thread has the turn of any job, so that it must not wait for another's."""
        return bool(HELD.turns) or self.turning == get_ident()

    @property
    def _complete(self) -> bool:
        """True when everybody may be told of an end: all that has happened is kept, or never will be."""
        journal = self.journal
        return journal is None or journal.complete or self.detached is not None

    @property
    def _end_is_known(self) -> bool:
        """Whether those who watch were shown how it ended or paused, before it was detached."""
        if self.data.status not in SETTLED:
            return False
        news, journal = self.ledger.news, self.journal
        return not news if news is not None else journal is None or journal.complete

    def _keep(self, journal: Journal) -> bool:
        """Seal what has happened, and let go what waited for what is kept by now; return whether any did."""
        journal.seal()
        released = journal.released_work()
        for activation, continuing in released:
            if continuing:
                self._go_on_with((activation,))
            else:
                self.ready.append(activation)
        engine, chores = self.engine, self.engine.undone
        journal.leaving = engine.leaving and engine.over
        journal.awaited = bool(
            self.ledger.news
            or (chores is not None and chores.outputs)
            or (engine.over and self.told is not self.data.status)
        )
        return bool(released)

    def _idle_until_kept(self, journal: Journal) -> bool:
        """Tell, under the lock, whether nothing can be done here before the store has what happened."""
        return journal.urgency is Urgency.NOW and not (self.open and self._startable())

    def _write(self) -> bool:
        return self.journal is not None and self.journal.committer.commit(self)

    def _mark(self, urgency: Urgency) -> None:
        if self.journal is not None:
            self.journal.committer.mark(self, urgency)

    def _tellable(self, news: list[Numbered]) -> tuple[list[Numbered], list[Numbered]]:
        """Divide facts into those that others may be told of, and those that are not kept yet."""
        if self.journal is None:
            return news, []
        last = self.journal.tells
        count = bisect_right(news, last, key=_number)
        return news[:count], news[count:]

    def _check_output(self, fact: OutputSent) -> None:
        if self.journal is not None:
            self.manager.converter.encode(fact.output_type, "the type of an output")
            self.manager.converter.encode(fact.data, f"output {fact.output_type!r}")


unbreakable(Storing._kept_here)
