"""The Store contract: where jobs are kept, so that they survive their process and move to another.

A store keeps bytes and knows nothing of what they mean; the core encodes. What it does know is who may
write: every job has a *claim* with an owner, an epoch and a time at which it ends, and every write is
refused whose claim is not the job's present one. Claims end by the store's own clock; the times of a `Head`
are kept as they are given. Every method may be called from any thread. When a method has returned, what it
did is kept; when it raises, that has not happened, or has happened whole. A store raises `StoreUnavailable`
for an outage that may pass, another `StoreError` otherwise. What was asked during an outage may be asked
again: that is why commits and requests that come twice count once.

What is made for every commit are plain attrs classes, treated as frozen: frozen ones cost a microsecond each.
Ids have the grammar of job and flow ids. A store may refuse others with `InvalidName`, and is never harmed by
them. All other text may hold any character, contents any bytes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from attrs import define, frozen

from routilux_core.standing import Standing
from routilux_core.status import ExecutionStatus

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence


@frozen
class Claim:
    """The right of one owner to write one job."""

    job_id: str
    owner: str
    epoch: int
    """Grows by one with each claim of the job, and is never used twice."""


@define
class Entry:
    """One piece of a job's journal: the facts of one commit."""

    first: int
    """The number of its first fact."""
    last: int
    content: bytes


@frozen
class Snapshot:
    """A job as it was after a fact, without its history."""

    number: int
    """Of the last fact that is in it."""
    content: bytes


@define(kw_only=True)
class Head:
    """What a store lists a job by."""

    flow_id: str
    fingerprint: str
    """Which version of the flow it runs; the name under which `save_flow` keeps that."""
    status: ExecutionStatus
    created_at: float
    updated_at: float
    note: str = ""
    """Why nobody can take it up, where that is so."""


@define(kw_only=True)
class Commit:
    """What one job has to write: all of it or nothing."""

    claim: Claim
    head: Head
    entries: tuple[Entry, ...] = ()
    snapshot: Snapshot | None = None
    handled: tuple[str, ...] = ()
    """The ids of the requests that these entries answer; they are gone with the commit."""
    opens: float | None = None
    """Take the job in as a new one, and claim it for so many seconds; the claim's epoch is 1."""
    release: bool = False
    """The claim is given up with it."""

    def standing(
        self, head: Head | None, last: int = 0, epoch: int = 0, owner: str | None = None
    ) -> Standing:
        """Say what this is to a job with that head, whose last fact has that number; None for no such job.

        The epoch is that of its last claim, the owner the one that has not given it up.
        """
        if head is None:
            if self.opens is None:
                return Standing.LOST
            last = self.entries[0].first - 1 if self.entries else last
        elif found := self._settled(head, last, epoch, owner):
            return found
        for entry in self.entries:
            if entry.first != last + 1:
                return Standing.ASTRAY
            last = entry.last
        return Standing.NEW

    def _settled(self, head: Head, last: int, epoch: int, owner: str | None) -> Standing | None:
        """Say what this is to a job that is there, where nothing is to be written."""
        afterwards = None if self.release else self.claim.owner
        if epoch != self.claim.epoch or owner not in {self.claim.owner, afterwards}:
            return Standing.LOST
        there = self.entries[-1].last <= last if self.entries else head == self.head
        if self.opens is not None:  # another job of that id was made at another time
            there = there and owner == afterwards and head.created_at == self.head.created_at
        if self.opens is not None or owner is None:
            return Standing.REPEATED if there else Standing.LOST
        if there and (self.entries or (head.status.final and not self.release)):
            return Standing.REPEATED
        return Standing.LOST if head.status.final and not there else None


@frozen(kw_only=True)
class Request:
    """What somebody elsewhere asks of a job: pause, resume, cancel, post."""

    job_id: str
    request_id: str
    kind: str
    content: bytes


@frozen(kw_only=True)
class Listed:
    """A job as a list shows it."""

    job_id: str
    head: Head
    owner: str | None
    """Who has claimed it, if that claim has not ended."""


@frozen(kw_only=True)
class Kept:
    """A job as it is loaded: its last snapshot and the entries after it."""

    head: Head
    snapshot: Snapshot | None
    entries: tuple[Entry, ...]
    epoch: int
    """Of the last claim; 0 if nobody has ever claimed it."""


