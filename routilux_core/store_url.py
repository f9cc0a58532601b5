"""StoreURL: which store, where, and with which options, as one line of text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from attrs import field, frozen

from routilux_core.scalar import Text
from routilux_core.secret import MASK
from routilux_core.store_errors import InvalidStoreURL

if TYPE_CHECKING:
    from pathlib import Path

_SCHEME = r"[A-Za-z][A-Za-z0-9+._-]{0,127}"
SECRET = ("password", "secret", "token")
"""An option with such a word in its name is not shown."""


@frozen
class StoreURL:
    """A store as its users name it: `scheme://place?option=value`.

    Passwords are in nothing that is shown; `reveal` gives them to whoever connects.

    >>> url = StoreURL.read("postgresql://ann:hush@db.example/jobs?timeout=3")
    >>> print(url)
    postgresql://ann:********@db.example/jobs
    >>> url.options
    {'timeout': '3'}
    >>> StoreURL.read("sqlite:///jobs.db").path.name
    'jobs.db'
    """

    scheme: str
    place: str = field(repr=lambda place: repr(_without_password(place)))
    """What stands between `://` and `?`, as it was written."""
    options: Mapping[str, Text] = field(factory=dict, repr=False)

    @classmethod
    def read(cls, text: str) -> StoreURL:
        """Take a URL apart; `InvalidStoreURL` says what is wrong with it."""
        given: object = text
        if not isinstance(given, str):
            raise InvalidStoreURL(type(given).__name__, "it is no text", ())
        scheme, separator, rest = text.partition("://")
        if not separator:
            raise _invalid(text, "it has no scheme; write scheme://place, like sqlite:///jobs.db")
        if not re.fullmatch(_SCHEME, scheme):
            raise _invalid(text, "what stands before :// is no scheme")
        place, _, query = rest.partition("?")
        if "\0" in _plain(rest):
            raise _invalid(text, "it has a NUL character")
        if "@" in query and not place.startswith("/"):
            raise _invalid(
                text, "there is an @ after the ?; write %3F for ? in a password, %40 for @ in an option"
            )
        return cls(scheme.lower(), place, _options(text, query))

    @property
    def path(self) -> Path:
        """The file or folder that is meant, absolute.

        After three slashes it is relative to the working folder, after four it is absolute.
        """
        local, slash, name = self.place.partition("/")
        if local or not slash:
            raise _invalid(
                str(self), "a file has three slashes before its name, or four for /an/absolute/one"
            )
        if not name:
            raise _invalid(str(self), "it names no file")
        from pathlib import Path  # noqa: PLC0415 - costly, and needed only where there are files

        return Path.cwd() / _plain(name)

    def reveal(self) -> str:
        """Return the whole URL but its options, with the password if it has one."""
        return f"{self.scheme}://{self.place}"

    def __str__(self) -> str:
        return f"{self.scheme}://{_without_password(self.place)}"


def masked(text: str) -> str:
    """Return the text of a URL without what may be a password in it, though it be no right URL."""
    scheme, separator, rest = text.partition("://")
    if not separator:
        scheme, rest = "", text
    place, question, query = rest.partition("?")
    if "@" in query:  # an unescaped question mark in a password
        place, question, query = rest, "", ""
    parts = []
    for part in re.split("[&;]", query):
        name, equals, _ = part.partition("=")
        parts.append(f"{name}{equals}{MASK}" if secret(_plain(name)) else part)
    return f"{scheme}{separator}{_without_password(place)}{question}{'&'.join(parts)}"


def secret(name: str) -> bool:
    """Say whether an option of that name is one that is not shown."""
    return any(word in name.lower() for word in SECRET)


def _plain(text: str) -> str:
    """Return what a part of a URL stands for."""
    from urllib.parse import unquote  # noqa: PLC0415 - costly, and needed only where there is a store

    return unquote(text)


def _without_password(place: str) -> str:
    # As much as may belong to it: a password may hold unescaped slashes, colons and at signs.
    user, at, host = place.rpartition("@")
    name, colon, _ = user.partition(":")
    return f"{name}{colon}{MASK}@{host}" if at and colon and not place.startswith("/") else place


def _options(text: str, query: str) -> dict[str, Text]:
    options: dict[str, Text] = {}
    for part in filter(None, query.split("&")):
        name, equals, value = (_plain(piece.replace("+", " ")) for piece in part.partition("="))
        if not equals or not name:
            raise _invalid(text, "what stands after ? is no list of option=value")
        if name in options:
            raise _invalid(text, f"option {name!r} comes twice")
        options[name] = Text(value)
    return options


def _invalid(text: str, reason: str) -> InvalidStoreURL:
    return InvalidStoreURL(masked(text), reason, ())
