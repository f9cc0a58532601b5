"""The types of the standard library that payloads may hold, beside those that JSON has."""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64
from datetime import date, datetime, time, timedelta, timezone
from functools import cache
from re import fullmatch
from typing import Any

from routilux_core.codec import Codec
from routilux_core.document_errors import shorten
from routilux_core.secret import Secret

MOST_ALIKE = 2_000
"""Keys of a set or dict that may have the hash of another one."""
_ZONE = r"[A-Za-z0-9_+/-]{1,80}"
SMALLEST, LARGEST = -(2**63), 2**63 - 1
"""Whole numbers that every reader of JSON has; others are tagged."""


def standard_codecs() -> list[Codec]:
    """Return them all; made when the first value turns up that is not plain JSON."""
    from decimal import Decimal  # noqa: PLC0415 - none of the three is needed to start a job
    from pathlib import Path  # noqa: PLC0415
    from uuid import UUID  # noqa: PLC0415

    return [
        # These four are tagged only where plain JSON would lose something.
        Codec(dict, "dict", dict.items, _decode_pairs),
        Codec(str, "text", _encode_text, lambda plain: _decode_bytes(plain).decode("utf-8", "surrogatepass")),
        Codec(int, "int", hex, _decode_integer),
        Codec(float, "float", str, _decode_float),
        Codec(tuple, "tuple", list, _decode_tuple),
        Codec(frozenset, "frozenset", list, lambda plain: _decode_set(frozenset, plain)),
        Codec(set, "set", list, lambda plain: _decode_set(set, plain)),
        Codec(bytes, "bytes", _encode_bytes, _decode_bytes),
        Codec(datetime, "datetime", _encode_moment, lambda plain: _decode_moment(datetime, plain)),
        Codec(time, "time", _encode_moment, lambda plain: _decode_moment(time, plain)),
        Codec(date, "date", date.isoformat, lambda plain: date.fromisoformat(_text(plain))),
        Codec(timedelta, "timedelta", _encode_duration, _decode_duration),
        Codec(Decimal, "decimal", str, lambda plain: Decimal(_text(plain))),
        Codec(UUID, "uuid", str, lambda plain: UUID(_text(plain))),
        Codec(Secret, "secret", Secret.saved, Secret.loaded),
        Codec(type(Path()), "path", str, lambda plain: Path(_text(plain))),
    ]


def is_unicode(text: str) -> bool:
    """Tell whether UTF-8 has the text; it has no lone surrogates."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _text(plain: Any) -> str:
    if type(plain) is not str:
        raise TypeError("text is wanted")
    return plain


def _decode_tuple(plain: Any) -> tuple[Any, ...]:
    if type(plain) is not list:
        raise TypeError("a list is wanted")
    return tuple(plain)


def _decode_set(kind: Any, plain: Any) -> Any:
    if type(plain) is not list:
        raise TypeError("a list is wanted")
    _check_hashes(plain)
    made = kind(plain)
    if len(made) != len(plain):
        raise ValueError("it names an item twice")
    return made


def _check_hashes(keys: list[Any]) -> None:
    """Refuse keys that were chosen to share a hash: each would be compared with all the others."""
    if len(keys) > MOST_ALIKE and len(keys) - len({hash(key) for key in keys}) > MOST_ALIKE:
        raise ValueError(f"more than {MOST_ALIKE} of its keys have a hash that another one has")


def _decode_pairs(plain: Any) -> dict[Any, Any]:
    if type(plain) is not list or any(type(pair) is not list for pair in plain):
        raise TypeError("a list of keys with their values is wanted")
    _check_hashes([key for key, _ in plain])
    made = {key: value for key, value in plain}  # noqa: C416 - dict() takes more than pairs
    if len(made) != len(plain):
        raise ValueError("it has a key twice")
    return made


def _decode_integer(plain: Any) -> int:
    # Decimal digits would take long, and Python refuses more than 4,300.
    text = _text(plain)
    if not text.startswith(("0x", "-0x")):
        raise ValueError("a hexadecimal number is wanted")
    return int(text, 16)


def _decode_float(plain: Any) -> float:
    if _text(plain) not in {"nan", "inf", "-inf"}:
        raise ValueError("one of nan, inf and -inf is wanted")
    return float(plain)


def _encode_text(value: str) -> str:
    return _encode_bytes(value.encode("utf-8", "surrogatepass"))


def _encode_bytes(value: bytes) -> str:
    return b2a_base64(value, newline=False).decode()


def _decode_bytes(plain: Any) -> bytes:
    return a2b_base64(_text(plain), strict_mode=True)


def _encode_duration(value: timedelta) -> list[int]:
    return [value.days, value.seconds, value.microseconds]


def _decode_duration(plain: Any) -> timedelta:
    if type(plain) is not list or [type(part) for part in plain] != [int, int, int]:
        raise TypeError("days, seconds and microseconds are wanted")
    return timedelta(*plain)


def _encode_moment(value: datetime | time) -> str | list[Any]:
    zone = value.tzinfo
    if not value.fold and (zone is None or _is_common(zone)):
        return value.isoformat()
    return [value.replace(tzinfo=None, fold=0).isoformat(), value.fold, _encode_zone(zone)]


def _decode_moment(kind: Any, plain: Any) -> Any:
    if type(plain) is not list:
        return kind.fromisoformat(_text(plain))
    text, fold, zone = plain
    if type(fold) is not int or fold not in {0, 1}:
        raise ValueError("a fold is 0 or 1")
    return kind.fromisoformat(_text(text)).replace(tzinfo=_decode_zone(zone), fold=fold)


def _is_common(zone: Any) -> bool:
    """Tell whether ISO 8601 has all of it: no name, and whole minutes, of which Python reads back any."""
    return type(zone) is timezone and len(_offset(zone)) == 1 and not _offset(zone)[0] % timedelta(minutes=1)


def _offset(zone: timezone) -> tuple[Any, ...]:
    """Return the offset, and the name if it was given one."""
    return zone.__getinitargs__()  # type: ignore[attr-defined,no-any-return]


def _encode_zone(zone: Any) -> list[Any] | str | None:
    if zone is None:
        return None
    if type(zone) is timezone:
        offset, *name = _offset(zone)
        return [_encode_duration(offset), *name]
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - few have one

    if type(zone) is not ZoneInfo or zone.key is None:
        raise TypeError(
            f"its time zone is a {type(zone).__qualname__}; use datetime.timezone or ZoneInfo(key)"
        )
    return zone.key


def _decode_zone(plain: Any) -> Any:
    if plain is None:
        return None
    if type(plain) is list:
        offset, *name = plain
        return timezone(_decode_duration(offset), *map(_text, name))
    from pathlib import Path  # noqa: PLC0415 - few have a zone
    from zoneinfo import TZPATH, ZoneInfo  # noqa: PLC0415

    # A key that no file has makes ZoneInfo import a package of that name, so it is looked up before.
    key = _text(plain)
    found = fullmatch(_ZONE, key) and any(Path(folder, key).is_file() for folder in TZPATH)
    if not found and key not in _zones():
        raise LookupError(f"there is no time zone {shorten(key)} here")
    return ZoneInfo(key)


@cache
def _zones() -> set[str]:
    from zoneinfo import available_timezones  # noqa: PLC0415 - as above

    return available_timezones()
