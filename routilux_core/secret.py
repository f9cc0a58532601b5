"""Secret: a value of the configuration that shows itself to nobody who does not ask."""

from __future__ import annotations

import os
import re
from typing import Any, Self

from routilux_core.definition_errors import MissingSecret
from routilux_core.errors import InvalidOption
from routilux_core.scalar import READERS, SECRETS

REFERENCE = r"env:[A-Za-z_][A-Za-z0-9_]*"
MASK = "********"


class Secret:
    """A password, token or key in a configuration.

    `Secret("env:NAME")` refers to an environment variable, which is read when the value is asked for.
    Documents hold the reference, never the value. `Secret("text")` holds the text itself; it works in this
    process and is refused where something is saved. Neither `repr` nor `str` show what it holds.

    >>> Secret("env:TOKEN")
    Secret('env:TOKEN')
    >>> print(Secret("hush"))
    ********
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        given: object = text
        if not isinstance(given, str) or not given:
            raise InvalidOption("a secret", type(given).__name__, "text, or 'env:NAME'")
        if text.startswith("env:") and not re.fullmatch(REFERENCE, text):
            raise InvalidOption("a secret", "env:...", "the name of an environment variable after 'env:'")
        self._text = text

    @property
    def reference(self) -> str | None:
        """What documents hold of it; None if it holds its text itself."""
        return self._text if self._text.startswith("env:") else None

    def reveal(self) -> str:
        """Return the value; `MissingSecret` if the environment does not have it."""
        if self.reference is None:
            return self._text
        value = os.environ.get(self._text.removeprefix("env:"))
        if value is None:
            raise MissingSecret(self._text)
        return value

    def saved(self) -> str:
        """Return the reference; a ValueError says what to do if there is none."""
        if self.reference is None:
            raise ValueError("put its text into an environment variable and give Secret('env:NAME')")
        return self._text

    @classmethod
    def loaded(cls, reference: Any) -> Self:
        """Return the secret that a document refers to; a text without reference is no secret any more."""
        if not isinstance(reference, str) or not re.fullmatch(REFERENCE, reference):
            raise InvalidOption("a saved secret", MASK, "'env:' and the name of an environment variable")
        return cls(reference)

    def __repr__(self) -> str:
        return f"Secret({self.reference or MASK!r})"

    def __str__(self) -> str:
        return self.reference or MASK

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _memo: object) -> Self:
        return self

    def __reduce__(self) -> tuple[type[Self], tuple[str]]:
        return type(self), (self.saved(),)


READERS[Secret] = Secret
SECRETS.add(Secret)
