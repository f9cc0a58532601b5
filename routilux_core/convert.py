"""The converter: payload values as plain JSON data, and back, with every type kept.

What JSON has goes as it is: text, numbers, true, false, null, lists, and dicts with text keys. Everything else is an
object with one key, a tag after a dollar sign: `{"$tuple": [1, 2]}`, `{"$orders.Order": {"number": 7}}`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import MappingProxyType, NoneType
from typing import TYPE_CHECKING, Any, NoReturn

from routilux_core.codec import Codec, codec_by_fields, is_fielded, name_of
from routilux_core.document_errors import InvalidDocument, NotSerializable, UnknownTag, shorten, shorten_line
from routilux_core.errors import DuplicateName
from routilux_core.standard_types import (
    LARGEST,
    SMALLEST,
    decode_float,
    decode_integer,
    decode_text,
    encode_float,
    encode_integer,
    encode_text,
    standard_codecs,
)
from routilux_core.structure import make_structurer, structure
from routilux_core.views import ListView

if TYPE_CHECKING:
    import cattrs

DEEPEST = 200
"""How many lists and objects may lie within each other in an encoded value."""


class _Fault(Exception):  # noqa: N818 - it never leaves this module
    """What is wrong with a value; each container on the way out adds its step to the path."""

    def __init__(self, error: Callable[..., Exception], *values: Any) -> None:
        self.error = error
        self.values = values
        self.steps: list[str] = []

    def at(self, path: str) -> Exception:
        steps = self.steps[::-1]
        if len(steps) > 12:
            steps[8:-2] = ["..."]
        return self.error(path + "".join(steps), *self.values)


class Converter:
    """Turns payload values into plain data and back; a manager has one, and plugins teach it more types.

    `known` gives the classes that need no teaching; it is asked when one is met that is not known yet.
    """

    def __init__(self, known: Callable[[], Iterable[type]] = tuple) -> None:
        self._known = known
        self._codecs: dict[type, Codec] = {}
        self._tags: dict[str, Codec] = {}
        self._taught: set[type] = set()
        self._writers = _Writers(self)
        self._cattrs: cattrs.Converter | None = None
        self._complete = False

    @property
    def cattrs(self) -> cattrs.Converter:
        """The cattrs converter that `structure` uses; register further hooks on it."""
        if self._cattrs is None:
            self._cattrs = make_structurer()
        return self._cattrs

    def teach(
        self,
        kind: type,
        tag: str | None = None,
        *,
        encode: Callable[[Any], Any] | None = None,
        decode: Callable[[Any], Any] | None = None,
    ) -> None:
        """Let payloads hold objects of exactly this class.

        `encode` makes any payload value of an object, and `decode` the object of that. Without them it is written
        by its fields: an attrs class, dataclass, Enum or NamedTuple. The tag stands in documents, so it must stay
        as it is when the class moves; it is `module.qualname` if not given.
        """
        self._load_standard()
        tag = name_of(kind) if tag is None else tag
        owner = self._tags.get(tag)
        if kind in self._taught or (owner is not None and owner.kind in self._taught):
            raise DuplicateName("a codec for" if kind in self._taught else "tag", tag, "the converter")
        if encode is not None and decode is not None:
            codec = Codec(kind, tag, encode, decode)
        elif encode is None and decode is None and is_fielded(kind):
            codec = codec_by_fields(kind, tag)
        else:
            raise TypeError(f"{name_of(kind)} has no fields to be written by; give encode and decode")
        self._taught.add(kind)
        self._learn(codec)

    def encode(self, value: Any, path: str = "") -> Any:
        """Return the value as plain JSON data, which shares nothing with it."""
        try:
            return self._writers[type(value)](value, DEEPEST)
        except _Fault as fault:
            raise fault.at(path) from fault.__cause__
        except RecursionError:
            raise _too_deep_to_save().at(path) from None

    def decode(self, plain: Any, path: str = "") -> Any:
        """Return the value that `encode` was given."""
        try:
            return self._decode(plain, DEEPEST)
        except _Fault as fault:
            raise fault.at(path) from fault.__cause__
        except RecursionError:
            raise _too_deep_to_read().at(path) from None

    def structure(self, value: Any, kind: Any, path: str = "") -> Any:
        """Return plain data as the annotated type; what is of that type already passes as it is."""
        return structure(self.cattrs, value, kind, path)

    def _load_standard(self) -> None:
        if not self._complete:
            self._complete = True
            for codec in standard_codecs():
                self._taught.add(codec.kind)
                self._learn(codec)

    def _learn(self, codec: Codec) -> None:
        self._codecs[codec.kind] = codec
        self._tags[codec.tag] = codec
        self._writers[codec.kind] = self._writer(codec)

    def _discover(self) -> None:
        """Learn the classes that need no teaching."""
        self._load_standard()
        for kind in self._known():
            if kind in self._codecs or "<locals>" in kind.__qualname__ or not is_fielded(kind):
                continue
            tag = name_of(kind)
            if tag in self._tags and self._tags[tag].kind in self._taught:
                continue
            try:
                self._learn(codec_by_fields(kind, tag))
            except TypeError:
                continue

    # -- plain data from values ------------------------------------------------------------------------------

    def _writer(self, codec: Codec) -> Callable[[Any, int], Any]:
        name, encode, fielded, ordered = (
            f"${codec.tag}",
            codec.encode,
            codec.fielded,
            codec.kind in {set, frozenset},
        )

        def write(value: Any, room: int) -> Any:
            if not room:
                raise _too_deep_to_save()
            try:
                content = encode(value)
            except Exception as error:
                raise _Fault(NotSerializable, name_of(codec.kind), str(error)) from error
            try:
                plain = self._writers[type(content)](content, room - 1)
            except _Fault as fault:
                if fielded and fault.steps:
                    fault.steps[-1] = f".{fault.steps[-1][2:-2]}"
                raise
            if ordered:
                plain.sort(key=repr)
            return {name: plain}

        return write

    def _write_dict(self, value: Any, room: int) -> Any:
        if not room:
            raise _too_deep_to_save()
        writers = self._writers
        result = {}
        key: Any = None
        try:
            for key, item in value.items():
                if type(key) is not str or not (key.isascii() or _is_unicode(key)):
                    return self._write_pairs(value, room)
                kind = type(item)
                if (
                    (kind is str and item.isascii())
                    or (kind is int and SMALLEST <= item <= LARGEST)
                    or item is None
                    or kind is bool
                ):
                    result[key] = item
                else:
                    result[key] = writers[kind](item, room - 1)
        except _Fault as fault:
            fault.steps.append(f"[{shorten(key)}]")
            raise
        if len(result) == 1 and key[:1] == "$":
            return self._write_pairs(value, room)
        return result

    def _write_list(self, value: Any, room: int) -> list[Any]:
        if not room:
            raise _too_deep_to_save()
        writers = self._writers
        result: list[Any] = []
        try:
            for item in value:
                kind = type(item)
                if (
                    (kind is str and item.isascii())
                    or (kind is int and SMALLEST <= item <= LARGEST)
                    or item is None
                    or kind is bool
                ):
                    result.append(item)
                else:
                    result.append(writers[kind](item, room - 1))
        except _Fault as fault:
            fault.steps.append(f"[{len(result)}]")
            raise
        return result

    def _write_pairs(self, value: Any, room: int) -> Any:
        """Write a dict that JSON could not tell from another one: its keys are no text, or look like a tag."""
        pairs = []
        for key, item in value.items():
            try:
                pair = self._write_list([key, item], room - 2)
            except _Fault as fault:
                fault.steps[-1] = f"[{shorten(key)}]"
                raise
            pairs.append(pair)
        return {"$dict": pairs}

    # -- values from plain data ------------------------------------------------------------------------------

    def _decode(self, plain: Any, room: int) -> Any:
        kind = type(plain)
        if kind is str or kind is int or plain is None or kind is bool or kind is float:
            return plain
        if not room:
            raise _too_deep_to_read()
        if kind is list:
            result: list[Any] = []
            try:
                for item in plain:
                    result.append(self._decode(item, room - 1))
            except _Fault as fault:
                fault.steps.append(f"[{len(result)}]")
                raise
            return result
        if kind is not dict:
            raise _Fault(InvalidDocument, f"{name_of(kind)} is not plain JSON data")
        return self._decode_dict(plain, room)

    def _decode_dict(self, plain: dict[Any, Any], room: int) -> Any:
        values = {}
        key: Any = None
        try:
            for key, item in plain.items():
                if type(key) is not str:
                    raise _Fault(InvalidDocument, "a key is not text")
                values[key] = self._decode(item, room - 1)
            if len(values) == 1 and key[:1] == "$":
                return self._untag(key[1:], values[key])
        except _Fault as fault:
            fault.steps.append(f"[{shorten(key)}]")
            raise
        return values

    def _untag(self, tag: str, content: Any) -> Any:
        decode = _LEAVES.get(tag)
        if decode is None:
            codec = self._tags.get(tag)
            if codec is None:
                self._discover()
                codec = self._tags.get(tag)
            if codec is None:
                name = shorten(tag)
                raise _Fault(
                    UnknownTag, f"no class here has the tag {name}; install or import what defines it", tag
                )
            decode = codec.decode
        try:
            return decode(content)
        except Exception as error:
            raise _Fault(InvalidDocument, f"it makes no {tag}: {shorten_line(str(error))}") from error


class _Writers(dict[type, Callable[[Any, int], Any]]):
    """How to write a value, by its exact class; one that is not known yet is looked for."""

    def __init__(self, converter: Converter) -> None:
        super().__init__(
            {
                dict: converter._write_dict,
                MappingProxyType: converter._write_dict,
                list: converter._write_list,
                ListView: converter._write_list,
                str: _write_text,
                int: _write_integer,
                float: _write_float,
                bool: _as_it_is,
                NoneType: _as_it_is,
            }
        )
        self._converter = converter

    def __missing__(self, kind: type) -> Callable[[Any, int], Any]:
        self._converter._load_standard()
        if kind not in self:
            self._converter._discover()
        return self.get(kind) or _refuse(kind)


def _as_it_is(value: Any, _room: int) -> Any:
    return value


def _write_text(value: str, _room: int) -> Any:
    return value if value.isascii() or _is_unicode(value) else {"$text": encode_text(value)}


def _write_integer(value: int, _room: int) -> Any:
    return value if SMALLEST <= value <= LARGEST else {"$int": encode_integer(value)}


def _write_float(value: float, _room: int) -> Any:
    return value if value - value == 0 else {"$float": encode_float(value)}  # noqa: PLR0124 - nan for nan and inf


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _decode_pairs(content: Any) -> dict[Any, Any]:
    if type(content) is not list or not all(type(pair) is list and len(pair) == 2 for pair in content):
        raise TypeError("a list of keys with their values is wanted")
    made = {key: item for key, item in content}
    if len(made) != len(content):
        raise ValueError("it has a key twice")
    return made


_LEAVES: dict[str, Callable[[Any], Any]] = {
    "dict": _decode_pairs,
    "text": decode_text,
    "int": decode_integer,
    "float": decode_float,
}


def _too_deep_to_save() -> _Fault:
    return _Fault(
        NotSerializable,
        f"a value nested deeper than {DEEPEST} levels",
        "it may contain itself; flatten it, or send what it can be made from again",
    )


def _too_deep_to_read() -> _Fault:
    return _Fault(InvalidDocument, f"it is nested deeper than {DEEPEST} levels")


def _refuse(kind: type) -> NoReturn:
    """Say why no object of the class can be saved, and what to do."""
    if "<locals>" in kind.__qualname__:
        advice = "it is a local class, which no other process can find; define it at the top of a module"
    elif is_fielded(kind):
        advice = (
            "define its class in a module that has a Routine, name it in the annotations of a handler or an Event, "
            "or teach it to the converter"
        )
    else:
        plain = next(
            (base for base in (dict, list, tuple, set, str, int, float) if issubclass(kind, base)), None
        )
        advice = (
            f"make a plain {plain.__name__} of it, or teach it to the converter"
            if plain
            else "send plain data that it can be made from again, or teach it to the converter"
        )
    raise _Fault(NotSerializable, name_of(kind), advice)
