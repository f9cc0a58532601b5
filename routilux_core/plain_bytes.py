"""Plain data as JSON bytes, for what only we read again; by orjson where it is installed."""

from __future__ import annotations

from importlib.util import find_spec
from json import JSONDecoder, JSONEncoder
from json import encoder as library
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_encoder = JSONEncoder(ensure_ascii=False, allow_nan=False, check_circular=False, separators=(",", ":"))
_make = getattr(library, "c_make_encoder", None)
_decode = JSONDecoder().decode


def _refuse(value: object) -> Any:
    raise TypeError(f"{type(value).__name__} is no plain data")


# What `JSONEncoder.encode` makes anew for every call, where Python has it in C.
_chunks = _make and _make(None, _refuse, library.encode_basestring, None, ":", ",", False, False, False)


def standard_dumps(plain: Any) -> bytes:
    """Return plain data as JSON, as compact as can be."""
    return ("".join(_chunks(plain, 0)) if _chunks else _encoder.encode(plain)).encode()


def standard_loads(content: bytes) -> Any:
    """Return the plain data that JSON holds; `ValueError` if it is none."""
    return _decode(content.decode())


def _chosen() -> tuple[Callable[[Any], bytes], Callable[[bytes], Any]]:
    if find_spec("orjson") is None:
        return standard_dumps, standard_loads
    import orjson  # noqa: PLC0415 - it may not be there

    def dumps(plain: Any) -> bytes:
        try:
            content: bytes = orjson.dumps(plain)
        except TypeError:  # it goes down 254 levels only
            return standard_dumps(plain)
        return content

    def loads(content: bytes) -> Any:
        try:
            return orjson.loads(content)
        except ValueError:  # the same, or no JSON
            return standard_loads(content)

    return dumps, loads


dumps, loads = _chosen()
