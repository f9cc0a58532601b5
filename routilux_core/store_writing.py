"""StoreWriting: what was taken of jobs on its way into their store: claims, commits, outages."""

from __future__ import annotations

import logging
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol

from attrs import define, evolve, frozen

from routilux_core.errors import DuplicateName, RoutiluxError
from routilux_core.job_errors import UnknownJob
from routilux_core.store_errors import ClaimLost, ClaimRefused, StoreError, StoreUnavailable

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from routilux_core.store import Store

log = logging.getLogger("routilux.store")


class Written(Protocol):
    """A job, as those see it who write it."""

    @property
    def lock(self) -> AbstractContextManager[object]:
        """Guards the journal."""

    epoch: int
    """That of its claim."""

    @property
    def journal(self) -> Any:
        """Its journal."""

    def stored(self, number: int) -> None:
        """Hear that everything up to that fact is kept. Called with no lock held."""

    def detach(self, error: BaseException) -> None:
        """Hear that nothing more will be kept. Called likewise."""


@frozen(eq=False, repr=False)
class Tiding:
    """What became of what was taken of one job."""

    job: Written
    number: int
    """Of the last fact that is kept by it."""
    error: BaseException | None = None

    def tell(self) -> None:
        """Let the job know."""
        if self.error is None:
            self.job.stored(self.number)
        else:
            self.job.detach(self.error)


@define(eq=False, repr=False)
class _Write:
    job: Any
    draft: Any
    commit: Any = None
    """Made when the job's claim is certain."""
    failed: bool = False
    regained: bool = False
    """True when its claim was lost and is there again."""


class StoreWriting:
    """Writes for one thread at a time, and gives back what the jobs are to be told when it lets others in."""

    def __init__(self, store: Store, seconds: float, patience: float) -> None:
        self._store = store
        self._seconds = seconds
        """How long claims last."""
        self.patience = patience
        """How long an outage is waited out."""
        self.unsure: list[_Write] = []
        """What was to be written when the outage began."""
        self.given_up: BaseException | None = None
        """The outage that has just become too long."""
        self._failing_since = 0.0
        self._tidings: list[Tiding] = []

    def write(self, taken: list[tuple[Written, Any]]) -> list[Tiding]:
        """Write what was taken of some jobs, in one transaction."""
        if taken:
            self._write([_Write(job, draft) for job, draft in taken])
        return self._told()

    def write_again(self) -> list[Tiding]:
        """Try again what was to be written when an outage began."""
        again, self.unsure = self.unsure, []
        self._write(again)
        return self._told()

    def _told(self) -> list[Tiding]:
        tidings, self._tidings = self._tidings, []
        return tidings

    def _write(self, batch: list[_Write]) -> None:
        try:
            ready = [one for one in batch if self._ready(one)]
            lost = self._store.commit([one.commit for one in ready])
            gone = [one.commit.claim.job_id in lost for one in ready]
        except StoreUnavailable as error:
            self._put_off([one for one in batch if not one.failed], error)
        except Exception as error:  # noqa: BLE001 - whatever a store raises, its job is told
            if len(batch) == 1:
                self._fail(batch[0], error)
                return
            for number, one in enumerate(batch):  # to see which it is
                if self.unsure:
                    self.unsure += batch[number:]
                    return
                if not one.failed:
                    self._write([one])
        else:
            self._failing_since = 0.0
            for one, is_lost in zip(ready, gone, strict=True):
                (self._lost if is_lost else self._done)(one)

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
                if claim.epoch != old.epoch + 1 and self._last(old.job_id) != one.draft.first - 1:
                    self._store.release([claim])  # somebody has had it since
                    self._fail(one, ClaimLost(old.job_id))
                    return False
                journal.claim, journal.released = claim, False
            one.commit = journal.commit(one.draft)
        return not one.failed

    def _last(self, job_id: str) -> int:
        """Return the number of the last fact of a job that the store has, whoever has written it."""
        there = self._store.load(job_id)
        if there.entries:
            return there.entries[-1].last
        return there.snapshot.number if there.snapshot else 0

    def _done(self, one: _Write) -> None:
        one.job.journal.opens, one.job.journal.released = None, one.commit.release
        self._tidings.append(Tiding(one.job, one.draft.last))

    def _lost(self, one: _Write) -> None:
        """Fail what was refused, unless nobody else has had the job: our own claim may have come late."""
        job, draft, commit = one.job, one.draft, one.commit
        job_id = commit.claim.job_id
        if commit.opens is not None:
            self._fail(one, DuplicateName("job", job_id, "the store"))
            return
        try:
            last = None if one.regained else self.regain(job, draft.first - 1, draft.last)
        except StoreUnavailable as error:
            self._put_off([one], error)
        except Exception as error:  # noqa: BLE001 - as in _write
            self._fail(one, error)
        else:
            if last is None:
                self._fail(one, ClaimLost(job_id))
                return
            entries = commit.entries if last < draft.last else ()  # or else it had come through before
            one.regained, one.commit = True, evolve(commit, claim=job.journal.claim, entries=entries)
            self._write([one])

    def regain(self, job: Written, *known: int) -> int | None:
        """Claim a job once more, and return the number of the last fact that the store has of it.

        None if somebody else has it, or has had it: that number is none of the known ones.
        """
        claim = job.journal.claim
        try:
            claim = self._store.claim(claim.job_id, claim.owner, self._seconds)
        except (ClaimRefused, UnknownJob):
            return None
        last = self._last(claim.job_id)
        if last not in known:
            self._store.release([claim])
            return None
        job.journal.claim, job.epoch = claim, claim.epoch
        return last

    def lost(self, job: Written) -> Exception | None:
        """Say why a job is to be let go whose claim is not there any more; None if it is there again."""
        try:
            return (
                ClaimLost(job.journal.claim.job_id) if self.regain(job, job.journal.taken) is None else None
            )
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - as in _write
            return _named(job, error)

    def _fail(self, one: _Write, error: Exception) -> None:
        one.failed = True
        self._tidings.append(Tiding(one.job, 0, _named(one.job, error)))

    def _put_off(self, batch: list[_Write], error: StoreUnavailable) -> None:
        """Keep what could not be written; give it up when the outage has lasted too long."""
        now = monotonic()
        if not self._failing_since:
            self._failing_since = now
            log.warning("%s; what happens to jobs is kept here until it answers", error)
        if now - self._failing_since < self.patience:
            self.unsure += batch
            return
        log.error("%s; its jobs are given up here, as the store has them", error)
        self._failing_since, self.given_up = 0.0, error
        for one in batch:
            self._fail(one, error)


def _named(job: Written, error: Exception) -> Exception:
    """Return the error that a job is told of; one that is none of ours would name neither store nor job."""
    if isinstance(error, RoutiluxError):
        return error
    job_id = job.journal.claim.job_id
    found = StoreError(f"of job {job_id!r}", f"it raised {type(error).__name__}: {error}")
    found.__cause__ = error
    return found
