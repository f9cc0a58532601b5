"""Payload values to plain data."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType, NoneType
from typing import TYPE_CHECKING, Any

from routilux_core.codec import Codec, is_fielded, name_of
from routilux_core.document_errors import NotSerializable, shorten_line
from routilux_core.fault import DEEPEST, Fault
from routilux_core.fielded import codec_by_fields
from routilux_core.standard_types import LARGEST, SMALLEST, is_unicode
from routilux_core.views import ListView

if TYPE_CHECKING:
    from routilux_core.codec_table import CodecTable

Writer = Callable[[Any, int], Any]
"""From a value, and the levels that it may still go down, to plain data."""
PLAIN = (dict, list, tuple, set, str, int, float)


class Encoder(dict[type, Writer]):
    """How to write a value, by its exact class. A class that is met for the first time is looked up."""

    def __init__(self, table: CodecTable) -> None:
        super().__init__(
            {
                dict: self._dict,
                MappingProxyType: self._dict,
                list: self._list,
                ListView: self._list,
                str: self._text,
                int: self._integer,
                float: self._float,
                bool: _as_it_is,
                NoneType: _as_it_is,
            }
        )
        self._table = table

    def __missing__(self, kind: type) -> Writer:
        codec = self._table.by_kind(kind)
        if codec is None:
            raise Fault(NotSerializable, name_of(kind), _advice(kind))
        writer = self[kind] = self._set(codec) if kind in {set, frozenset} else self._tagged(codec)
        return writer

    def encode(self, value: Any) -> Any:
        """Return the value as plain data, or raise a `Fault`."""
        try:
            return self[type(value)](value, DEEPEST)
        except RecursionError:
            raise _too_deep() from None
        except RuntimeError as error:
            advice = "leave what was sent or stored as it is, or send a copy"
            raise Fault(NotSerializable, "a value that is being changed", advice) from error

    # The tests of what is plain stand in both loops: a call for each item would cost more than all the rest.

    def _dict(self, value: Any, room: int) -> Any:
        if not room:
            raise _too_deep()
        plain = {}
        key: Any = None
        try:
            for key, item in value.items():
                if type(key) is not str or not (key.isascii() or is_unicode(key)):
                    break
                kind = type(item)
                if (
                    (kind is str and item.isascii())
                    or (kind is int and SMALLEST <= item <= LARGEST)
                    or item is None
                    or kind is bool
                    or (kind is float and item - item == 0)
                ):
                    plain[key] = item
                else:
                    plain[key] = self[kind](item, room - 1)
            else:
                if len(plain) != 1 or key[:1] != "$":
                    return plain
        except Fault as fault:
            fault.within(key)
            raise
        return self._pairs(value, room)

    def _list(self, value: Any, room: int) -> list[Any]:
        if not room:
            raise _too_deep()
        plain: list[Any] = []
        add = plain.append
        try:
            for item in value:
                kind = type(item)
                if (
                    (kind is str and item.isascii())
                    or (kind is int and SMALLEST <= item <= LARGEST)
                    or item is None
                    or kind is bool
                    or (kind is float and item - item == 0)
                ):
                    add(item)
                else:
                    add(self[kind](item, room - 1))
        except Fault as fault:
            fault.within(len(plain))
            raise
        return plain

    def _pairs(self, value: Any, room: int) -> Any:
        """Write a dict that JSON has not: its keys are no text, or it looks like a tag."""
        if room < 3:  # noqa: PLR2004 - the object, its list, and a pair
            raise _too_deep()
        pairs = []
        for pair in value.items():
            try:
                pairs.append(self._list(pair, room - 2))
            except Fault as fault:
                fault.steps.pop()
                fault.within(pair[0])
                raise
        return {"$dict": pairs}

    def _text(self, value: str, _room: int) -> Any:
        return value if is_unicode(value) else {"$text": self._by_codec(value)}

    def _integer(self, value: int, _room: int) -> Any:
        return value if SMALLEST <= value <= LARGEST else {"$int": self._by_codec(value)}

    def _float(self, value: float, _room: int) -> Any:
        return value if value - value == 0 else {"$float": self._by_codec(value)}

    def _by_codec(self, value: Any) -> Any:
        codec = self._table.by_kind(type(value))
        return codec.encode(value) if codec is not None else None

    def _set(self, codec: Codec) -> Writer:
        name = f"${codec.tag}"

        def write(value: Any, room: int) -> Any:
            # The order of a set is another in each process; that of its document is not.
            return {name: sorted(self._list(value, room - 1), key=_order)}

        return write

    def _tagged(self, codec: Codec) -> Writer:
        name, encode, fielded = f"${codec.tag}", codec.encode, codec.fielded

        def write(value: Any, room: int) -> Any:
            if not room:
                raise _too_deep()
            try:
                content = encode(value)
            except Exception as error:
                raise Fault(NotSerializable, name_of(codec.kind), shorten_line(str(error))) from error
            try:
                return {name: self[type(content)](content, room - 1)}
            except Fault as fault:
                if fielded:
                    fault.as_field()
                raise

        return write


def _as_it_is(value: Any, _room: int) -> Any:
    return value


def _order(plain: Any) -> tuple[str, Any]:
    kind = type(plain)
    return kind.__name__, plain if kind is int or kind is str else repr(plain)


def _too_deep() -> Fault:
    advice = "it may contain itself; flatten it, or send what it can be made from again"
    return Fault(NotSerializable, f"a value of more than {DEEPEST} levels", advice)


def _advice(kind: type) -> str:
    """Say what to do instead of saving an object of that class."""
    if "<locals>" in kind.__qualname__:
        return "it is a local class, which no other process can find; define it at the top of a module"
    if is_fielded(kind):
        try:
            codec_by_fields(kind, "")
        except TypeError as error:
            return f"{error}; teach it to the converter with encode and decode"
        return (
            "define its class in a module that has a Routine, name it in the annotations of a handler or an "
            "Event, or teach it to the converter"
        )
    for plain in PLAIN:
        if issubclass(kind, plain):
            return f"make a plain {plain.__name__} of it, or teach it to the converter"
    return "send plain data that it can be made from again, or teach it to the converter"
