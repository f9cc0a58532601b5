"""Renewal: lets the claims of a manager last, and hears what others ask of its jobs."""

from __future__ import annotations

import logging
import threading
from collections import deque
from time import monotonic
from typing import TYPE_CHECKING

from routilux_core.job_errors import UnknownJob
from routilux_core.status import ExecutionStatus
from routilux_core.store_errors import StoreError, StoreUnavailable

if TYPE_CHECKING:
    from routilux_core.job import Job
    from routilux_core.keeping import Keeping

log = logging.getLogger("routilux.store")
HEARING = 1.0
"""Seconds between two looks for requests: one statement for all jobs."""
SHARES = 3
"""A claim is renewed so many times in its life."""
AGAIN = 1.0
"""Seconds after which that is tried again that failed."""


class Renewal:
    """A thread of its own, there as long as the manager has jobs in the store."""

    def __init__(self, keeping: Keeping, jobs: dict[str, Job]) -> None:
        self._keeping = keeping
        self._jobs = jobs
        self._paused: deque[Job] = deque()
        """Those whose claim was given up since the last look."""
        self._wake = threading.Condition(threading.Lock())
        """Its lock guards what follows."""
        self._thread: threading.Thread | None = None
        self._stopped = False

    def begin(self) -> None:
        """Be there from now on."""
        with self._wake:
            if self._thread is None and not self._stopped:
                self._thread = threading.Thread(target=self._run, name="routilux-claims", daemon=True)
                self._thread.start()

    def stop(self, timeout: float | None = None) -> None:
        """End the thread, waiting up to `timeout` for it."""
        with self._wake:
            self._stopped = True
            self._wake.notify()
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)

    def _run(self) -> None:
        period = self._keeping.seconds / SHARES
        renew_at, hear_at = monotonic() + period, monotonic() + HEARING
        known = ""
        while self._sleep(min(renew_at, hear_at)):
            try:
                if monotonic() >= renew_at:
                    renew_at = monotonic() + min(period, AGAIN)
                    self.renew()
                    renew_at = monotonic() + period
                if monotonic() >= hear_at:
                    hear_at = monotonic() + HEARING
                    self._hear()
            except StoreError as error:
                level, known = (logging.DEBUG if str(error) == known else logging.WARNING), str(error)
                log.log(level, "claims could not be renewed, nor requests heard: %s", error)
            except Exception:
                log.exception("claims could not be renewed, nor requests heard")
            else:
                known = ""

    def _sleep(self, until: float) -> bool:
        with self._wake:
            while not self._stopped and (left := until - monotonic()) > 0:
                self._wake.wait(left)
            return not self._stopped

    def renew(self) -> None:
        """Let the claims last of all jobs that run here."""
        claims = {}
        for job in list(self._jobs.copy().values()):
            journal = job.journal
            if journal is not None and not journal.released and journal.opens is None:
                claims[journal.claim] = job
        if claims:
            lost = self._keeping.store.renew(list(claims), self._keeping.seconds)
            for claim, job in claims.items():
                if claim.job_id in lost:
                    self._keeping.committer.lost(job, claim)

    def look_at(self, job: Job) -> None:
        """Hear for the last time what was asked of a paused job before its claim was given up."""
        self._paused.append(job)

    def _hear(self) -> None:
        if self._jobs:
            for request in self._keeping.store.requests(self._keeping.owner):
                job = self._jobs.get(request.job_id)
                if job is not None and not job.ended:  # or else it is about to go on
                    job.hear(request)
        while self._paused:
            job = self._paused.popleft()
            try:
                self._hear_paused(job)
            except StoreUnavailable:
                self._paused.append(job)
                raise

    def _hear_paused(self, job: Job) -> None:
        store = self._keeping.store
        try:
            requests = store.waiting_requests(job.job_id)
            if requests and job.is_here and store.load(job.job_id).head.status is ExecutionStatus.PAUSED:
                for request in requests:
                    job.hear(request)
        except UnknownJob:
            log.debug("job %s was deleted while it was paused", job.job_id)
