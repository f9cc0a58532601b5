"""FolderLock: one writer of a folder at a time, whatever process it is in."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from struct import Struct
from typing import TYPE_CHECKING

from attrs import frozen

from routilux_core import StoreError, StoreUnavailable

try:
    import fcntl
except ImportError:
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_STAMP = Struct(">?QQ")
_SHORTEST, _LONGEST = 0.0001, 0.01
"""Seconds between two looks at a lock that another process has."""
_OPEN = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)


@frozen
class Stamp:
    """What whoever has the lock finds of the one before."""

    torn: bool
    """Somebody was killed between the log of a job and the index."""
    generation: int
    """Of the index: which file it is."""
    size: int
    """Of the index."""


class FolderLock:
    """A lock that ends with its process, and a stamp that outlives it."""

    def __init__(self, store: str, folder: Path, timeout: float) -> None:
        if fcntl is None:
            raise StoreError(store, "this system cannot lock a folder (fcntl.flock); use sqlite:///jobs.db")
        self._store = store
        self._timeout = timeout
        self._lock = os.open(folder / "lock", _OPEN, 0o600)
        self._present = -1
        try:
            self._present = os.open(folder / "present", _OPEN, 0o600)
        except BaseException:
            self.close()
            raise

    @contextmanager
    def held(self) -> Iterator[None]:
        """Be the only one; `StoreUnavailable` if another is for too long."""
        until, pause = None, _SHORTEST
        while True:
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                now = time.monotonic()
                until = until or now + self._timeout
                if now > until:
                    reason = f"another process has been writing for longer than {self._timeout} s"
                    raise StoreUnavailable(self._store, reason) from error
                time.sleep(pause)
                pause = min(2 * pause, _LONGEST)
            except OSError as error:
                raise StoreError(
                    self._store, f"it cannot be locked: {error.strerror}; use a local folder"
                ) from error
        try:
            yield
        finally:
            fcntl.flock(self._lock, fcntl.LOCK_UN)

    def enter(self) -> bool:
        """Be one of those who have the folder open; say whether nobody else has. Wants the lock."""
        try:
            fcntl.flock(self._present, fcntl.LOCK_EX | fcntl.LOCK_NB)
            alone = True
        except BlockingIOError:
            alone = False
        fcntl.flock(self._present, fcntl.LOCK_SH)
        return alone

    def stamp(self) -> Stamp:
        """Return what was stamped last."""
        found = os.pread(self._lock, _STAMP.size, 0)
        return Stamp(*_STAMP.unpack(found)) if len(found) == _STAMP.size else Stamp(True, 0, 0)

    def set_stamp(self, stamp: Stamp) -> None:
        """Leave word for whoever comes next."""
        os.pwrite(self._lock, _STAMP.pack(stamp.torn, stamp.generation, stamp.size), 0)

    def close(self) -> None:
        """Let go of the folder."""
        os.close(self._lock)
        if self._present >= 0:
            os.close(self._present)
