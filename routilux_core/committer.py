"""Committer: writes what jobs have sealed, all that is there in one transaction of the store.

Whoever commits takes what all jobs have ready. That is mostly the committer's own thread. A worker that has
nothing else to do for its job commits in its own thread, if nobody is at it. An outage of the store is waited
out: what was taken is kept here and tried again, in order.
"""

from __future__ import annotations

import logging
import threading
from math import inf
from time import monotonic
from typing import TYPE_CHECKING

from routilux_core.store_writing import StoreWriting, Tiding, Written
from routilux_core.urgency import Urgency

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from routilux_core.store import Claim, Store

log = logging.getLogger("routilux.store")
SOON = 0.05
"""Seconds by which what is not urgent may be late."""
FIRST, LONGEST = 0.02, 1.0
"""Seconds until the first try after an outage, and between the later ones."""


class Committer:
    """Commits for all jobs of one manager."""

    def __init__(self, store: Store, seconds: float, patience: float) -> None:
        self._working = threading.Lock()
        """Held by whoever commits; it guards the next two."""
        self._store = store
        self._writing = StoreWriting(store, seconds, patience)
        self._news = threading.Condition(threading.Lock())
        """Its lock guards what follows."""
        self._now: dict[Written, None] = {}
        self._soon: dict[Written, None] = {}
        self._due = inf
        """When those who are not urgent have waited long enough."""
        self._sleeping = False
        self._until = inf
        """When the thread looks again by itself."""
        self._thread: threading.Thread | None = None
        self._stopped = False

    # -- from any thread ---------------------------------------------------------------------------------

    def mark(self, job: Written, urgency: Urgency) -> None:
        """Have a job written, now or soon, by the committer's thread."""
        with self._news:
            journal = job.journal
            journal.marked = urgency
            if urgency is Urgency.NOW:
                self._now[job] = None
            else:
                if not self._soon:
                    self._due = monotonic() + SOON
                self._soon[job] = None
                journal.scheduled = True
            self._call()

    def commit(self, job: Written) -> bool:
        """Write a job here, with all others that are marked; False where somebody else will do it."""
        if self._writing.unsure or not self._working.acquire(blocking=False):
            self.mark(job, Urgency.NOW)
            return False
        try:
            tidings = self._round(job)
        finally:
            self._working.release()
        self._tell(tidings)
        return True

    def lost(self, job: Written, claim: Claim) -> None:
        """Hear that a claim is not there any more, and let its job go if it was not given up."""
        with self._working:
            journal = job.journal
            ours = journal.claim is claim and not (journal.released or journal.closed)
            gone = ours and not self._writing.unsure
            error = self._writing.lost(job) if gone else None
        if error is not None:
            job.detach(error)

    def give_up(self, claims: Collection[Claim]) -> None:
        """Release the claims of jobs that were detached, after what is being written of them just now."""
        with self._working:
            self._store.release(claims)

    def stop(self, timeout: float | None = None) -> None:
        """Write what is marked, and end the thread, waiting up to `timeout` for it."""
        with self._news:
            self._stopped, self._writing.patience = True, 0.0
            self._news.notify()
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)

    # -- the thread --------------------------------------------------------------------------------------

    def _call(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="routilux-committer", daemon=True)
            self._thread.start()
        elif self._sleeping and (self._now or self._writing.unsure or self._due < self._until):
            self._sleeping = False
            self._news.notify()

    def _run(self) -> None:
        pause = FIRST
        while self._wait(pause):
            try:
                with self._working:
                    tidings = self._round()
                pause = min(2 * pause, LONGEST) if self._writing.unsure else FIRST
                self._tell(tidings)
            except Exception:
                log.exception("what happened to jobs could not be written")

    def _wait(self, pause: float) -> bool:
        """Sleep until there is something to do; False when there is nothing and never will be."""
        with self._news:
            while not (self._now or self._writing.unsure):
                if self._stopped:
                    return bool(self._soon)
                self._until = self._due if self._soon else inf
                left = self._until - monotonic()
                if left <= 0:
                    return True
                self._sleeping = True
                self._news.wait(None if left == inf else left)
                self._sleeping = False
            if self._writing.unsure:
                self._news.wait(pause)
            return True

    # -- for whoever commits -----------------------------------------------------------------------------

    def _round(self, own: Written | None = None) -> list[Tiding]:
        """Write all that want it now, and in the committer's own thread also those that may wait."""
        if self._writing.unsure:
            return self._writing.write_again()
        jobs: Iterable[Written] = () if own is None else (own,)
        if own is None or self._now:
            with self._news:
                jobs = {**self._now, **dict.fromkeys(jobs)}
                self._now = {}
                if own is None:
                    for job in self._soon:
                        job.journal.scheduled = False
                    jobs |= self._soon
                    self._soon, self._due = {}, inf
        taken = []
        for job in jobs:
            with job.lock:
                draft = job.journal.take()
            if draft is not None:
                taken.append((job, draft))
        return self._writing.write(taken)

    def _tell(self, tidings: list[Tiding]) -> None:
        """Tell jobs what became of theirs, when others may commit again."""
        for tiding in tidings:
            if tiding.job.journal.scheduled and tiding.job.journal.released:
                with self._news:  # it wants nothing more, and is not to be kept for that
                    self._soon.pop(tiding.job, None)
            tiding.tell()
        error, self._writing.given_up = self._writing.given_up, None
        if error is not None:  # those that wait for the end of the outage, too
            with self._news:
                waiting = {**self._now, **self._soon}
                self._now, self._soon, self._due = {}, {}, inf
            for job in waiting:
                job.detach(error)
        elif self._writing.unsure:
            with self._news:
                self._call()