class Store(ABC):
    """Keeps jobs and flows. Authors of one run `routilux_core.testing.StoreContract` on it."""

    # -- claims ----------------------------------------------------------------------------------------

    @abstractmethod
    def submit(
        self, job_id: str, head: Head, entries: Sequence[Entry], snapshot: Snapshot | None = None
    ) -> None:
        """Take in a new job that nobody has claimed; `DuplicateName` if there is one of that id.

        A job that has been somewhere before comes with a snapshot, and with the entries of its history, or
        with those alone that come after the snapshot. So does one that a commit opens.
        """

    @abstractmethod
    def claim(self, job_id: str, owner: str, seconds: float, dead: Collection[str] = ()) -> Claim:
        """Claim a job for so many seconds, if nobody else has it, or only one of the `dead` owners has.

        A new claim has a new epoch, also for the same owner, whose former claim ends. `UnknownJob` if there
        is none of that id, `ClaimRefused` if its status is final, or with the present owner if it is claimed.
        """

    @abstractmethod
    def claim_next(
        self,
        owner: str,
        seconds: float,
        limit: int,
        flows: Collection[str] | None = None,
        dead: Collection[str] = (),
    ) -> list[Claim]:
        """Claim up to `limit` jobs, oldest first, that are pending or running and nobody has.

        Those are the ones never claimed, those whose claim was released or has ended, and those of `dead`
        owners; of the flows named, where `flows` is given. What the owner has itself is not among them.
        Paused jobs wait for their resume, and jobs whose head has a note wait for somebody who knows more.
        """

    @abstractmethod
    def renew(self, claims: Collection[Claim], seconds: float) -> set[str]:
        """Let claims last for so many seconds from now; return the ids of those that were lost.

        A claim whose time has run out is renewed all the same if nobody has claimed the job since. One that
        was released is lost.
        """

    @abstractmethod
    def release(self, claims: Collection[Claim]) -> None:
        """Give claims up; the epochs stay known. Claims that were lost are passed over."""

    @abstractmethod
    def owners(self) -> set[str]:
        """Return all owners of claims that have not ended."""

    # -- writing ---------------------------------------------------------------------------------------

    @abstractmethod
    def commit(self, batch: Sequence[Commit]) -> set[str]:
        """Write for many jobs in one transaction; return the ids of those whose claim was lost.

        For these nothing is written, and the others are not harmed. A commit that opens a job is lost if its
        id is taken. A claim whose time has run out still holds if nobody has claimed the job since. A final
        status is never changed by anything: such a commit counts as lost. One that was written already counts
        as written; if it gave the claim up, as long as nobody has claimed the job since. Entries go on where
        the job's last one ended: where they do not, somebody has made a mistake, and the whole batch is
        refused with a `StoreError`. `Commit.standing` tells these cases apart. A job stands in a batch once.
        """

    # -- requests --------------------------------------------------------------------------------------

    @abstractmethod
    def request(self, job_id: str, kind: str, content: bytes, request_id: str) -> None:
        """Leave a request for whoever has the job, or will have it.

        A `request_id` that the job has had before is passed over, also when that request was handled long
        ago. `UnknownJob` if there is no such job, `ClaimRefused` if its status is final.
        """

    @abstractmethod
    def requests(self, owner: str) -> list[Request]:
        """Return the requests that wait for the jobs of an owner, those of each job in the order they came.

        A job is its owner's also when the claim's time has run out, while nobody else has claimed it.
        """

    @abstractmethod
    def waiting_requests(self, job_id: str) -> list[Request]:
        """Return the requests that wait for one job, in the order they came; `UnknownJob` if none."""

    # -- reading ---------------------------------------------------------------------------------------

    @abstractmethod
    def load(self, job_id: str) -> Kept:
        """Return the last snapshot of a job and the entries after it; `UnknownJob` if there is none."""

    @abstractmethod
    def history(self, job_id: str, after: int = 0, limit: int = 100) -> list[Entry]:
        """Return up to `limit` entries whose last fact comes after that number, from the first on.

        Snapshots take nothing away from it. `UnknownJob` if there is no such job.
        """

    @abstractmethod
    def jobs(
        self,
        flow_id: str | None = None,
        status: Collection[ExecutionStatus] | None = None,
        before: tuple[float, str] | None = None,
        limit: int = 100,
    ) -> list[Listed]:
        """Return up to `limit` jobs, the latest first, ordered by `created_at` and id.

        `before` is those two of the last one of the page before.
        """

    # -- flows -----------------------------------------------------------------------------------------

    @abstractmethod
    def save_flow(self, flow_id: str, fingerprint: str, document: bytes) -> None:
        """Keep the document of a flow as it is at that version; saving it again makes it new for `prune`."""

    @abstractmethod
    def load_flow(self, flow_id: str, fingerprint: str) -> bytes | None:
        """Return the document of that version of a flow, or None."""

    # -- the end ---------------------------------------------------------------------------------------

    @abstractmethod
    def delete(self, job_id: str) -> None:
        """Forget a job whose status is final or that nobody has claimed; `ClaimRefused` otherwise.

        `UnknownJob` if there is none of that id.
        """

    @abstractmethod
    def prune(self, before: float, saved_before: float) -> int:
        """Forget the jobs of final status last changed before that time; return how many those were.

        Flow documents that no job refers to are forgotten too, if they were last saved before `saved_before`.
        Who leaves some time there keeps those whose job is about to come.
        """

    @abstractmethod
    def close(self) -> None:
        """Let go of files and connections. May be called again; everything else then raises `StoreError`."""
