"""Keeping: a manager's store, and how its jobs get there and come back."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING

from attrs import frozen

from routilux_core.apply import apply
from routilux_core.committer import Committer
from routilux_core.entry_writer import EntryWriter
from routilux_core.errors import DuplicateName
from routilux_core.facts import JobMoved
from routilux_core.job_data import FIELDS, JobData, copied
from routilux_core.job_errors import InvalidTransition, UnknownJob
from routilux_core.journal import Durability, Journal
from routilux_core.owner import dead, new_owner
from routilux_core.patience import Patience
from routilux_core.renewal import Renewal
from routilux_core.reservation import Reservations
from routilux_core.store import Claim
from routilux_core.store_errors import ClaimLost, ClaimRefused, StoreUnavailable
from routilux_core.stored_job import StoredJob, StoredJobs, trace
from routilux_core.version_shelf import VersionShelf

if TYPE_CHECKING:
    from collections.abc import Collection

    from routilux_core.convert import Converter
    from routilux_core.fact import Fact
    from routilux_core.job import Job
    from routilux_core.plan import Plan
    from routilux_core.settings import Settings
    from routilux_core.state import JobState
    from routilux_core.store import Store

PAUSE = 0.25
"""Seconds between two tries to claim a job that somebody has who may be gone."""


class Keeping(Patience):
    """The store of one manager, and how its jobs get there and come back."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        converter: Converter,
        running: dict[str, Job],
        *,
        owned: bool,
    ) -> None:
        super().__init__(settings.outage_seconds)
        self.store = store
        self._owned = owned
        self.owner = new_owner()
        self.seconds = settings.claim_seconds
        self.durability = Durability(settings.durability)
        self.committer = Committer(store, self.seconds, settings.outage_seconds)
        self.renewal = Renewal(self, running)
        self.reservations = Reservations(self.owner, running)
        self.versions = VersionShelf(store, self.patiently)
        self.jobs = StoredJobs(store, converter, self.versions.lines_of)
        self._converter = converter

    def close(self, timeout: float | None = None) -> None:
        """Write what is left, and let go of the store if it was opened for this manager."""
        self.closing.set()
        self.committer.stop(timeout)
        self.renewal.stop(timeout)
        if self._owned:
            self.store.close()

    # -- jobs that begin ---------------------------------------------------------------------------------

    def opening(self, plan: Plan, state: JobState) -> tuple[Journal, list[Fact]]:
        """Return the journal of a job that the store does not have, and what has happened to it by that.

        Its first commit takes it in.
        """
        claim = Claim(state.job_id, self.owner, 1)
        journal = self._journal(plan, state._data, claim)
        journal.opens = self.seconds
        history = list(state._history)
        data = state._data
        news: list[Fact] = []
        if data.number and (not history or history[0].number != 1):
            whole = {name: copied(name, getattr(data, name)) for name in FIELDS}
            moved = JobMoved(data.number + 1, data.updated_at, whole)
            apply(data, moved)
            data.number = moved.number
            state._history.append(moved)
            history = news = [moved]
        self._write_past(journal, data, history)
        return journal, news

    def _journal(self, plan: Plan, data: JobData, claim: Claim, before: str = "") -> Journal:
        version = self.versions.of(plan, before)
        writer = EntryWriter(self._converter, data, plan.ways, {version.lines: version.name})
        return Journal(writer, self.committer, self.durability, version.name, claim)

    def write(self, journal: Journal) -> None:
        """Write what has happened to a job that is not run."""
        journal.seal()
        draft = journal.take()
        if draft is not None and self.patiently(self.store.commit, [journal.commit(draft)]):
            raise ClaimLost(journal.claim.job_id)

    def submit(self, journal: Journal) -> None:
        """Hand a job in, for whoever takes it up."""
        journal.seal()
        draft = journal.take()
        if draft is not None:
            commit = journal.commit(draft)
            what = commit.claim.job_id, commit.head, commit.entries
            self.once(self.store.submit, *what, known=DuplicateName)

    def _write_past(self, journal: Journal, data: JobData, history: list[Fact]) -> None:
        """Write facts that have happened before, each over the data of its time."""
        writer = journal.writer
        if not history:
            return
        past = JobData(data.job_id, data.flow_id, data.root, data.created_at, data.created_at)
        past.number = history[0].number - 1
        writer.data = past
        for fact in history:
            writer.write(fact)
            apply(past, fact)
            trace(fact, writer.origins)
        writer.data = data
        journal.taken = history[0].number - 1

    # -- jobs that go on ---------------------------------------------------------------------------------

    def claim(self, job_id: str) -> Claim:
        """Claim a job that nobody has who is still there."""
        claim = partial(self.patiently, self.store.claim, job_id, self.owner, self.seconds)
        try:
            return claim()
        except ClaimRefused:
            gone = dead(self.patiently(self.store.owners))
            if not gone:
                raise
            return claim(gone)

    def give_up(self, claim: Claim) -> None:
        """Give a claim up; one that cannot be during an outage ends by itself."""
        with suppress(StoreUnavailable):
            self.store.release([claim])

    def _claim_at_last(self, job_id: str, until: float) -> Claim:
        """Claim a job that somebody has; wait for that claim to end, but not for the end of the job."""
        while True:
            try:
                return self.claim(job_id)
            except ClaimRefused:
                status = self.patiently(self.store.load, job_id).head.status
                if status.final:
                    raise InvalidTransition(job_id, str(status), "running", ()) from None
                if monotonic() > until or self.closing.wait(PAUSE):
                    raise

    def claim_next(self, limit: int, gone: Collection[str]) -> list[Claim]:
        """Claim jobs that should run and that nobody has who is still there."""
        return self.store.claim_next(self.owner, self.seconds, limit, None, gone)

    def recall(self, state: JobState, claim: Claim | None = None, *, waits: bool = False) -> Recalled | None:
        """Claim a job and bring its state to what the store has; None where the store does not have it.

        `claim` is one that the caller has, and sees to if this fails. Who `waits` does so for as long as a
        claim lasts that nobody renews. What was added to the state since it was loaded stays, if the job has
        not gone on meanwhile.
        """
        job, journal, given = state._job, None, claim is not None
        if job is not None and job.detached is None:
            job.wait_stored()  # what was added to a paused one
            journal = job.journal
        try:
            if claim is None:
                claim = self._claim_at_last(state.job_id, monotonic() + (self.seconds if waits else 0.0))
        except UnknownJob:
            return None
        if journal is not None and journal.complete and claim.epoch == journal.claim.epoch + 1:
            return Recalled(claim, journal.kept, journal.writer.origins, journal.version, journal.weight)
        try:
            stored = self.read(state.job_id)
        except BaseException:
            if not given:
                self.give_up(claim)
            raise
        number = stored.data.number
        if journal is not None and journal.complete and journal.kept == number:  # nobody has run it meanwhile
            return Recalled(claim, number, journal.writer.origins, journal.version, journal.weight)
        if job is not None or state._base != number:
            state.become(stored)
        version = "" if stored.head is None else stored.head.fingerprint
        return Recalled(claim, number, stored.origins, version, stored.weight)

    def read(self, job_id: str) -> StoredJob:
        """Return a job as the store has it."""
        stored = self.patiently(self.jobs.read, job_id)
        if stored.archive is not None:
            stored.archive = partial(self.patiently, stored.archive)
        return stored

    def going_on(self, plan: Plan, state: JobState, recalled: Recalled) -> Journal:
        """Return the journal of a job that was recalled."""
        data = state._data
        journal = self._journal(plan, data, recalled.claim, recalled.version)
        journal.writer.origins = recalled.origins
        journal.weight = recalled.weight
        journal.kept = journal.taken = journal.sealed = recalled.number
        for fact in list(state._history):
            if fact.number > recalled.number:
                journal.writer.write(fact)
        return journal


@frozen(eq=False, repr=False)
class Recalled:
    """A job that this manager has claimed."""

    claim: Claim
    number: int
    """Of the last fact that the store has."""
    origins: dict[int, int]
    version: str
    """The name of the one that it was run as until now."""
    weight: tuple[int, int]
    """The bytes of what came after its last snapshot, and of that."""
