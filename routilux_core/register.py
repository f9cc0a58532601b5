"""Register: the jobs of a manager's store, whoever runs them."""

from __future__ import annotations

import logging
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from attrs import evolve

from routilux_core import facts
from routilux_core.activation_document import Writer
from routilux_core.apply import apply
from routilux_core.entry_writer import EntryWriter
from routilux_core.history_page import HistoryReader
from routilux_core.identity import new_id
from routilux_core.job_errors import InvalidTransition
from routilux_core.job_summary import JobSummary, summary_of_listed
from routilux_core.journal import Durability, Journal
from routilux_core.request_document import CANCEL, PAUSE, POST, RESUME, write_request
from routilux_core.standstill import LIVE, stand_still
from routilux_core.state import JobState
from routilux_core.status import MOVES, ExecutionStatus
from routilux_core.store_errors import ClaimRefused

if TYPE_CHECKING:
    from collections.abc import Collection

    from routilux_core.convert import Converter
    from routilux_core.fact import Fact
    from routilux_core.history_page import HistoryPage
    from routilux_core.keeping import Keeping
    from routilux_core.store import Claim
    from routilux_core.stored_job import StoredJob

log = logging.getLogger("routilux.store")
WANTED = {PAUSE: "paused", RESUME: "running", CANCEL: "cancelled", POST: "posted to"}


class Register:
    """Lists and reads jobs, and asks things of those that other processes have."""

    def __init__(self, keeping: Keeping, converter: Converter) -> None:
        self._keeping = keeping
        self._store = keeping.store
        self._converter = converter

    # -- reading -----------------------------------------------------------------------------------------

    def load(self, job_id: str) -> JobState:
        """Return a job's state as the store has it."""
        stored = self._keeping.read(job_id)
        state = JobState(stored.data.flow_id, job_id)
        state.become(stored)
        return state

    def jobs(
        self,
        flow_id: str | None,
        status: Collection[ExecutionStatus] | None,
        before: JobSummary | None,
        limit: int,
    ) -> list[JobSummary]:
        """Return a page of jobs, the latest first."""
        last = None if before is None else before.position
        page = self._keeping.patiently(self._store.jobs, flow_id, status, last, limit)
        return [summary_of_listed(listed) for listed in page]

    def history(self, job_id: str, after: int, limit: int) -> HistoryPage:
        """Return a page of a job's history."""
        reader = HistoryReader(self._store, job_id, self._converter)
        return self._keeping.patiently(reader.page, after, limit)

    # -- asking ------------------------------------------------------------------------------------------

    def ask(self, kind: str, job_id: str, now: float, **values: Any) -> None:
        """Ask something of a job that another process has, or will have.

        It is obeyed within about a second. What does not need the job's routines is done here, at once, if
        nobody has the job.
        """
        content, request_id = write_request(kind, values, Writer(self._converter)), new_id()
        try:
            self._keeping.patiently(self._store.request, job_id, kind, content, request_id)
        except ClaimRefused:
            status = self._keeping.patiently(self._store.load, job_id).head.status
            if WANTED[kind] != status:
                raise _refusal(job_id, status, kind) from None
            return
        if kind != POST:
            with (
                suppress(ClaimRefused),
                self._keeping.reservations.of(job_id),
            ):  # whoever has it will hear of it
                self._do(kind, job_id, request_id, now, **values)
                return
        self._keeping.renewal.look_later(partial(self._follow, kind, job_id, request_id))

    def _follow(self, kind: str, job_id: str, request_id: str) -> bool:
        """Say so when a job was over before its owner heard of a request; True while that may happen."""
        if all(request.request_id != request_id for request in self._store.waiting_requests(job_id)):
            return False
        status = self._store.load(job_id).head.status
        if status.final and WANTED[kind] != status:
            error = _refusal(job_id, status, kind)
            log.warning("job %s: a request to %s came too late: %s", job_id, kind, error)
        return status is ExecutionStatus.RUNNING

    def _do(self, kind: str, job_id: str, request_id: str, now: float, **values: Any) -> None:
        claim = self._keeping.claim(job_id)
        try:
            stored = self._keeping.read(job_id)
            self._write(claim, stored, kind, request_id, now, **values)
        except BaseException:
            self._store.release([claim])
            raise
        if kind == PAUSE and stored.data.status is ExecutionStatus.PENDING:
            raise _refusal(job_id, stored.data.status, kind)

    def _write(
        self, claim: Claim, stored: StoredJob, kind: str, request_id: str, now: float, **values: Any
    ) -> None:
        data, head = stored.data, stored.head
        if head is None:
            return
        writer = EntryWriter(self._converter, data, {}, {data.fingerprint: head.fingerprint})
        writer.origins = stored.origins
        journal = Journal(writer, self._keeping.committer, Durability.SYNC, head.fingerprint, claim)
        journal.kept = journal.taken = journal.sealed = data.number
        journal.note = "" if kind == RESUME else head.note
        journal.answered.append(request_id)
        at = max(now, data.updated_at)
        if kind == PAUSE and data.status is ExecutionStatus.RUNNING:
            _happen(writer, facts.PauseRequested(0, 0.0, values["reason"], values["checkpoint"]), at)
        if data.status in LIVE and kind in {PAUSE, CANCEL}:
            for fact in stand_still(data, "nobody had it"):
                writer.write(fact)
        if kind == CANCEL and not data.status.final:
            _happen(writer, facts.JobCancelled(0, 0.0, values["reason"]), at)
        journal.leaving = True
        journal.seal()
        draft = journal.take()
        if draft is not None:
            commit = journal.commit(draft)
            if kind == RESUME and not data.status.final:  # whoever looks for work finds it
                commit = evolve(commit, head=evolve(commit.head, status=ExecutionStatus.RUNNING))
            self._keeping.patiently(self._store.commit, [commit])


def _refusal(job_id: str, status: ExecutionStatus, kind: str) -> InvalidTransition:
    return InvalidTransition(job_id, str(status), WANTED[kind], tuple(sorted(MOVES[status])))


def _happen(writer: EntryWriter, fact: Fact, at: float) -> None:
    fact.number, fact.at = writer.data.number + 1, at
    writer.write(fact)
    apply(writer.data, fact)
