"""Wire: messages as bytes, each a kind, a few small values and a body.

The bytes are for processes that belong together: pickle reads them.
"""

from __future__ import annotations

import pickle
from struct import Struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    Message = tuple[str, tuple[Any, ...], bytes]

_LENGTHS = Struct("=IQ")
PIECE = 1 << 18
"""How many bytes are read at once."""


def written(kind: str, *values: Any, body: bytes = b"") -> bytes:
    """Return a message as bytes."""
    head = pickle.dumps((kind, values), pickle.HIGHEST_PROTOCOL)
    return b"".join((_LENGTHS.pack(len(head), len(body)), head, body))


class Reading:
    """Messages out of bytes that come in pieces."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, piece: bytes) -> Iterator[Message]:
        """Take one more piece, and give the messages that are whole."""
        buffer = self._buffer
        buffer += piece
        while len(buffer) >= _LENGTHS.size:
            head, body = _LENGTHS.unpack_from(buffer)
            middle = _LENGTHS.size + head
            end = middle + body
            if len(buffer) < end:
                return
            kind, values = pickle.loads(bytes(buffer[_LENGTHS.size : middle]))  # noqa: S301 - see above
            content = bytes(buffer[middle:end])
            del buffer[:end]
            yield kind, values, content
