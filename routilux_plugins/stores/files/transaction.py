"""Transaction: what one thread does while it has the folder for itself."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

from attrs import evolve

from routilux_core import DamagedStore, DuplicateName, UnknownJob
from routilux_plugins.stores.files.disk import sync_folder
from routilux_plugins.stores.files.index import gone, listed
from routilux_plugins.stores.files.record import Record, file_name, write_head
from routilux_plugins.stores.files.repair import catch_up, snapshot_name
from routilux_plugins.stores.files.sheet import write_sheet

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from routilux_core import Entry, Head, Snapshot
    from routilux_plugins.stores.files.folder import Folder
    from routilux_plugins.stores.files.frame import Meta
    from routilux_plugins.stores.files.lock import Stamp
    from routilux_plugins.stores.files.log import Log


class Transaction:
    """Appends to the logs of jobs, and tells the index in the end what others need to know."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        self.index = folder.index
        self.now = time.time()
        self._before: Stamp | None = None
        """What was stamped before logs and index began to differ, if they have."""
        self._listed: dict[str, Record] = {}
        self._changes: list[Meta] = []
        self._removed = False
        self._opened = False
        """Whether there are new logs."""
        self._written: list[tuple[str, int]] = []
        """Logs by name, and how long they were."""
        self._made: list[Path] = []
        self._needless: list[Path] = []
        """Files that nobody needs when all is written."""

    def find(self, job_id: str) -> Record:
        """Return a job as its log has it; `UnknownJob` if there is none."""
        record = self.index.records.get(job_id)
        if record is None:
            raise self.index.missing(job_id) or UnknownJob(job_id, ())
        log = self.log(record)
        if log.size() != record.size:
            found = catch_up(log, record)
            if found is None:
                raise UnknownJob(job_id, ())
            self.index.note(found)
            return found
        return record

    def taken(self, job_id: str) -> bool:
        """Say whether there is a job of that id, or a log that may be of one."""
        return job_id in self.index.records or self.folder.shelf.path(file_name(job_id)).exists()

    def log(self, record: Record) -> Log:
        """Return the log of a job."""
        return self.folder.shelf.log(record.name)

    def make(
        self,
        job_id: str,
        head: Head,
        entries: Sequence[Entry],
        snapshot: Snapshot | None,
        claim: tuple[str | None, int, float] | None = None,
    ) -> None:
        """Take in a new job."""
        if job_id in self.index.records:
            raise DuplicateName("job", job_id, f"store {self.folder.name}")
        self._soil()
        last = snapshot.number if snapshot else 0
        record = Record(job_id, head, last)
        path = self.folder.shelf.path(record.name)
        self._made.append(path)
        self._opened = True
        try:
            self.folder.shelf.make(record.name)
        except FileExistsError as error:
            self._made.remove(path)
            damage = self.index.missing(job_id)
            raise damage or DuplicateName("job", job_id, f"store {self.folder.name}") from error
        meta: Meta = {"job": job_id, "head": write_head(head)}
        if claim is not None:
            meta["claim"] = claim
        self.append(record, meta, entries, snapshot, listed=True)

    def append(
        self,
        record: Record,
        meta: Meta,
        entries: Sequence[Entry] = (),
        snapshot: Snapshot | None = None,
        content: bytes = b"",
        *,
        listed: bool,
    ) -> None:
        """Write a frame of a job that `find` has found; `listed` where others have to be told."""
        meta["last"] = entries[-1].last if entries else record.last
        if entries:
            meta["entries"] = [(entry.first, entry.last, len(entry.content)) for entry in entries]
            content = b"".join([entry.content for entry in entries])
        if listed:
            self._soil()
        if snapshot is not None:
            self._keep(record, snapshot)
            meta["snapshot"] = snapshot.number
        log = self.log(record)
        at = record.size
        self._written.append((record.name, at))
        end = log.append(meta, content, at)
        if self.folder.full or snapshot is not None:
            log.sync()
        record.apply(meta, at, end)
        if listed:
            self.index.note(record)
            self._listed[record.job_id] = record

    def renew(self, records: Iterable[Record], until: float) -> None:
        """Let the claims of jobs last."""
        renewed = [record.job_id for record in records]
        if renewed:
            self._soil()
            self._changes.append({"renewed": renewed, "until": until})
            for job_id in renewed:
                self.index.records[job_id].until = until

    def remove(self, records: Iterable[Record]) -> None:
        """Forget jobs."""
        job_ids = [record.job_id for record in records]
        if not job_ids:
            return
        self._soil()
        self._removed = True
        for job_id in job_ids:
            record = self.index.records[job_id]
            self.folder.shelf.remove(record.name)
            if record.snapshot:
                self._needless.append(self.folder.jobs / snapshot_name(record))
            self.index.drop(job_id)
        self._changes.append(gone(job_ids))

    def finish(self) -> None:
        """Tell the index."""
        if self._opened and self.folder.full:
            sync_folder(self.folder.jobs)
        if self._before is not None:
            changes = [*self._changes, *map(listed, self._listed.values())]
            self.folder.lock.set_stamp(self.index.write(changes))

    def clean(self) -> None:
        """Take away what nobody needs any more, once all is written."""
        for path in self._needless:
            with suppress(OSError):  # the next one who opens the folder alone does it
                path.unlink(missing_ok=True)

    def undo(self) -> None:
        """Leave everything as it was; where that fails, whoever comes next sees to it."""
        if self._before is None and not self._written:
            return
        with suppress(OSError, DamagedStore):
            for name, size in self._written:
                self.folder.shelf.log(name).cut(size)
            for path in self._made:
                self.folder.shelf.forget(path.stem)
                path.unlink(missing_ok=True)
            if self._before is not None and not self._removed and self.index.undo(self._before):
                self.folder.lock.set_stamp(self._before)
        self.index.forget()

    def _soil(self) -> None:
        if self._before is None:
            self._before = self.folder.lock.stamp()
            self.folder.lock.set_stamp(evolve(self._before, torn=True))

    def _keep(self, record: Record, snapshot: Snapshot) -> None:
        """Write a snapshot, which counts once its frame is there."""
        path = self.folder.jobs / snapshot_name(record, record.size)
        self._made.append(path)
        write_sheet(path, {"number": snapshot.number}, snapshot.content)
        if record.snapshot:
            self._needless.append(self.folder.jobs / snapshot_name(record))
