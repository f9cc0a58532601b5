"""Parting: how a job that is kept and this process part, and how they come together again."""

from __future__ import annotations

from functools import partial
from threading import Event
from typing import TYPE_CHECKING

from routilux_core.current import CONTEXT
from routilux_core.job_errors import JobLeft
from routilux_core.status import ExecutionStatus
from routilux_core.storing import Storing
from routilux_core.waiting import remaining, rest

if TYPE_CHECKING:
    from collections.abc import Callable

    from routilux_core.fact import Fact
    from routilux_core.job import Job


class Parting(Storing):
    """A job that may go on without this process."""

    __slots__ = ()

    # -- waiting for the store -------------------------------------------------------------------------

    def wait_stored(self, number: int | None = None, until: float | None = None) -> None:
        """Wait until that fact, or the last one, is in the store, if anything may follow from it only then.

        No longer than `until`. Raise why it never will be, if the job was detached.
        """
        journal = self.journal
        if journal is None or self._in_turn():
            return
        if number is None:
            number = self.data.number
        while True:
            done, kept = Event(), False
            ring = done.set
            with self.lock:
                goal = number if journal.holds or self.ended else 0
                if self.detached is not None or (journal.kept >= goal and journal.opens is None):
                    break
                self._keepers = (*self._keepers, ring)
            try:
                kept = rest(done, remaining(until))
            finally:
                if not kept:
                    with self.lock:
                        self._keepers = tuple(keeper for keeper in self._keepers if keeper is not ring)
                self.pump()  # which is left to whoever is told
            if not kept:
                return
        self.raise_detached()

    def raise_detached(self) -> None:
        """Raise why the job goes on without this process, if it does.

        A handler that waits for a job which its manager leaves cannot go on here either: its job goes along.
        """
        if self.detached is None:
            return
        context = CONTEXT.get()
        if isinstance(self.detached, JobLeft) and context is not None and context.manager is self.manager:
            self.manager.part_with([context.job])
        raise self.detached

    @property
    def is_here(self) -> bool:
        """True while this process runs it, or has paused it and nobody has gone on with it since."""
        return self.detached is None and not self.released

    def after_pause(self, resume: Callable[[], None]) -> bool:
        """Have it resumed when the pause that has come about is kept and told; False when it is already."""
        with self.lock:
            waits = self.journal is not None and not self.ended
            if waits:
                self._later = resume
        return waits

    def _resume_later(self) -> None:
        """Do what was asked before the pause was told, in a thread that may wait for the store."""
        later, self._later = self._later, None
        if later is not None and self.detached is None and self.data.status is ExecutionStatus.PAUSED:
            self.manager.clerk.ask(later)

    # -- the end of it here ----------------------------------------------------------------------------

    def leave(self) -> None:
        """Start nothing more; when no handler runs any more, the job goes on elsewhere."""
        with self.lock:
            self.open = False
        self.send((self.engine.leave, None, None))

    def part(self) -> None:
        """Leave a paused job to its store and its state to itself: the manager is closed."""
        with self.lock:
            self.detached = self.detached or JobLeft(self.data.job_id)
            keepers, self._keepers = self._keepers, ()
        self.send((self.engine.abandon, self.detached, None))
        for ring in keepers:
            ring()

    def _take_along(self, child: Job) -> None:
        """See to it that a job which was started here ends with this one, or goes on where this one does."""
        if self.detached is None or child.journal is None:
            child.cancel_quietly(f"the job that started it is {self.data.status}")
        else:
            child.manager.clerk.ask(partial(child.manager.part_with, (child,), self.detached))

    # -- coming back -----------------------------------------------------------------------------------

    def announce(self, facts: list[Fact]) -> None:
        """Have those who watch told of facts that happened while nobody ran the job."""
        if facts and self.ledger.news is not None:
            self.ledger.news += facts
            self.ledger.stirred = True
