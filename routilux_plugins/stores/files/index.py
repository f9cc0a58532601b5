"""Index: what is known of all jobs, in memory and in a log of its own that processes follow.

The logs of the jobs are what counts. An index that is missing, torn or damaged is made from them again; what
it alone has is how long claims were renewed.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from routilux_core import DamagedStore
from routilux_plugins.stores.files.disk import NEW
from routilux_plugins.stores.files.lock import Stamp
from routilux_plugins.stores.files.log import HEADER, Log, TornLog
from routilux_plugins.stores.files.record import Record, file_name

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from routilux_plugins.stores.files.frame import Meta
    from routilux_plugins.stores.files.shelf import Shelf

SPARE = 1_000_000
PER_JOB = 1000
"""The bytes after which an index is written anew: some, and so many for each job."""
NOWHERE = -1


class Index:
    """The records of a folder, which whoever has its lock brings up to date."""

    def __init__(self, store: str, path: Path, shelf: Shelf) -> None:
        self.store = store
        self.shelf = shelf
        self._path = path
        self._log: Log | None = None
        self._generation = NOWHERE
        self._size = 0
        self.records: dict[str, Record] = {}
        self.alive: set[str] = set()
        """The ids of the few that are looked at again and again."""
        self.damaged: dict[str, DamagedStore] = {}
        """By file name, what is wrong with the logs that cannot be read at all."""
        self.reported: set[str] = set()
        """The ids of jobs whose damage was told already."""

    def follow(self, stamp: Stamp) -> None:
        """Take in what others have written since."""
        if stamp.generation != self._generation:
            self.load()
            self._generation = stamp.generation
        elif stamp.size != self._size:
            self._read(stamp.size)

    def load(self) -> None:
        """Read the whole file; `DamagedStore` where it cannot be."""
        self.forget()
        try:
            self._log = Log.open(self.store, self._path)
        except (FileNotFoundError, TornLog) as error:
            raise DamagedStore(self.store, "it is not there", str(self._path)) from error
        for frame in self._log.follow(HEADER):
            self._apply(frame.meta)
        self._size = self._log.size()

    def forget(self) -> None:
        """Know nothing, so that all is read again."""
        if self._log is not None:
            self._log.close()
        self._log, self._generation = None, NOWHERE
        self.shelf.forget_all()
        self.records, self.alive = {}, set()

    def living(self) -> list[Record]:
        """Return the jobs that are not over, or that somebody has."""
        return [self.records[job_id] for job_id in self.alive]

    def note(self, record: Record) -> None:
        """Have a record that is new or has changed."""
        self.records[record.job_id] = record
        if record.alive:
            self.alive.add(record.job_id)
        else:
            self.alive.discard(record.job_id)

    def drop(self, job_id: str) -> None:
        """Have a record no more."""
        self.records.pop(job_id, None)
        self.alive.discard(job_id)
        self.shelf.forget(file_name(job_id))

    def write(self, changes: list[Meta]) -> Stamp:
        """Tell others what has changed here; return what is to be stamped."""
        log = self._opened()
        self._size = log.extend(changes, self._size)
        if self._size > SPARE + PER_JOB * len(self.records):
            return self.rewrite(self._generation + 1)
        return Stamp(False, self._generation, self._size)

    def undo(self, stamp: Stamp) -> bool:
        """Take away what was being written after that stamp; say whether that is all there is to do."""
        if (self._generation, self._size) != (stamp.generation, stamp.size):
            return False
        self._opened().cut(self._size)
        return True

    def keep(self, generation: int) -> Stamp:
        """Go on with the file that was loaded."""
        self._generation = generation
        return Stamp(False, generation, self._size)

    def rewrite(self, generation: int) -> Stamp:
        """Write what is known into a new file, without what was before."""
        new = self._path.with_name(self._path.name + NEW)
        new.unlink(missing_ok=True)
        log = Log.make(self.store, new)
        try:
            size = log.extend([listed(record) for record in self.records.values()], HEADER)
            new.replace(self._path)
        except BaseException:
            log.close()
            with suppress(OSError):
                new.unlink()
            raise
        log.path = self._path
        if self._log is not None:
            self._log.close()
        self._log, self._size, self._generation = log, size, generation
        return Stamp(False, generation, size)

    def missing(self, job_id: str) -> DamagedStore | None:
        """Return why a job that has a log is not known."""
        return self.damaged.get(file_name(job_id)) if self.damaged else None

    def _read(self, end: int) -> None:
        log = self._opened()
        with log.reader() as file:
            for frame in log.frames(file, self._size, end):
                self._apply(frame.meta)
        self._size = end

    def _apply(self, change: Meta) -> None:
        if "state" in change:
            self.note(Record.of(change["state"]))
        for job_id in change.get("gone", ()):
            self.drop(job_id)
        for job_id in change.get("renewed", ()):
            self.records[job_id].until = change["until"]

    def _opened(self) -> Log:
        if self._log is None:
            raise DamagedStore(self.store, "it is not there", str(self._path))
        return self._log


def listed(record: Record) -> Meta:
    """Return what the index says of a record."""
    return {"state": record.state()}


def gone(job_ids: Iterable[str]) -> Meta:
    """Return what the index says of jobs that were deleted."""
    return {"gone": [*job_ids]}
