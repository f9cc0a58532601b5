"""Mark: where a worker notes what it runs, for whoever finds it dead."""

from __future__ import annotations

import mmap
import os
from struct import Struct
from tempfile import TemporaryFile

_NUMBER = Struct("=q")


class Mark:
    """A number in memory that two processes share; it outlives the one that wrote it."""

    def __init__(self, file: int) -> None:
        self._memory = mmap.mmap(file, _NUMBER.size)

    def set(self, number: int) -> None:
        """Note what is run now; 0 is nothing."""
        _NUMBER.pack_into(self._memory, 0, number)

    def get(self) -> int:
        """Return what was noted last."""
        number: int = _NUMBER.unpack_from(self._memory)[0]
        return number

    def close(self) -> None:
        """Give the memory back."""
        self._memory.close()


def shared_memory() -> int:
    """Return the descriptor of memory for a mark, which is gone when nobody has it any more."""
    if hasattr(os, "memfd_create"):
        memory = os.memfd_create("routilux-mark")
        os.truncate(memory, _NUMBER.size)
        return memory
    with TemporaryFile() as file:
        file.truncate(_NUMBER.size)
        return os.dup(file.fileno())
