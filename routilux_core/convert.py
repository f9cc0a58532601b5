"""The converter: payload values as plain JSON data, and back, with every type kept.

What JSON has goes as it is: text, numbers, true, false, null, lists, and dicts with text keys. Anything else
is an object with one key, a tag after a dollar sign: `{"$tuple": [1, 2]}`, `{"$shop.Order": {"id": 7}}`.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from routilux_core.codec import Codec, is_fielded, name_of
from routilux_core.codec_table import CodecTable
from routilux_core.decoder import Decoder
from routilux_core.document_errors import CannotTeach
from routilux_core.encoder import Encoder
from routilux_core.fault import Fault
from routilux_core.fielded import codec_by_fields
from routilux_core.structure import make_structurer, structure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import cattrs


class Converter:
    """Turns payload values into plain data and back. A manager has one; plugins teach it more classes.

    `known` gives classes that need no teaching. It is asked when a class or a tag is met for the first time.

    >>> converter = Converter()
    >>> converter.encode({"size": (3, 4), "seen": {"b", "a"}})
    {'size': {'$tuple': [3, 4]}, 'seen': {'$set': ['a', 'b']}}
    >>> converter.decode(_) == {"size": (3, 4), "seen": {"a", "b"}}
    True
    """

    def __init__(self, known: Callable[[], Iterable[type]] = tuple) -> None:
        self._use(CodecTable(known))
        self._structurer: cattrs.Converter | None = None

    def _use(self, table: CodecTable) -> None:
        self._table, self._encoder, self._decoder = table, Encoder(table), Decoder(table)

    @contextmanager
    def _tentative(self) -> Iterator[None]:
        """Forget what is taught inside if that ends with an error: a plugin teaches all of it or nothing."""
        before = self._table
        self._use(before.copy())
        try:
            yield
        except BaseException:
            self._use(before)
            raise

    @property
    def cattrs(self) -> cattrs.Converter:
        """The cattrs converter behind `structure`, for hooks of your own."""
        if self._structurer is None:
            self._structurer = make_structurer()
        return self._structurer

    def teach(
        self,
        kind: type,
        tag: str | None = None,
        *,
        encode: Callable[[Any], Any] | None = None,
        decode: Callable[[Any], Any] | None = None,
        aliases: Iterable[str] = (),
    ) -> None:
        """Let payloads hold objects of exactly this class.

        `encode` makes any payload value of an object, `decode` the object of that. Without them it is written
        by its fields, and made by calling the class with them: an attrs class, dataclass, Enum or
        NamedTuple. The tag stands in documents, and has to stay when the class moves; it is
        `module.qualname` if not given. `aliases` are tags of earlier days that can still be read.
        """
        tag = name_of(kind) if tag is None else tag
        if encode is not None and decode is not None:
            codec = Codec(kind, tag, encode, decode)
        elif encode is None and decode is None and is_fielded(kind):
            try:
                codec = codec_by_fields(kind, tag)
            except TypeError as error:
                raise CannotTeach(name_of(kind), str(error)) from error
        else:
            raise CannotTeach(name_of(kind), "no fields say how to write it")
        self._table.add(codec, *aliases)
        self._encoder.pop(kind, None)

    def encode(self, value: Any, path: str = "") -> Any:
        """Return the value as plain data that shares nothing with it; errors begin with `path`."""
        try:
            return self._encoder.encode(value)
        except Fault as fault:
            raise fault.at(path) from fault.__cause__

    def decode(self, plain: Any, path: str = "") -> Any:
        """Return the value that `encode` was given."""
        try:
            return self._decoder.decode(plain)
        except Fault as fault:
            raise fault.at(path) from fault.__cause__

    def structure(self, value: Any, kind: Any, path: str = "") -> Any:
        """Return plain data as the annotated type `kind`; what is of that type already passes."""
        return structure(self.cattrs, value, kind, path)
