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
from typing import TYPE_CHECKING, Any, Protocol

from attrs import define

from routilux_core.errors import DuplicateName
from routilux_core.job_errors import UnknownJob
from routilux_core.store_errors import ClaimLost, ClaimRefused, StoreUnavailable
from routilux_core.urgency import Urgency

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import AbstractContextManager

    from routilux_core.store import Claim, Store

log = logging.getLogger("routilux.store")
SOON = 0.05
"""Seconds by which what is not urgent may be late."""
FIRST, LONGEST = 0.02, 1.0
"""Seconds until the first try after an outage, and between the later ones."""


class Written(Protocol):
    """A job, as the committer sees it."""

    @property
    def lock(self) -> AbstractContextManager[object]:
        """Guards the journal."""

    @property
    def journal(self) -> Any:
        """Its journal."""

    def stored(self, number: int) -> None:
        """Hear that everything up to that fact is kept. Called with no lock of a job held."""

    def detach(self, error: BaseException) -> None:
        """Hear that nothing more will be kept. Called likewise."""


@define(eq=False, repr=False)
class _Write:
    """What was taken of one job."""

    job: Any
    draft: Any
    commit: Any = None
    """Made when the job's claim is certain."""
    failed: bool = False


class Committer:
    """Commits for all jobs of one manager."""

    def __init__(self, store: Store, seconds: float, patience: float) -> None:
        self._store = store
        self._seconds = seconds
        """How long claims last."""
        self._patience = patience
        """How long an outage is waited out."""
        self._working = threading.Lock()
        """Held by whoever commits; it guards the next two."""
        self._unsure: list[_Write] = []
        """What was to be written when the outage began."""
        self._failing_since = 0.0
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
        if self._unsure or not self._working.acquire(blocking=False):
            self.mark(job, Urgency.NOW)
            return False
        try:
            self._round(job)
        finally:
            self._working.release()
        return True

    def lost(self, job: Written, claim: Claim) -> None:
        """Hear that a claim is not there any more, and let its job go if it was not given up."""
        with self._working:
            journal = job.journal
            gone = journal.claim is claim and not journal.released
        if gone:
            job.detach(ClaimLost(claim.job_id))

    def stop(self, timeout: float | None = None) -> None:
        """Write what is marked, and end the thread, waiting up to `timeout` for it."""
        with self._news:
            self._stopped = True
            self._news.notify()
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)

    # -- the thread --------------------------------------------------------------------------------------

    def _call(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="routilux-committer", daemon=True)
            self._thread.start()
        elif self._sleeping and (self._now or self._unsure or self._due < self._until):
            self._sleeping = False
            self._news.notify()

    def _run(self) -> None:
        pause = FIRST
        while self._wait(pause):
            with self._working:
                self._round()
                pause = min(2 * pause, LONGEST) if self._unsure else FIRST

    def _wait(self, pause: float) -> bool:
        """Sleep until there is something to do; False when there is nothing and never will be."""
        with self._news:
            while not (self._now or self._unsure):
                if self._stopped:
                    return bool(self._soon)
                self._until = self._due if self._soon else inf
                left = self._until - monotonic()
                if left <= 0:
                    return True
                self._sleeping = True
                self._news.wait(None if left == inf else left)
                self._sleeping = False
            if self._unsure:
                self._news.wait(pause)
            return True

    # -- for whoever commits -----------------------------------------------------------------------------

    def _round(self, own: Written | None = None) -> None:
        """Write all that want it now, and in the committer's own thread also those that may wait."""
        if self._unsure:
            again, self._unsure = self._unsure, []
            self._write(again)
            return
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
        batch = []
        for job in jobs:
            with job.lock:
                draft = job.journal.take()
            if draft is not None:
                batch.append(_Write(job, draft))
        if batch:
            self._write(batch)

    def _write(self, batch: list[_Write]) -> None:
        try:
            ready = [one for one in batch if self._ready(one)]
            lost = self._store.commit([one.commit for one in ready if one.commit is not None])
        except StoreUnavailable as error:
            self._put_off(batch, error)
        except Exception as error:  # noqa: BLE001 - whatever a store raises, its job is told
            if len(batch) == 1:
                self._fail(batch[0], error)
                return
            for number, one in enumerate(batch):  # to see which it is
                if self._unsure:
                    self._unsure += batch[number:]
                    return
                if not one.failed:
                    self._write([one])
        else:
            self._failing_since = 0.0
            for one in ready:
                self._done(one, lost)

    def _ready(self, one: _Write) -> bool:
        """Build the commit, with a new claim where the job's was given up; False when others have the job."""
        journal = one.job.journal
        if one.commit is None:
            if journal.released and journal.opens is None:
                old = journal.claim
                try:
                    claim = self._store.claim(old.job_id, old.owner, self._seconds)
                except (ClaimRefused, UnknownJob) as error:
                    self._fail(one, error)
                    return False
                if claim.epoch != old.epoch + 1:  # somebody has had it since
                    self._store.release([claim])
                    self._fail(one, ClaimLost(old.job_id))
                    return False
                journal.claim, journal.released = claim, False
            one.commit = journal.commit(one.draft)
        return True

    def _done(self, one: _Write, lost: set[str]) -> None:
        journal, commit = one.job.journal, one.commit
        if commit is None:
            return
        job_id = commit.claim.job_id
        if job_id in lost:
            opening = commit.opens is not None
            self._fail(one, DuplicateName("job", job_id, "the store") if opening else ClaimLost(job_id))
            return
        journal.opens = None
        journal.released = commit.release
        one.job.stored(one.draft.last)

    def _fail(self, one: _Write, error: BaseException) -> None:
        one.failed = True
        one.job.detach(error)

    def _put_off(self, batch: list[_Write], error: StoreUnavailable) -> None:
        """Keep what could not be written; give it up when the outage has lasted too long."""
        now = monotonic()
        if not self._failing_since:
            self._failing_since = now
            log.warning("%s; what happens to jobs is kept here until it answers", error)
        if now - self._failing_since < self._patience and not self._stopped:
            self._unsure += [one for one in batch if not one.failed]
            with self._news:
                self._call()
            return
        self._failing_since = 0.0
        jobs = {one.job: None for one in batch if not one.failed}
        with self._news:
            jobs |= self._now | self._soon
            self._now, self._soon, self._due = {}, {}, inf
        log.error("%s; %d jobs are given up here, as the store has them", error, len(jobs))
        for job in jobs:
            job.detach(error)
