"""Frame: one record as bytes of a file, with lengths and checksums.

The checksum of a frame's front is mixed with the place where it stands and with a number of its file. So a
frame is known by its bytes alone, and one that somebody has put into a payload is not taken for one.
"""

from __future__ import annotations

import json
from struct import Struct
from typing import Any, BinaryIO
from zlib import crc32

from attrs import frozen

Meta = dict[str, Any]

MARK = b"\x89rx\n"
_FRONT = Struct(">4sIQII")
_SUM = Struct(">I")
_PLACE = Struct(">Q")
FRONT = _FRONT.size + _SUM.size
BLOCK = 1 << 16
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


@frozen
class Frame:
    """One record: what it says, and where its content stands."""

    at: int
    meta: Meta
    content_at: int
    end: int
    content: bytes = b""


def pack(meta: Meta, content: bytes, at: int, seed: int) -> bytes:
    """Return a record as the bytes of a frame that stands at a place of a file."""
    said = write_meta(meta)
    front = _FRONT.pack(MARK, len(said), len(content), crc32(said), crc32(content))
    return b"".join((front, _SUM.pack(_mixed(front, at, seed)), said, content))


def read_frame(file: BinaryIO, at: int, end: int, seed: int) -> Frame | None:
    """Return the frame that stands there and ends before `end`, if it is whole."""
    file.seek(at)
    lengths = _front(file.read(FRONT), at, seed)
    if lengths is None:
        return None
    said_length, length, said_sum, content_sum = lengths
    content_at = at + FRONT + said_length
    if content_at + length > end:
        return None
    said = file.read(said_length)
    content = file.read(length)
    if len(content) != length or crc32(said) != said_sum or crc32(content) != content_sum:
        return None
    return Frame(at, read_meta(said), content_at, content_at + length, content)


def next_frame(file: BinaryIO, at: int, end: int, seed: int) -> Frame | None:
    """Return the first whole frame that stands there or later."""
    while at < end:
        file.seek(at)
        block = file.read(min(BLOCK, end - at))
        found = block.find(MARK)
        while found >= 0:
            if frame := read_frame(file, at + found, end, seed):
                return frame
            found = block.find(MARK, found + 1)
        if len(block) < len(MARK):
            return None
        at += len(block) - len(MARK) + 1
    return None


def write_meta(meta: Meta) -> bytes:
    """Return plain data as bytes; lone surrogates stay what they are."""
    return _ENCODER.encode(meta).encode("utf-8", "surrogatepass")


def read_meta(said: bytes) -> Meta:
    """Return the plain data that were written."""
    meta: Meta = json.loads(said.decode("utf-8", "surrogatepass"))
    return meta


def _front(front: bytes, at: int, seed: int) -> tuple[int, int, int, int] | None:
    if len(front) != FRONT or _SUM.unpack(front[_FRONT.size :])[0] != _mixed(front[: _FRONT.size], at, seed):
        return None
    mark, *lengths = _FRONT.unpack(front[: _FRONT.size])
    said_length, length, said_sum, content_sum = lengths
    return (said_length, length, said_sum, content_sum) if mark == MARK else None


def _mixed(front: bytes, at: int, seed: int) -> int:
    return crc32(front, crc32(_PLACE.pack(at), seed))
