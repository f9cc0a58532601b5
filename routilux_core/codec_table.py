"""The codecs of a converter, by class and by tag."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routilux_core.codec import Codec, is_fielded, is_present, name_of
from routilux_core.errors import DuplicateName
from routilux_core.fielded import codec_by_fields
from routilux_core.standard_types import standard_codecs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class CodecTable:
    """Classes that were taught, those of the standard library, and those that need no teaching.

    The look-up is the same for what is written and what is read, so what is saved can be loaded.
    """

    def __init__(self, known: Callable[[], Iterable[type]]) -> None:
        self._known = known
        self._by_kind: dict[type, Codec] = {}
        self._by_tag: dict[str, Codec] = {}
        self._taught: dict[str, str] = {}
        """Who has each tag that was taught."""

    def copy(self) -> CodecTable:
        """Return another table with the same content."""
        other = CodecTable(self._known)
        other._by_kind, other._by_tag = dict(self._by_kind), dict(self._by_tag)
        other._taught = dict(self._taught)
        return other

    def add(self, codec: Codec, *aliases: str) -> None:
        """Teach a codec; a class and a tag can be taught once."""
        self._load_standard()
        known = self._by_kind.get(codec.kind)
        if known is not None and known.tag in self._taught:
            raise DuplicateName("tag", known.tag, f"class {name_of(codec.kind)}")
        for tag in (codec.tag, *aliases):
            if tag in self._taught:
                raise DuplicateName("tag", tag, f"class {self._taught[tag]}")
        self._put(codec, *aliases)

    def by_kind(self, kind: type) -> Codec | None:
        """Return the codec of exactly that class."""
        return self._by_kind.get(kind) or self._find(lambda: self._by_kind.get(kind))

    def by_tag(self, tag: str) -> Codec | None:
        """Return the codec whose objects are written under that tag."""
        return self._by_tag.get(tag) or self._find(lambda: self._by_tag.get(tag))

    def _find(self, look: Callable[[], Codec | None]) -> Codec | None:
        """Look again once the standard types are there, and then the classes that need no teaching."""
        self._load_standard()
        found = look()
        if found is None:
            self._discover()
            found = look()
        return found

    def _load_standard(self) -> None:
        if not self._by_kind:
            for codec in standard_codecs():
                self._put(codec)

    def _put(self, codec: Codec, *aliases: str) -> None:
        self._by_kind[codec.kind] = codec
        for tag in (codec.tag, *aliases):
            self._by_tag[tag] = codec
            self._taught[tag] = name_of(codec.kind)

    def _discover(self) -> None:
        for kind in self._known():
            tag = name_of(kind)
            if kind in self._by_kind or tag in self._taught or "<locals>" in tag or not is_fielded(kind):
                continue
            try:
                codec = codec_by_fields(kind, tag)
            except TypeError:  # said to whoever wants to save such an object
                continue
            self._by_kind[kind] = codec
            # A module that was run again has its classes twice; what it holds now is what is meant.
            if tag not in self._by_tag or is_present(kind):
                self._by_tag[tag] = codec
