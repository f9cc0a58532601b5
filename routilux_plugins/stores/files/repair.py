"""Making the index fit the logs again, whatever has happened to either."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from routilux_core import DamagedStore
from routilux_plugins.stores.files.disk import NEW
from routilux_plugins.stores.files.log import HEADER, Log, TornLog
from routilux_plugins.stores.files.record import Record, read_head
from routilux_plugins.stores.files.shelf import LOG

if TYPE_CHECKING:
    from pathlib import Path

    from routilux_plugins.stores.files.index import Index
    from routilux_plugins.stores.files.lock import Stamp

logger = logging.getLogger("routilux.stores.file")

SNAPSHOT = ".snapshot"


def repair(index: Index, folder: Path, generation: int) -> Stamp:
    """Bring an index up to date with the logs of a folder; return what is to be stamped.

    Logs that have the size that the index knows are not read. Who was killed has left files that nobody
    needs; they go. An index that is right is not written: a full disk is no reason to read nothing.
    """
    right = _load(index, folder)
    index.damaged = {}
    lost = {record.name: record for record in index.records.values()}
    others = []
    for path in folder.iterdir():
        if path.suffix == LOG:
            right &= not _adopt(index, path, lost.pop(path.stem, None))
        else:
            others.append(path)
    for record in lost.values():
        logger.warning("store %s: the log of job %r is gone", index.store, record.job_id)
        index.drop(record.job_id)
    needed = {snapshot_name(record) for record in index.records.values() if record.snapshot}
    for path in others:
        if path.suffix == NEW or (path.suffix == SNAPSHOT and path.name not in needed):
            path.unlink()
    return index.keep(generation + 1) if right and not lost else index.rewrite(generation + 1)


def _load(index: Index, folder: Path) -> bool:
    try:
        index.load()
    except (DamagedStore, KeyError, TypeError, ValueError) as error:
        index.forget()
        if any(folder.iterdir()):
            reason = getattr(error, "reason", error)
            logger.warning("store %s: made the index again from the logs: %s", index.store, reason)
        return False
    return True


def catch_up(log: Log, record: Record | None) -> Record | None:
    """Return the record of a log with all that was written; None if there is nothing."""
    if record is not None and log.size() < record.size:
        record = None  # its end is gone, and nobody knows what of the record came from there
    for frame in log.follow(HEADER if record is None else record.size):
        if record is None:
            record = Record(frame.meta["job"], read_head(frame.meta["head"]))
        record.apply(frame.meta, frame.at, frame.end)
    return record


def snapshot_name(record: Record, at: int = 0) -> str:
    """Return the name of the file of a snapshot whose frame stands there, or of the present one."""
    return f"{record.name}.{at or record.snapshot}{SNAPSHOT}"


def _adopt(index: Index, path: Path, record: Record | None) -> bool:
    """Have a log in the index; say whether others would look for it by something else than it is."""
    if record is not None and path.stat().st_size == record.size:
        return False
    found, log = record, None
    before = None if record is None else record.sought()
    try:
        log = Log.open(index.store, path)
        found = catch_up(log, record)
    except TornLog:
        found = None
    except DamagedStore as error:
        logger.error("%s", error)  # noqa: TRY400 - its text says all, and the other jobs go on
        if record is None:
            index.damaged[path.stem] = error
            return False
    finally:
        if log is not None:
            log.close()
    if found is not None:
        index.note(found)
        return found.sought() != before
    logger.warning("store %s: removed %s, which its maker did not finish", index.store, path)
    path.unlink()
    if record is not None:
        index.drop(record.job_id)
    return True
