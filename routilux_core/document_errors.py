"""The errors of values and documents that cannot be saved or read."""

from __future__ import annotations

from typing import Any

from routilux_core.errors import RoutiluxError, shown


def shorten(value: Any) -> str:
    """Show any value in a line, however large or deep it is."""
    if type(value) is int and value.bit_length() > 256:  # noqa: PLR2004 - a line's worth of digits
        return f"an integer of {value.bit_length()} bits"
    return shown(value)


def shorten_line(text: str) -> str:
    """Return text that is no longer than two lines."""
    return text if len(text) <= 200 else f"{text[:120]} ... {text[-60:]}"  # noqa: PLR2004 - two lines


class NotSerializable(RoutiluxError, ValueError, TypeError):
    """A value that cannot be written into a document; the path says where it is."""

    path: str
    kind: str
    advice: str

    def __str__(self) -> str:
        place = f"{self.path}: " if self.path else ""
        return f"{place}{self.kind} cannot be saved; {self.advice}"


class InvalidDocument(RoutiluxError, ValueError):
    """A document, or a part of one, that cannot be read."""

    path: str
    reason: str

    def __str__(self) -> str:
        return f"{self.path or 'the value'} cannot be read: {self.reason}"


class UnknownKey(InvalidDocument):
    """A document with a key that its kind does not have."""

    name: str
    known: tuple[str, ...]


class UnknownTag(InvalidDocument):
    """A tagged value of a class that nobody here has taught or defined."""

    name: str


class NewerSchema(InvalidDocument):
    """A document of a later version of Routilux than this one."""

    number: int
    newest: int


class CannotTeach(RoutiluxError, TypeError):
    """A class that a converter cannot write by its fields."""

    kind: str
    reason: str

    def __str__(self) -> str:
        return f"{self.kind} cannot be written by its fields: {self.reason}; give both encode and decode"
