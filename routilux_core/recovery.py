"""Recovery: takes up the jobs of a store that should run and that nobody has."""

from __future__ import annotations

import logging
import threading
from random import uniform
from time import monotonic
from typing import TYPE_CHECKING

from attrs import evolve

from routilux_core.errors import DuplicateName, RoutiluxError
from routilux_core.job_errors import ManagerClosed, UnknownJob
from routilux_core.owner import dead
from routilux_core.resuming import outer_of, resumed_job
from routilux_core.state import JobState
from routilux_core.status import ExecutionStatus
from routilux_core.store import Commit
from routilux_core.store_errors import (
    ClaimLost,
    ClaimRefused,
    DamagedStore,
    NewerStore,
    StoreError,
    StoreUnavailable,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from routilux_core.keeping import Keeping
    from routilux_core.manager import JobManager
    from routilux_core.store import Claim, Head, Listed

log = logging.getLogger("routilux.store")
PORTION = 20
"""So many jobs are claimed at once, ..."""
PAGE = 500
"""... and so many listed."""
SHARE = 20
"""What others could not take up is looked for in a twentieth of the time at most."""
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
        """Held by whoever looks; it guards the next two."""
        self._held: list[Claim] = []
        """What was claimed and is not taken up; it is given up at the end of a look, not to come twice."""
        self._look_at = 0.0
        """When it is time again to look at what others could not take up."""
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

    def recover(self) -> int:
        """Take up every job that nobody has who is still there, and return how many those were.

        An outage is waited out.
        """
        taken: set[str] = set()
        self._keeping.patiently(self.scan, taken)
        return len(taken)

    def scan(self, taken: set[str], *, thorough: bool = True, stray: bool = False) -> None:
        """Take up what can be had now, and add its ids to `taken`.

        A `thorough` look is also at all jobs that others could not take up, or this manager before. Nobody
        waits for the end of `stray` ones.
        """
        with self._scanning:
            self._give_up()
            self._keeping.renewal.renew()  # what runs here is not to be taken for free
            gone = dead(self._keeping.store.owners())
            try:
                self._scan_free(gone, taken, stray=stray)
                if thorough or monotonic() >= self._look_at:
                    began = monotonic()
                    self._scan_noted(taken, thorough=thorough, stray=stray)
                    self._look_at = monotonic() + SHARE * (monotonic() - began)
            finally:
                self._give_up()

    def _give_up(self) -> None:
        """Release what was claimed and not taken up; in an outage it stays, for the next look to give up."""
        if self._held:
            self._keeping.store.release(self._held)
            self._held = []

    def _scan_free(self, gone: Collection[str], taken: set[str], *, stray: bool) -> None:
        while room := self._room():
            claims = self._keeping.claim_next(min(room, PORTION), gone)
            self._held += claims
            for claim in claims:
                self._take_up(claim, taken, stray=stray)
            if len(claims) < min(room, PORTION):
                return
        self._hungry = True

    def _room(self) -> int:
        if self._stopped or self._manager.closed:
            return 0
        return PORTION if self._most is None else max(0, self._most - len(self._manager.running_jobs))

    def _scan_noted(self, taken: set[str], *, thorough: bool, stray: bool) -> None:
        for listed in reversed(list(self._noted())):  # an outer job is older than its inner ones
            known = listed.job_id, listed.head.note
            if (known in self._tried and not thorough) or not self._room():
                continue
            try:
                if (outer := outer_of(listed.head.note)) is not None:
                    self._end_without(outer, listed.job_id)
                    continue
                self._manager.flow_of(listed.head.flow_id, listed.head.fingerprint)
                claim = self._keeping.claim(listed.job_id)
            except StoreUnavailable:
                raise
            except Exception as error:  # noqa: BLE001 - as in _take_up
                log.debug("job %s is left alone again: %s", listed.job_id, error)
            else:
                self._held.append(claim)
                self._take_up(claim, taken, stray=stray)
            self._tried.add(known)

    def _noted(self) -> Iterator[Listed]:
        before = None
        while page := self._keeping.store.jobs(None, UNFINISHED, before, PAGE):
            yield from (listed for listed in page if listed.head.note and listed.owner is None)
            before = page[-1].head.created_at, page[-1].job_id

    def _end_without(self, outer: str, job_id: str) -> None:
        """Cancel a job if the one whose handler waited for it is over, and will not ask for it again."""
        try:
            status = self._keeping.store.load(outer).head.status
        except UnknownJob:
            status = None
        if status is None or status.final:
            self._manager.cancel(job_id, f"the job that started it is {status or 'gone'}")

    # -- taking up ---------------------------------------------------------------------------------------

    def _take_up(self, claim: Claim, taken: set[str], *, stray: bool) -> None:
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
            self._leave(claim, head, error)
            return
        self._held.remove(claim)
        taken.add(claim.job_id)
        log.info("job %s of flow %s goes on here", claim.job_id, head.flow_id)

    def _leave(self, claim: Claim, head: Head | None, error: Exception) -> None:
        note = str(error) if isinstance(error, RoutiluxError) else f"{type(error).__name__}: {error}"
        known = claim.job_id, note
        level = logging.DEBUG if known in self._tried else logging.WARNING
        log.log(level, "job %s cannot be taken up here: %s", claim.job_id, error)
        self._tried.add(known)
        if head is not None and not self._manager.closed and not _passes(error):
            noted = Commit(claim=claim, head=evolve(head, note=note), release=True)
            self._keeping.store.commit([noted])
            self._held.remove(claim)

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
        self._keeping.closing.set()  # an outage is waited out no more
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout)

    def _run(self) -> None:
        first, known = True, ""
        while self._sleep(first=first):
            try:
                self.scan(set(), thorough=first, stray=True)
                first, known = False, ""
            except StoreUnavailable as error:
                log.debug("nobody could look for jobs: %s", error)
            except StoreError as error:
                level, known = (logging.DEBUG if str(error) == known else logging.WARNING), str(error)
                log.log(level, "nobody could look for jobs: %s", error)
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


def _passes(error: Exception) -> bool:
    """Tell whether an error says nothing of the job itself: it may be taken up when that has passed."""
    lasting = isinstance(error, (DamagedStore, NewerStore))
    return not lasting and isinstance(
        error, (StoreError, ClaimRefused, ClaimLost, DuplicateName, ManagerClosed)
    )
