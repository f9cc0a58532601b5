"""Parts of a document: how each kind of value of ours is written as plain data, and read back strictly."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import TYPE_CHECKING, Any

from attrs import frozen

from routilux_core.document_errors import InvalidDocument, NotSerializable, shorten
from routilux_core.identity import MASK
from routilux_core.schema import check_keys

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from routilux_core.activation_document import Reader, Writer

FIRST, LAST = -62135596800, 253402300799
"""The seconds since the epoch that a datetime can show."""
BITS = 64
"""Of a whole number that stands for a time or a count."""
DIGITS = 16
"""Of a lineage. It is written as text, since many readers of JSON know no whole numbers of 64 bits."""


@frozen(eq=False, repr=False)
class Part:
    """How one kind of value is written and read; `path` says where it stands, for errors."""

    write: Callable[[Any, Any, str], Any]
    """From a value, a Writer and the path to plain data."""
    read: Callable[[Any, Any, str], Any]
    """From plain data, a Reader and the path to the value."""


def refuse(path: str, plain: object, wanted: str) -> InvalidDocument:
    """Return the error that tells what stands at `path` instead of what belongs there."""
    return InvalidDocument(path, f"it is of type {type(plain).__name__}, and {wanted} belongs there")


def items(plain: object, path: str) -> list[Any]:
    """Return `plain` if it is a list."""
    if type(plain) is not list:
        raise refuse(path, plain, "a list")
    return plain


def entries(
    plain: object, path: str, *names: str, optional: tuple[str, ...] = ()
) -> Iterator[tuple[Any, str]]:
    """Give the objects of a list, each with its place; each has to have all `names` and no other key."""
    for index, entry in enumerate(items(plain, path)):
        place = f"{path}[{index}]"
        yield check_keys(entry, place, names, optional), place


def once(found: Mapping[Any, Any], key: Any, path: str) -> Any:
    """Return the key if it is not among those found before."""
    if key in found:
        raise InvalidDocument(path, f"{shorten(key)} is there twice")
    return key


def checked(kind: type, wanted: str) -> Part:
    """Return the part for values of exactly `kind`, which are plain already."""

    def read(plain: Any, _reader: Reader, path: str) -> Any:
        if type(plain) is not kind:
            raise refuse(path, plain, wanted)
        return plain

    return Part(lambda value, _writer, _path: value, read)


def optional(part: Part) -> Part:
    """Return the part for what `part` is for, or None."""
    return Part(
        lambda value, writer, path: None if value is None else part.write(value, writer, path),
        lambda plain, reader, path: None if plain is None else part.read(plain, reader, path),
    )


def several(part: Part) -> Part:
    """Return the part for a tuple of what `part` is for."""
    return Part(
        lambda values, writer, path: [
            part.write(value, writer, f"{path}[{index}]") for index, value in enumerate(values)
        ],
        lambda plain, reader, path: tuple(
            part.read(item, reader, f"{path}[{index}]") for index, item in enumerate(items(plain, path))
        ),
    )


def _write_value(value: Any, writer: Writer, path: str) -> Any:
    return writer.converter.encode(value, path)


def _read_value(plain: Any, reader: Reader, path: str) -> Any:
    return reader.converter.decode(plain, path)


def _read_dict(plain: Any, reader: Reader, path: str) -> dict[Any, Any]:
    value = reader.converter.decode(plain, path)
    if type(value) is not dict:
        raise refuse(path, value, "an object")
    return value


def _read_list(plain: Any, reader: Reader, path: str) -> list[Any]:
    return items(reader.converter.decode(plain, path), path)


def _read_payload(plain: Any, reader: Reader, path: str) -> dict[str, Any]:
    value = _read_dict(plain, reader, path)
    for name in value:
        if type(name) is not str:
            raise InvalidDocument(
                path, f"a key of a payload is of type {type(name).__name__}; it has to be text"
            )
    return value


def _read_key(plain: Any, reader: Reader, path: str) -> Any:
    value = reader.converter.decode(plain, path)
    try:
        hash(value)
    except TypeError as error:
        raise InvalidDocument(path, f"a value of type {type(value).__name__} cannot be a key") from error
    return value


def _write_text(value: Any, writer: Writer, path: str) -> Any:
    if not isinstance(value, str):
        raise NotSerializable(path, type(value).__name__, "give a text")
    text = str.__str__(value)
    return text if text.isascii() else writer.converter.encode(text, path)


def _read_text(plain: Any, reader: Reader, path: str) -> str:
    text = plain if type(plain) is str else reader.converter.decode(plain, path)
    if type(text) is not str:
        raise refuse(path, text, "text")
    return text


def _read_count(plain: Any, _reader: Reader, path: str) -> int:
    if type(plain) is not int:
        raise refuse(path, plain, "a whole number")
    if not 0 <= plain <= MASK:
        raise InvalidDocument(path, "the number is outside 0 to 2^64")
    return plain


def _read_priority(plain: Any, reader: Reader, path: str) -> int:
    value = plain if type(plain) is int else reader.converter.decode(plain, path)
    if type(value) is not int:
        raise refuse(path, value, "a whole number")
    return value


def _read_number(plain: Any, _reader: Reader, path: str) -> float:
    if type(plain) is not float and type(plain) is not int:
        raise refuse(path, plain, "a number")
    if plain.bit_length() > BITS if type(plain) is int else not isfinite(plain):
        raise InvalidDocument(path, f"{shorten(plain)} is no number to count with")
    return plain


def _read_moment(plain: Any, reader: Reader, path: str) -> float:
    moment = _read_number(plain, reader, path)
    if not FIRST <= moment <= LAST:
        raise InvalidDocument(path, "no calendar shows this time; it is in seconds since the epoch")
    return moment


def _read_lineage(plain: Any, _reader: Reader, path: str) -> int:
    if type(plain) is not str or len(plain) != DIGITS or set(plain) - set("0123456789abcdef"):
        raise InvalidDocument(path, f"a lineage is a text of {DIGITS} of 0-9 a-f")
    return int(plain, 16)


def _as_it_is(value: Any, _writer: Writer, _path: str) -> Any:
    return value


VALUE = Part(_write_value, _read_value)
"""Anything that a payload may hold."""
KEY = Part(_write_value, _read_key)
"""What groups payloads: any value that can be a key."""
LIST = Part(_write_value, _read_list)
DICT = Part(_write_value, _read_dict)
PAYLOAD = Part(_write_value, _read_payload)
TEXT = Part(_write_text, _read_text)
FLAG = checked(bool, "true or false")
COUNT = Part(_as_it_is, _read_count)
PRIORITY = Part(_write_value, _read_priority)
NUMBER = Part(_as_it_is, _read_number)
MOMENT = Part(_as_it_is, _read_moment)
LINEAGE = Part(lambda value, _writer, _path: f"{value:0{DIGITS}x}", _read_lineage)
