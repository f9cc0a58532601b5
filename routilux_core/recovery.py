"""Recovery: takes up the jobs of a store that should run and that nobody has."""

from __future__ import annotations

import logging
import threading
from random import uniform
from time import monotonic
from typing import TYPE_CHECKING

from attrs import evolve

from routilux_core.errors import RoutiluxError
from routilux_core.owner import dead
from routilux_core.resuming import WAITED_FOR, resumed_job
from routilux_core.state import JobState
from routilux_core.status import ExecutionStatus
from routilux_core.store import Commit
from routilux_core.store_errors import ClaimRefused, StoreError, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from routilux_core.keeping import Keeping
    from routilux_core.manager import JobManager
    from routilux_core.store import Claim, Head, Listed

log = logging.getLogger("routilux.store")
PORTION = 20
"""So many jobs are claimed, or listed, at once."""
SPREAD = 0.3
"""A pause differs by up to this part of it, so that managers do not look all at once."""
UNFINISHED = (ExecutionStatus.PENDING, ExecutionStatus.RUNNING)


class Recovery:
    """Looks again and again in a thread of its own, and whenever it is told to."""

    def __init__(self, manager: JobManager, keeping: Keeping) -> None:
        self._manager = manager
        self._keeping = keeping
        self._seconds = manager.settings.scan_seconds
        self._most = manager.settings.max_jobs
        self._tried: set[tuple[str, str]] = set()
        """Jobs with their notes that this manager cannot do anything about either."""
        self._scanning = threading.Lock()
        """Held by whoever looks."""
        self._wake = threading.Condition(threading.Lock())
        """Its lock guards what follows."""
        self._stopped = False
        self._hungry = False
        """True when there was more to take up than there was room."""
        self._thread: threading.Thread | None = None
        if self._seconds is not None:
            self._thread = threading.Thread(target=self._run, name="routilux-recovery", daemon=True)
            self._thread.start()

    # -- looking -----------------------------------------------------------------------------------------

    def scan(self, *, thorough: bool = True, stray: bool = False) -> int:
        """Take up every job that nobody has who is still there, and return how many those were.

        A `thorough` look is also at jobs that others could not take up. Nobody waits for the end of `stray`
        ones.
        """
        with self._scanning:
            gone = dead(self._keeping.store.owners())
            count = 0
            while room := self._room():
                claims = self._keeping.claim_next(min(room, PORTION), gone)
                count += sum(self._take_up(claim, stray=stray) for claim in claims)
                if len(claims) < min(room, PORTION):
                    break
            else:
                self._hungry = True
            if thorough:
                count += self._scan_noted(stray=stray)
            return count

    def _room(self) -> int:
        if self._stopped or self._manager.closed:
            return 0
        return PORTION if self._most is None else max(0, self._most - len(self._manager.running_jobs))

    def _scan_noted(self, *, stray: bool) -> int:
        count = 0
        for listed in list(self._noted()):
            known = listed.job_id, listed.head.note
            if known in self._tried or not self._room():
                continue
            self._tried.add(known)
            try:
                self._manager.flow_of(listed.head.flow_id, listed.head.fingerprint)
                count += self._take_up(self._keeping.claim(listed.job_id), stray=stray)
            except RoutiluxError as error:
                log.debug("job %s is left alone again: %s", listed.job_id, error)
        return count

    def _noted(self) -> Iterator[Listed]:
        before = None
        while page := self._keeping.store.jobs(None, UNFINISHED, before, PORTION):
            yield from (
                listed
                for listed in page
                if listed.head.note and listed.owner is None and not listed.head.note.startswith(WAITED_FOR)
            )
            before = page[-1].head.created_at, page[-1].job_id

    # -- taking up ---------------------------------------------------------------------------------------

    def _take_up(self, claim: Claim, *, stray: bool) -> bool:
        """Let a job go on here; one that cannot is left as it is, with the reason."""
        head = None
        try:
            head = self._keeping.store.load(claim.job_id).head
            flow = self._manager.flow_of(head.flow_id, head.fingerprint)
            state = JobState(head.flow_id, claim.job_id)
            resumed_job(self._manager, flow, state, claim=claim, recovers=True)
            job = self._manager.get_job(claim.job_id)
            if job is not None:
                job.stray = stray
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - flows are made by users' classes
            log.warning("job %s cannot be taken up here: %s", claim.job_id, error)
            self._leave(claim, head, error)
            return False
        log.info("job %s of flow %s goes on here", claim.job_id, head.flow_id)
        return True

    def _leave(self, claim: Claim, head: Head | None, error: Exception) -> None:
        note = str(error) if isinstance(error, RoutiluxError) else f"{type(error).__name__}: {error}"
        self._tried.add((claim.job_id, note))
        store = self._keeping.store
        if head is None or self._manager.closed or isinstance(error, ClaimRefused):
            store.release([claim])
        else:
            store.commit([Commit(claim=claim, head=evolve(head, note=note), release=True)])

    # -- again and again ---------------------------------------------------------------------------------

    def has_room(self) -> None:
        """Hear that a job has left the manager: there may be another one to take up."""
        if self._hungry:
            with self._wake:
                self._wake.notify()

    def stop(self, timeout: float | None = None) -> None:
        """Look no more, waiting up to `timeout` for who does."""
        with self._wake:
            self._stopped = True
            self._wake.notify()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout)

    def _run(self) -> None:
        first = True
        while self._sleep(first=first):
            try:
                self.scan(thorough=first, stray=True)
                first = False
            except StoreUnavailable as error:
                log.debug("nobody could look for jobs: %s", error)
            except StoreError as error:
                log.warning("nobody could look for jobs: %s", error)
            except Exception:
                log.exception("nobody could look for jobs")

    def _sleep(self, *, first: bool) -> bool:
        seconds = self._seconds or 0.0
        until = monotonic() + uniform(0 if first else 1 - SPREAD, 1 + SPREAD) * seconds  # noqa: S311 - no secret
        with self._wake:
            while not self._stopped and (left := until - monotonic()) > 0:
                self._wake.wait(left)
                if self._hungry:
                    self._hungry = False
                    break
            return not self._stopped
