"""Plain data to payload values."""

from __future__ import annotations

from types import NoneType
from typing import TYPE_CHECKING, Any

from routilux_core.codec import name_of
from routilux_core.document_errors import InvalidDocument, UnknownTag, shorten, shorten_line
from routilux_core.fault import DEEPEST, Fault

if TYPE_CHECKING:
    from routilux_core.codec_table import CodecTable

SCALARS = frozenset({str, int, float, bool, NoneType})


class Decoder:
    """Reads values, looking tags up in a table; nothing that the data names is imported."""

    def __init__(self, table: CodecTable) -> None:
        self._table = table

    def decode(self, plain: Any) -> Any:
        """Return the value, or raise a `Fault`."""
        try:
            return self._list([plain], DEEPEST + 1)[0]
        except Fault as fault:
            fault.steps.pop()
            raise
        except RecursionError:
            raise _too_deep() from None

    def _list(self, plain: list[Any], room: int) -> list[Any]:
        if not room:
            raise _too_deep()
        values: list[Any] = []
        add = values.append
        try:
            for item in plain:
                kind = type(item)
                if kind in SCALARS:
                    add(item)
                elif kind is dict:
                    add(self._dict(item, room - 1))
                elif kind is list:
                    add(self._list(item, room - 1))
                else:
                    raise _foreign(kind)
        except Fault as fault:
            fault.within(len(values))
            raise
        return values

    def _dict(self, plain: dict[Any, Any], room: int) -> Any:
        if not room:
            raise _too_deep()
        values = {}
        key: Any = None
        try:
            for key, item in plain.items():
                if type(key) is not str:
                    raise _foreign(type(key))
                kind = type(item)
                if kind in SCALARS:
                    values[key] = item
                elif kind is dict:
                    values[key] = self._dict(item, room - 1)
                elif kind is list:
                    values[key] = self._list(item, room - 1)
                else:
                    raise _foreign(kind)
            if len(values) == 1 and key[:1] == "$":
                return self._object(key[1:], values[key])
        except Fault as fault:
            fault.within(key)
            raise
        return values

    def _object(self, tag: str, content: Any) -> Any:
        codec = self._table.by_tag(tag)
        if codec is None:
            raise Fault(
                UnknownTag,
                f"no class has the tag {shorten(tag)} here; import or install what defines it, "
                "or teach it to the converter",
                tag,
            )
        try:
            return codec.decode(content)
        except Exception as error:
            reason = shorten_line(str(error) or type(error).__name__)
            raise Fault(InvalidDocument, f"it makes no {name_of(codec.kind)}: {reason}") from error


def _foreign(kind: type) -> Fault:
    return Fault(InvalidDocument, f"an object of {name_of(kind)} is no plain data")


def _too_deep() -> Fault:
    return Fault(InvalidDocument, f"it has more than {DEEPEST} levels")
