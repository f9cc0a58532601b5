"""Database: the file, the connections to it, and what its errors mean."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkstemp
from typing import TYPE_CHECKING, NoReturn

from routilux_core import DamagedStore, InvalidName, RoutiluxError, StoreError, StoreUnavailable
from routilux_plugins.stores.sqlite.schema import PAGE, is_ours, make_tables

if TYPE_CHECKING:
    from collections.abc import Iterator
    from sqlite3 import Connection, Cursor

    from routilux_plugins.stores.sqlite.settings import SqliteSettings

LOG = 4000
"""Pages of the log after which it is put into the file, for which the disk is waited for."""
PAUSE = 0.01
"""Seconds until a file is tried again that another process is just making."""


class Database:
    """One connection that writes and one that reads, each for one thread at a time.

    SQLite lets one writer in at a time anyhow. A lock of this process wakes the next one at once, where
    SQLite would have it look again and again.
    """

    def __init__(self, path: Path, settings: SqliteSettings) -> None:
        self.name = str(path)
        self._timeout = settings.timeout
        self._process = os.getpid()
        self._closed = False
        self._writing = threading.Lock()
        self._reading = threading.Lock()
        try:
            _make_file(path)
        except OSError as error:
            advice = "choose a folder that this user may write"
            raise StoreError(self.name, f"it cannot be made: {error.strerror}; {advice}") from error
        if path.is_dir():
            raise StoreError(self.name, "it is a folder; name a file in it")
        if not path.is_file():
            raise StoreError(self.name, "it is a device, and no file; choose another name")
        if not os.access(path, os.R_OK | os.W_OK):
            raise StoreError(self.name, "it cannot be written; give this user the right to")
        self._connections: list[Connection] = []
        try:
            self.writer = self._connect()
            self._write_cursor = self.writer.cursor()
            self._open(settings)
            self.reader = self._connect()
            self._read_cursor = self.reader.cursor()
            self.reader.execute("PRAGMA query_only = ON")
        except BaseException as error:
            for connection in self._connections:
                connection.close()
            if isinstance(error, sqlite3.Error):
                self._refuse(error)
            raise

    def _connect(self) -> Connection:
        made = sqlite3.connect(
            self.name,
            timeout=self._timeout,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )
        self._connections.append(made)
        return made

    def _open(self, settings: SqliteSettings) -> None:
        with self._at_one_moment(self._write_cursor) as cursor:  # somebody may be making the tables right now
            is_ours(cursor, self.name)
        self.writer.execute(f"PRAGMA page_size = {PAGE}")
        until = time.monotonic() + self._timeout
        while True:  # SQLite does not wait by itself for those who change to this mode at the same time
            try:
                [[mode]] = self.writer.execute("PRAGMA journal_mode = WAL")
                break
            except sqlite3.OperationalError as error:
                if (
                    _code(error) not in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
                    or time.monotonic() > until
                ):
                    raise
                time.sleep(PAUSE)
        if mode != "wal":
            raise StoreError(self.name, f"it is in mode {mode!r} and cannot be in 'wal'; use a local folder")
        self.writer.execute(f"PRAGMA synchronous = {settings.synchronous}")
        self.writer.execute(f"PRAGMA wal_autocheckpoint = {LOG}")
        with self.write() as cursor:
            make_tables(cursor, self.name)

    @contextmanager
    def write(self) -> Iterator[Cursor]:
        """Have a transaction of one's own: all of it, or nothing."""
        with self._writing:
            self._check()
            cursor = self._write_cursor
            try:
                cursor.execute("BEGIN IMMEDIATE")
                yield cursor
                cursor.execute("COMMIT")
            except BaseException as error:  # noqa: BLE001 - it is raised again
                self._undo(self.writer, error)

    @contextmanager
    def read(self) -> Iterator[Cursor]:
        """See the file as it is at one moment."""
        with self._reading:
            self._check()
            with self._at_one_moment(self._read_cursor) as cursor:
                yield cursor

    @contextmanager
    def _at_one_moment(self, cursor: Cursor) -> Iterator[Cursor]:
        try:
            cursor.execute("BEGIN")
            yield cursor
            cursor.execute("COMMIT")
        except BaseException as error:  # noqa: BLE001 - it is raised again
            self._undo(cursor.connection, error)

    def close(self) -> None:
        """Close the connections, when nobody is in the midst of something."""
        with self._writing, self._reading:
            self._closed = True
            if self._process == os.getpid():
                for connection in self._connections:
                    connection.close()

    def _check(self) -> None:
        if self._closed:
            raise StoreError(self.name, "it is closed; open it again")
        if self._process != os.getpid():
            raise StoreError(self.name, "it was opened by another process; open it again in this one")

    def _undo(self, connection: Connection, error: BaseException) -> NoReturn:
        if connection.in_transaction:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
        if isinstance(error, sqlite3.Error):
            self._refuse(error)
        if isinstance(error, UnicodeEncodeError) and not isinstance(error, RoutiluxError):
            raise InvalidName("id", error.object) from error
        raise error

    def _refuse(self, error: sqlite3.Error) -> NoReturn:
        """Raise what an error of SQLite means to those who use the store."""
        code = _code(error)
        if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            reason = f"another process has been writing for longer than {self._timeout} s"
            raise StoreUnavailable(self.name, reason) from error
        if code == sqlite3.SQLITE_CORRUPT or "decode to UTF-8" in str(error):
            raise DamagedStore(self.name, str(error), "the file") from error
        reasons = {
            sqlite3.SQLITE_NOTADB: "it is no SQLite database; choose another file",
            sqlite3.SQLITE_FULL: "the disk is full; make room, and nothing that was kept is lost",
            sqlite3.SQLITE_READONLY: "it cannot be written; give this user the right to",
            sqlite3.SQLITE_CANTOPEN: "it cannot be opened; see that its folder is there and may be written",
            sqlite3.SQLITE_IOERR: f"{error}; see that the disk has room and is sound",
        }
        raise StoreError(self.name, reasons.get(code, str(error))) from error


def _code(error: sqlite3.Error) -> int:
    """Return the primary code of an error; 0 for one of the module's own."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _make_file(path: Path) -> None:
    """Make an empty file that is private to its owner, if there is none.

    It gets its name when it is closed already: in a process that has the file open, to close it once more
    would end the locks that SQLite holds.
    """
    if path.exists():
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, temporary = mkstemp(prefix=f".{path.name[:100]}-", dir=path.parent)
    os.close(handle)
    try:
        with suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        Path(temporary).unlink()
