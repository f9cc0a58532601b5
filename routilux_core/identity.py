"""Ids and keys: their grammar, and the key that an activation keeps through retries, crashes and forks.

An activation's *lineage* is a 64-bit number mixed from its parent's lineage, its position among the
parent's emissions and its connection. Mixing is one multiplication, so it can be done for every
activation; the key that users see scrambles the lineage once more and is computed when asked for.
"""

from __future__ import annotations

import os
import re

from routilux_core.errors import InvalidName

_ID = r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}"
_NAME = r"[A-Za-z0-9_-]{1,128}"

MASK = (1 << 64) - 1
STEP = 0x9E3779B97F4A7C15
ITEM_BITS = 32
START = 0xCBF29CE484222325
PRIME = 0x100000001B3
_SCRAMBLE = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))


def checked_id(kind: str, value: object) -> str:
    """Return `value` if it is a well-formed id, else raise `InvalidName`."""
    if isinstance(value, str) and re.fullmatch(_ID, value):
        return value
    raise InvalidName(kind, value if isinstance(value, str) else repr(value))


def checked_name(kind: str, value: object) -> str:
    """Return `value` if it is a well-formed slot or event name, else raise `InvalidName`."""
    if isinstance(value, str) and re.fullmatch(_NAME, value):
        return value
    raise InvalidName(kind, value if isinstance(value, str) else repr(value))


def new_id() -> str:
    """Return an id that nobody else has."""
    return os.urandom(16).hex()


def digest(text: str) -> int:
    """Return the lineage that starts with `text`: a job's root, a connection, a request."""
    value = START
    for byte in text.encode("utf-8", "surrogatepass"):
        value = ((value ^ byte) * PRIME) & MASK
    return scrambled(value)


def scrambled(value: int) -> int:
    """Return `value` with every bit depending on every other."""
    for shift, factor in _SCRAMBLE:
        value = ((value ^ (value >> shift)) * factor) & MASK
    return value ^ (value >> 31)


def child(parent: int, item: int, place: int, edge: int) -> int:
    """Return the lineage of what `parent` sent at `place` of its `item` over the connection `edge`."""
    return ((parent + (item << ITEM_BITS) + place) * STEP + edge) & MASK


def joined(lineages: list[int], edge: int) -> int:
    """Return the lineage of what several deliveries became together, in whatever order they came."""
    return (sum(lineages) * STEP + edge) & MASK


def key(root: str, lineage: int) -> str:
    """Return the key that users see, the same wherever the same piece of work is tried."""
    return f"{root}-{scrambled(lineage):016x}"
