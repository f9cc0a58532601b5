"""Renewal: lets the claims of a manager last, and hears what others ask of its jobs."""

from __future__ import annotations

import logging
import threading
from collections import deque
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING

from routilux_core.job_errors import UnknownJob
from routilux_core.status import ExecutionStatus
from routilux_core.store_errors import StoreError, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

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
    """A thread of its own, there once the manager has a job in the store, or asks something of one."""

    def __init__(self, keeping: Keeping, jobs: dict[str, Job]) -> None:
        self._keeping = keeping
        self._jobs = jobs
        self._looks: deque[tuple[float, float, Callable[[], bool]]] = deque()
        """What else is to be looked at when requests are, from when on, and the pause until it is again."""
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
        self._looks.append((0.0, 0.0, partial(self._hear_paused, job)))

    def look_later(self, look: Callable[[], bool]) -> None:
        """Have a look taken at what was asked of a job elsewhere, when its owner should have heard of it.

        It is taken again, ever more rarely, while it returns True.
        """
        self.begin()
        self._looks.append((monotonic() + 2 * HEARING, 2 * HEARING, look))

    def _hear(self) -> None:
        if self._jobs:
            for request in self._keeping.store.requests(self._keeping.owner):
                job = self._jobs.get(request.job_id)
                if job is not None and not job.ended:  # or else it is about to go on
                    job.hear(request)
        for _ in range(len(self._looks)):
            at, pause, look = self._looks.popleft()
            try:
                if monotonic() < at:
                    self._looks.append((at, pause, look))
                elif look():
                    self._looks.append((monotonic() + pause, 2 * pause, look))
            except UnknownJob as error:
                log.debug("nobody will hear of what was asked: %s", error)
            except StoreUnavailable:
                self._looks.append((at, pause, look))
                raise

    def _hear_paused(self, job: Job) -> bool:
        store = self._keeping.store
        requests = store.waiting_requests(job.job_id)
        if requests and job.is_here and store.load(job.job_id).head.status is ExecutionStatus.PAUSED:
            for request in requests:
                job.hear(request)
        return False
