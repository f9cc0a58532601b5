"""Log: a file of frames that only grows."""

from __future__ import annotations

import logging
import os
from secrets import token_bytes
from typing import TYPE_CHECKING, BinaryIO
from zlib import crc32

from routilux_core import DamagedStore
from routilux_plugins.stores.files.disk import sync
from routilux_plugins.stores.files.frame import BLOCK, next_frame, pack, read_frame

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from routilux_plugins.stores.files.frame import Frame, Meta

logger = logging.getLogger("routilux.stores.file")

HEADER = 16
"""Bytes before the first frame: a mark, a number that no other file has, a checksum."""
_MARK = b"rxl1"
_OPEN = os.O_RDWR | os.O_APPEND | getattr(os, "O_CLOEXEC", 0)


class TornLog(Exception):
    """A log that has not even its header, since its maker was killed."""


class Log:
    """One file, open to be written at its end. Nobody else writes it meanwhile."""

    def __init__(self, store: str, path: Path, descriptor: int, header: bytes) -> None:
        self.store = store
        self.path = path
        self._descriptor = descriptor
        self._seed = crc32(header)

    @classmethod
    def make(cls, store: str, path: Path) -> Log:
        """Begin a file; `FileExistsError` if there is one."""
        header = _MARK + token_bytes(8)
        header += crc32(header).to_bytes(4)
        descriptor = os.open(path, _OPEN | os.O_CREAT | os.O_EXCL, 0o600)
        made = cls(store, path, descriptor, header)
        try:
            made._write(header)
        except BaseException:
            made.close()
            path.unlink()
            raise
        return made

    @classmethod
    def open(cls, store: str, path: Path) -> Log:
        """Go on with a file."""
        descriptor = os.open(path, _OPEN)
        header = os.pread(descriptor, HEADER, 0)
        if len(header) < HEADER:
            os.close(descriptor)
            raise TornLog
        if header[:4] != _MARK or crc32(header[:12]) != int.from_bytes(header[12:]):
            os.close(descriptor)
            raise DamagedStore(store, "this is no beginning of a log", f"{path} at offset 0")
        return cls(store, path, descriptor, header)

    def size(self) -> int:
        """Return how long it is."""
        return os.fstat(self._descriptor).st_size

    def append(self, meta: Meta, content: bytes, at: int) -> int:
        """Write a frame at its end, which is there; return the new end."""
        data = pack(meta, content, at, self._seed)
        self._write(data)
        return at + len(data)

    def extend(self, metas: Iterable[Meta], at: int) -> int:
        """Write frames without content, all at once; return the new end."""
        parts = []
        for meta in metas:
            parts.append(pack(meta, b"", at, self._seed))
            at += len(parts[-1])
        self._write(b"".join(parts))
        return at

    def cut(self, size: int) -> None:
        """Take away what comes after so many bytes."""
        os.truncate(self._descriptor, size)

    def sync(self) -> None:
        """Wait until the disk has it."""
        sync(self._descriptor)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._descriptor)

    def reader(self) -> BinaryIO:
        """Open it to be read, which may be done while others write."""
        return self.path.open("rb", buffering=BLOCK)

    def frames(self, file: BinaryIO, start: int, end: int) -> Iterator[Frame]:
        """Return the frames from one place to another; `DamagedStore` with the offset of one that is none."""
        while start < end:
            frame = read_frame(file, start, end, self._seed)
            if frame is None:
                raise self._damage(start)
            yield frame
            start = frame.end

    def follow(self, start: int) -> Iterator[Frame]:
        """Return the frames from a place up to the end, and cut a torn one at the end off.

        What is followed by a whole frame is no end: it was damaged, and nothing is cut.
        """
        end = self.size()
        with self.reader() as file:
            while start < end:
                frame = read_frame(file, start, end, self._seed)
                if frame is None:
                    if next_frame(file, start + 1, end, self._seed):
                        raise self._damage(start)
                    logger.warning(
                        "store %s: cut a torn end of %d bytes off %s", self.store, end - start, self.path
                    )
                    self.cut(start)
                    return
                yield frame
                start = frame.end

    def find(self, file: BinaryIO, number: int, end: int) -> int:
        """Return a place shortly before the first frame whose last fact comes after that number."""
        low, high = HEADER, end
        while high - low > BLOCK:
            middle = (low + high) // 2
            frame = next_frame(file, middle, high, self._seed)
            if frame is None or frame.meta["last"] > number:
                high = middle
            else:
                low = frame.end
        return low

    def _write(self, data: bytes) -> None:
        written = os.write(self._descriptor, data) if data else 0
        while written < len(data):  # a disk that gets full takes a part, and then says so
            written += os.write(self._descriptor, data[written:])

    def _damage(self, at: int) -> DamagedStore:
        return DamagedStore(self.store, "its checksum does not fit", f"{self.path} at offset {at}")
