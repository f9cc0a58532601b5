"""Directory: jobs by their ids, those of this process and those of the store, whoever runs them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from routilux_core.closing import Closing
from routilux_core.errors import InvalidOption, MissingComponent, RoutiluxError, UnknownComponent
from routilux_core.identity import checked_id
from routilux_core.job_errors import NoStore, UnknownJob
from routilux_core.resuming import resumed_job
from routilux_core.state import JobState
from routilux_core.status import ExecutionStatus
from routilux_core.store_errors import ClaimLost, ClaimRefused, StoreError

if TYPE_CHECKING:
    from collections.abc import Collection

    from routilux_core.flow import Flow
    from routilux_core.history_page import HistoryPage
    from routilux_core.job import Job
    from routilux_core.job_summary import JobSummary
    from routilux_core.keeping import Keeping
    from routilux_core.recovery import Recovery
    from routilux_core.register import Register

PAGE = 1_000
MOST = 1 << 62
HOUR = 3_600.0
"""Seconds for which a version of a flow is kept that no job refers to, since its job may be about to come."""


class Directory(Closing):
    """What a manager does with a job of which it has the id."""

    register: Register | None = None
    """The jobs of the store, where there is one."""
    recovery: Recovery | None = None
    """What takes up jobs that nobody has."""

    def _open(self) -> None:
        if self.keeping is not None:
            from routilux_core.recovery import Recovery  # noqa: PLC0415 - costly, and only for jobs that are kept
            from routilux_core.register import Register  # noqa: PLC0415 - as above

            self.register = Register(self.keeping, self.converter)
            self.recovery = Recovery(self, self.keeping)  # type: ignore[arg-type]  # every one of us is a JobManager

    def _close(self, timeout: float | None) -> None:
        if self.recovery is not None:
            self.recovery.stop(timeout)

    def forget(self, job: Job) -> None:
        """Let a job go that is over or paused."""
        super().forget(job)
        if self.recovery is not None:
            self.recovery.has_room()

    # -- looking ---------------------------------------------------------------------------------------

    def get_job(self, job_id: str) -> Job | None:
        """Return the running job of that id, or None."""
        return self._jobs.get(job_id)

    def load(self, job_id: str) -> JobState:
        """Return the state of a job as the store has it; `UnknownJob` if it has none of that id.

        Of a long history only what resuming needs is read at once, the rest when somebody looks at it.
        """
        return self._registered(job_id).load(job_id)

    def jobs(
        self,
        flow_id: str | None = None,
        status: str | Collection[str] | None = None,
        before: JobSummary | None = None,
        limit: int = 100,
    ) -> list[JobSummary]:
        """Return up to `limit` jobs of the store, the latest first; `before` is the last of the page before.

        Without a store it lists the jobs of this process that are not over.
        """
        chosen = None if status is None else frozenset(_statuses(status))
        if flow_id is not None:
            checked_id("flow id", flow_id)
        limit = _count("limit", limit, 1)
        if before is not None and not hasattr(before, "position"):
            raise InvalidOption("before", before, "the last job of the page before, or None")
        if self.register is not None:
            return self.register.jobs(flow_id, chosen, before, limit)
        from routilux_core.job_summary import summary_of_state  # noqa: PLC0415 - costly, and seldom asked for

        found = [summary_of_state(job.job_state) for job in (*self.running_jobs, *self._paused.values())]
        found.sort(key=lambda one: one.position, reverse=True)
        return [
            one
            for one in found
            if flow_id in {None, one.flow_id}
            if chosen is None or one.status in chosen
            if before is None or one.position < before.position
        ][:limit]

    def history(self, job_id: str, after: int = 0, limit: int = PAGE) -> HistoryPage:
        """Return a page of a job's history from the store, without loading the rest."""
        after, limit = _count("after", after, 0), _count("limit", limit, 1)
        return self._registered(job_id).history(job_id, after, limit)

    # -- steering --------------------------------------------------------------------------------------

    def pause(
        self, job_id: str, reason: str = "", checkpoint: Any = None, timeout: float | None = None
    ) -> None:
        """Pause the job of that id. One that another process has is paused within about a second."""
        job = self._here(job_id)
        if job is None or self._passed_on(job):
            self._ask("pause", job_id, reason=reason, checkpoint=checkpoint)
        else:
            job.pause(reason, checkpoint, timeout)

    def resume(self, job_id: str) -> None:
        """Let the paused job of that id go on: here, if its flow is known here, else where it is."""
        job = self._here(job_id)
        if job is not None:
            try:
                job.resume()
            except ClaimRefused:
                self._ask("resume", job_id)
            return
        keeping = self._keeping_of(job_id)
        self.guard()
        head = keeping.patiently(keeping.store.load, job_id).head
        try:
            flow = self.flow_of(head.flow_id, head.fingerprint)
        except RoutiluxError:
            self._ask("resume", job_id)
            return
        try:
            resumed_job(self, flow, JobState(head.flow_id, job_id))  # type: ignore[arg-type]  # every one of us is a JobManager
        except ClaimRefused:
            self._ask("resume", job_id)

    def cancel(self, job_id: str, reason: str = "") -> None:
        """Cancel the job of that id, running or paused, wherever it is."""
        job = self._here(job_id)
        try:
            if job is not None:
                job.cancel(reason)
                return
        except (ClaimLost, ClaimRefused):
            self._kept(job_id)
        self._ask("cancel", job_id, reason=reason)

    def post(self, job_id: str, routine_id: str, slot: str = "trigger", /, **data: Any) -> None:
        """Send an event from outside to the job of that id; a paused one takes it up when it is resumed."""
        job = self._here(job_id)
        try:
            if job is not None:
                job.post(routine_id, slot, **data)
                return
        except (ClaimLost, ClaimRefused):
            self._kept(job_id)
        self._ask("post", job_id, routine_id=routine_id, slot=slot, data=data)

    def recover(self) -> int:
        """Take up every job of the store that nobody has who is still there; return how many those were."""
        self._kept("recover")
        return 0 if self.recovery is None else self.recovery.recover()

    def delete(self, job_id: str) -> None:
        """Forget a job of the store that is over or that nobody has."""
        keeping = self._keeping_of(job_id)
        keeping.once(keeping.store.delete, job_id, known=UnknownJob)

    def prune(self, before: datetime) -> int:
        """Forget the jobs of the store that are over since before that time; return how many those were."""
        keeping = self._kept("prune")
        at = _time("before", before)
        return keeping.patiently(keeping.store.prune, at, min(at, self.clock.time() - HOUR))

    # -- where jobs are --------------------------------------------------------------------------------

    def flow_of(self, flow_id: str, version: str) -> Flow:
        """Return the flow of a stored job: as the store has it, or else as it is registered here."""
        keeping = self._kept(flow_id)
        try:
            return keeping.versions.flow_of(flow_id, version)
        except StoreError:
            raise
        except RoutiluxError:
            try:
                return self.registry.flow(flow_id)
            except (MissingComponent, UnknownComponent):
                pass
            raise

    def _here(self, job_id: str) -> Job | None:
        """Return the job of that id that this manager has; None where its store is to be asked."""
        checked_id("job id", job_id)
        job = self._jobs.get(job_id) or self._paused.get(job_id)
        if self.keeping is None:
            if job is None:
                raise UnknownJob(job_id, (*self._jobs, *self._paused))
            return job
        return job if job is not None and job.is_here else None

    def _passed_on(self, job: Job) -> bool:
        """Tell whether a job that was paused here goes on elsewhere."""
        keeping = self.keeping
        if keeping is None or job.journal is None or job.status is not ExecutionStatus.PAUSED:
            return False
        head = keeping.patiently(keeping.store.load, job.job_id).head
        return head.status is not ExecutionStatus.PAUSED

    def _ask(self, kind: str, job_id: str, **values: Any) -> None:
        self._registered(job_id).ask(kind, job_id, self.clock.time(), **values)

    def _registered(self, job_id: str) -> Register:
        if self.register is None:
            raise NoStore(f"job {job_id!r}")
        checked_id("job id", job_id)
        return self.register

    def _keeping_of(self, job_id: str) -> Keeping:
        return self._kept(f"job {checked_id('job id', job_id)!r}")

    def _kept(self, what: str) -> Keeping:
        if self.keeping is None:
            raise NoStore(what)
        return self.keeping


def _count(name: str, value: object, least: int) -> int:
    """Return a number that every store can count to, and that no job or fact is beyond."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise InvalidOption(name, value, f"a whole number from {least} up")
    return min(value, MOST)


def _time(name: str, value: object) -> float:
    if not isinstance(value, datetime):
        raise InvalidOption(name, value, "a datetime")
    try:
        return value.timestamp()
    except (ValueError, OverflowError) as error:
        raise InvalidOption(name, value, "a datetime of the years 2 to 9998") from error


def _statuses(given: str | Collection[str]) -> list[ExecutionStatus]:
    names = [given] if isinstance(given, str) or not isinstance(given, Iterable) else list(given)
    for name in names:
        if name not in tuple(ExecutionStatus):
            raise InvalidOption("status", name, f"one of: {', '.join(ExecutionStatus)}")
    return [ExecutionStatus(name) for name in names]
