"""Closing: how a manager ends: its jobs first, then its threads."""

from __future__ import annotations

import logging
from abc import abstractmethod
from threading import get_ident
from time import monotonic
from typing import TYPE_CHECKING

from routilux_core.current import CONTEXT
from routilux_core.job_errors import InsideJob, JobLeft
from routilux_core.store_errors import StoreError
from routilux_core.workplace import Workplace, stands_still, time_left

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from routilux_core.job import Job

log = logging.getLogger("routilux")
GRACE = 0.5
"""Seconds that a handler has to return when its manager does not wait for it."""


class Closing(Workplace):
    """A workplace that can be shut down."""

    @property
    def closed(self) -> bool:
        """True from the moment when it takes no more jobs."""
        return self._closed

    def shutdown(self, wait: bool = True, timeout: float | None = None) -> None:
        """Take no more jobs, wait for those that run, cancel what is left at `timeout`, and end all threads.

        With `wait=False` what runs is cancelled at once. Jobs that are kept in a store are not cancelled, but
        left there, for others to go on with. May be called again. From a handler or a monitor of a job that
        runs here it is refused with `InsideJob`, and nothing is changed.
        """
        context = CONTEXT.get()
        if context is not None and context.manager is self:
            reason = "it would wait for the handler that called it; let the handler return first"
            raise InsideJob("shutdown", reason)
        for job in self.running_jobs:
            if wait or job.turning == get_ident():
                job.refuse_waiting("shutdown")
        with self._lock:
            self._closed = True
        try:
            self._leave(job for job in self.running_jobs if job.stray)
            if not (wait and self.wait_for_all_jobs(timeout)):
                self._cancel_all()
        except KeyboardInterrupt:
            self._cancel_all()
            self._end(GRACE)
            raise
        self._end(timeout if wait else GRACE)

    def _leave(self, jobs: Iterable[Job]) -> None:
        """Leave jobs to their store, as soon as their handlers have returned or their time is up."""
        left = [job for job in jobs if job.journal is not None]
        for job in left:
            job.leave()
        until = monotonic() + GRACE
        self.part_with([job for job in left if not stands_still(job, until)])

    def part_with(self, jobs: Collection[Job], why: BaseException | None = None) -> None:
        """Let jobs go on elsewhere at once: what their handlers still do is refused, and done again there."""
        for job in jobs:
            job.detach(why or JobLeft(job.job_id))
        if jobs and self.keeping is not None:
            try:
                self.keeping.committer.give_up([job.journal.claim for job in jobs if job.journal is not None])
            except StoreError as error:
                log.warning("%d claims were not given up, and end by themselves: %s", len(jobs), error)

    def _cancel_all(self) -> None:
        self._leave(self.running_jobs)
        left = self.running_jobs
        for job in left:
            job.cancel_quietly("the job manager shut down")
        if left:
            log.warning("%d jobs were cancelled because their job manager shut down", len(left))

    def _end(self, limit: float | None) -> None:
        """End all threads, waiting up to `limit` for all of them together."""
        with self._lock:
            told, self._told = self._told, True
        until = None if limit is None else monotonic() + limit
        if not told:
            more = self.monitors.close(limit)
            self.hooks.closing(self, more)  # type: ignore[arg-type]  # every one of us is a JobManager
        for executor in self._executors.close():
            executor.stop(time_left(until))
        self.timers.stop()
        self.clerk.stop(time_left(until))
        self.loop.stop(time_left(until))
        self._close(time_left(until))
        if self.keeping is not None:
            self.keeping.close(time_left(until))
            for job in list(self._paused.values()):
                job.part()
        if self._guarded:
            self._guarded = False
            self.interrupts.release()

    @abstractmethod
    def _close(self, timeout: float | None) -> None:
        """Begin nothing more, waiting up to `timeout` for what was begun."""
