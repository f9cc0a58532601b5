"""Journal: what of a job is to be kept in a store, what is kept already, and what waits for that."""

from __future__ import annotations

from collections import deque
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from attrs import define, field

from routilux_core.activation import Activation
from routilux_core.committer import Committer
from routilux_core.entry_writer import SCHEMA, EntryWriter
from routilux_core.plain_bytes import dumps
from routilux_core.snapshot_document import write_snapshot
from routilux_core.status import SETTLED, ExecutionStatus
from routilux_core.store import Claim, Commit, Entry, Head, Snapshot
from routilux_core.urgency import Urgency

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LEAST = 256 * 1024
"""Bytes after the last snapshot from which another one is worth its while."""
ACTIVATION = 150
"""About so many bytes of a snapshot are for each activation that is pending."""
GROWTH = 4
"""What follows a snapshot may become so many times as large."""
MOST = 10_000
"""So many facts are not kept waiting for the end of a job."""


class Durability(StrEnum):
    """When what happens to a job is in its store."""

    SYNC = "sync"
    """Before anything runs that follows from it."""
    BATCH = "batch"
    """In order, a moment later."""
    EXIT = "exit"
    """When the job is paused or over."""


@define(eq=False, repr=False)
class Draft:
    """What was taken of a journal, to be written."""

    first: int
    last: int
    facts: list[Any]
    status: ExecutionStatus
    at: float
    snapshot: Snapshot | None
    before: int
    """How many of the facts, with their times, came before the snapshot."""
    handled: tuple[str, ...]
    leaving: bool


@define(eq=False, repr=False)
class Journal:
    """Written by whoever has the job's turn, sealed under the job's lock, taken by whoever commits."""

    writer: EntryWriter
    committer: Committer
    durability: Durability
    version: str
    """The name under which the store knows the job's flow."""
    claim: Claim
    opens: float | None = None
    """For how many seconds the job is claimed by its first commit, which takes it in."""
    closed: bool = False
    """True when nothing more will be kept: the job goes on elsewhere."""
    released: bool = False
    """True while the claim is given up: the job was paused, or is over."""
    kept: int = 0
    """The number of the last fact that is in the store."""
    sealed: int = 0
    """The number of the last fact that may be taken."""
    taken: int = 0
    """The number of the last fact that was taken."""
    awaited: bool = False
    """True while somebody waits for what is not kept yet."""
    marked: Urgency = Urgency.NONE
    """How soon the committer is going to write it."""
    scheduled: bool = False
    """True while that is soon at the latest."""
    leaving: bool = False
    """True when the claim is to be given up though the job is neither paused nor over."""
    left: bool = False
    """True when that was taken: done twice, it would be claimed in between."""
    note: str = ""
    """Why nobody can take the job up, where that is so."""
    answered: list[str] = field(factory=list)
    """The requests that were answered by what is not sealed yet."""
    heard: set[str] = field(factory=set)
    """The requests that have come."""
    weight: tuple[int, int] = (0, 0)
    """The bytes since the last snapshot, and those of that."""
    _handled: list[str] = field(factory=list)
    _pressing: bool = False
    _facts: list[Any] = field(factory=list)
    _status: ExecutionStatus = ExecutionStatus.PENDING
    _at: float = 0.0
    _fresh: Snapshot | None = None
    _snapshot: Snapshot | None = None
    _before: int = 0
    """How much of the facts came before it."""
    _held: deque[tuple[int, Activation, bool]] = field(factory=deque)

    # -- for whoever has the turn ------------------------------------------------------------------------

    @property
    def holds(self) -> bool:
        """True when work has to wait until what it follows from is kept."""
        return self.durability is Durability.SYNC

    @property
    def tells(self) -> int:
        """The number of the last fact that others may be told of."""
        return self.writer.data.number if self.durability is Durability.EXIT else self.kept

    @property
    def complete(self) -> bool:
        """True when everything that has happened is kept."""
        return self.kept >= self.writer.data.number and not self.opens

    @property
    def ripe(self) -> bool:
        """True when a snapshot is worth its while."""
        tail, size = self.weight
        if tail <= LEAST + GROWTH * size:
            return False
        return tail > GROWTH * ACTIVATION * len(self.writer.data.activations)

    def take_snapshot(self) -> None:
        """Write the job as it is now, without its history."""
        writer = self.writer
        content = write_snapshot(writer.data, writer.origins, writer.converter, writer.versions)
        self._fresh = Snapshot(writer.data.number, content)
        self.weight = 0, len(content)

    # -- under the job's lock ----------------------------------------------------------------------------

    def seal(self) -> None:
        """Let everything that has happened be taken."""
        writer = self.writer
        data = writer.data
        if writer.draft:
            self._facts += writer.cut()
            self._pressing = self._pressing or writer.pressing
            writer.pressing = False
        if self.answered:
            self._handled += self.answered
            self.answered = []
        self.sealed, self._status, self._at = data.number, data.status, data.updated_at
        if self._fresh is not None:
            self._snapshot, self._fresh = self._fresh, None
            self._before = len(self._facts)

    @property
    def urgency(self) -> Urgency:
        """How soon what is sealed wants to be written."""
        if self.closed:
            return Urgency.NONE
        if self.opens is not None or self._handled or (self.leaving and not self.left):
            return Urgency.NOW
        if self.sealed == self.taken:
            return Urgency.NONE
        if self._status in SETTLED:
            return Urgency.NOW
        if self.durability is Durability.EXIT:
            return Urgency.SOON if len(self._facts) > MOST else Urgency.NONE
        return Urgency.NOW if self._pressing and self.holds else Urgency.SOON

    def hold(self, work: Iterable[Activation], *, continuing: bool = False) -> None:
        """Let work wait until everything that has happened by now is kept."""
        number = self.writer.data.number
        self._held.extend((number, activation, continuing) for activation in work)

    def released_work(self) -> list[tuple[Activation, bool]]:
        """Return the work that need not wait any more, and whether it goes on with a generator."""
        found, held, kept = [], self._held, self.kept
        while held and held[0][0] <= kept:
            _, activation, continuing = held.popleft()
            found.append((activation, continuing))
        return found

    def drop(self) -> None:
        """Forget the work that waits: all that is pending is about to be ready anew."""
        self._held.clear()

    @property
    def waiting(self) -> bool:
        """True while work waits."""
        return bool(self._held)

    def take(self) -> Draft | None:
        """Take what is sealed; None where there is nothing to write."""
        self.marked = Urgency.SOON if self.scheduled else Urgency.NONE
        if self.urgency is Urgency.NONE:
            return None
        draft = Draft(
            first=self.taken + 1,
            last=self.sealed,
            facts=self._facts,
            status=self._status,
            at=self._at,
            snapshot=self._snapshot,
            before=self._before,
            handled=tuple(self._handled),
            leaving=self.leaving,
        )
        self._facts, self._snapshot, self._pressing = [], None, False
        self._handled.clear()
        self.taken, self.left = self.sealed, self.leaving
        return draft

    # -- for whoever commits -----------------------------------------------------------------------------

    def commit(self, draft: Draft) -> Commit:
        """Return what was taken as a store wants it."""
        data = self.writer.data
        entries = tuple(self._entries(draft))
        tail, size = self.weight
        self.weight = tail + sum(len(entry.content) for entry in entries), size
        status = ExecutionStatus.RUNNING if draft.status is ExecutionStatus.PAUSING else draft.status
        head = Head(
            flow_id=str(data.flow_id),
            fingerprint=self.version,
            status=status,
            created_at=data.created_at,
            updated_at=draft.at,
            note="" if status.final else self.note,
        )
        return Commit(
            claim=self.claim,
            head=head,
            entries=entries,
            snapshot=draft.snapshot,
            handled=draft.handled,
            opens=self.opens,
            release=draft.leaving or status in SETTLED,
        )

    def _entries(self, draft: Draft) -> Iterator[Entry]:
        """Give the facts, in two entries where a snapshot was taken between them."""
        first, facts, snapshot = draft.first, draft.facts, draft.snapshot
        if snapshot is not None and first <= snapshot.number < draft.last:
            yield Entry(first, snapshot.number, dumps([SCHEMA, *facts[: draft.before]]))
            first, facts = snapshot.number + 1, facts[draft.before :]
        if facts:
            yield Entry(first, draft.last, dumps([SCHEMA, *facts]))
