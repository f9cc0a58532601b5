"""Documents: strict JSON text with a kind, a schema number, and a way from older schemas."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from re import search
from typing import Any, NoReturn, TypeVar

from attrs import field, frozen

from routilux_core.document_errors import InvalidDocument, NewerSchema, UnknownKey, shorten, shorten_line
from routilux_core.errors import RoutiluxError, choices, hint

Document = dict[str, Any]
Result = TypeVar("Result")
DEEPEST = 300
"""How many lists and objects may lie within each other in a document."""
_LONGEST_NUMBER = 400
_SURROGATE = r"\\u[dD][89a-fA-F]"


@frozen(eq=False, repr=False)
class Schema:
    """What documents of one kind look like now, and how older ones are brought up to that."""

    kind: str
    number: int
    migrations: Mapping[int, Callable[[Document], Document]] = field(factory=dict)
    """From a schema number to what makes a document of the next number from one of that number."""

    def envelope(self, body: Mapping[str, Any]) -> Document:
        """Return the body as a document of this kind."""
        return {"schema": self.number, "kind": self.kind, **body}

    def open(self, document: Any) -> Document:
        """Return the body of a document, brought up to the present schema."""
        if type(document) is not dict:
            raise InvalidDocument(self.kind, f"it is {shorten(document)}, and an object is wanted")
        body = dict(document)
        number, kind = body.pop("schema", None), body.pop("kind", None)
        if kind != self.kind:
            raise InvalidDocument(
                self.kind, f"its kind is {shorten(kind)}; give a document of kind {self.kind!r}"
            )
        if type(number) is not int or number < 1:
            raise InvalidDocument(self.kind, f"its schema is {shorten(number)}; a number from 1 on is wanted")
        if number > self.number:
            raise NewerSchema(
                self.kind,
                f"it has schema {shorten(number)}, and this version reads up to {self.number}; "
                "update routilux-core",
                number,
                self.number,
            )
        return self._migrated(body, number) if number < self.number else body

    def _migrated(self, body: Document, number: int) -> Document:
        body = deepcopy(body)  # the caller's document stays what it is
        for step in range(number, self.number):
            if step not in self.migrations:
                raise InvalidDocument(self.kind, f"nothing leads from its schema {step} to {self.number}")
            try:
                body = self.migrations[step](body)
            except (LookupError, TypeError, ValueError, AttributeError) as error:
                reason = shorten_line(f"{type(error).__name__}: {error}")
                raise InvalidDocument(self.kind, f"it is no document of schema {step} ({reason})") from error
        return body


def check_keys(data: Any, path: str, required: Iterable[str] = (), optional: Iterable[str] = ()) -> Document:
    """Return the data if it is an object with these keys and no other."""
    required, optional = tuple(required), tuple(optional)
    if type(data) is not dict:
        raise InvalidDocument(path, f"it is {shorten(data)}, and an object is wanted")
    known = (*required, *optional)
    for name in data:
        if name not in known:
            text = shorten_line(str(name))
            reason = f"it has no key {text!r}; it has: {choices(known)}{hint(text, known)}"
            raise UnknownKey(path, reason, text, known)
    for name in required:
        if name not in data:
            raise InvalidDocument(path, f"it needs the key {name!r}")
    return data


def write(document: Document, *, indent: int | None = None) -> str:
    """Return the document as JSON text; the same document gives the same text."""
    from json import dumps  # noqa: PLC0415 - not needed to start a job

    try:
        text = dumps(document, ensure_ascii=False, allow_nan=False, indent=indent)
        text.encode()
    except (ValueError, TypeError, RecursionError) as error:
        raise InvalidDocument("the document", f"it is no JSON: {shorten_line(str(error))}") from error
    return text


def read(text: str | bytes, kind: str = "the document") -> Document:
    """Return the object that JSON text holds; anything doubtful in it is refused."""
    from json import JSONDecodeError, JSONDecoder  # noqa: PLC0415 - not needed to start a job

    try:
        text = text.decode() if isinstance(text, bytes) else text
        text.encode()
    except UnicodeError as error:
        raise InvalidDocument(kind, "it is no UTF-8 text") from error
    decoder = JSONDecoder(
        object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_constant
    )
    try:
        document = decoder.decode(text)
    except JSONDecodeError as error:
        cut = "; it was cut off" if error.pos >= len(text.rstrip()) or "Unterminated" in error.msg else ""
        reason = f"line {error.lineno}, column {error.colno}: {error.msg}{cut}"
        raise InvalidDocument(kind, reason) from error
    except RecursionError:
        raise _too_deep(kind) from None
    except _Refused as error:
        raise InvalidDocument(kind, str(error)) from None
    if type(document) is not dict:
        raise InvalidDocument(kind, f"it is {shorten(document)}, and an object is wanted")
    _check_depth(document, kind)
    if search(_SURROGATE, text):
        _check_text(document, kind)
    return document


def load(path: str | os.PathLike[str], kind: str, use: Callable[[Document], Result]) -> Result:
    """Return what `use` makes of the document in a file; an error tells the file as well."""
    with open(path, "rb") as file:  # noqa: PTH123 - pathlib is not needed otherwise
        text = file.read()
    try:
        return use(read(text, kind))
    except RoutiluxError as error:
        if "path" not in error.fields:
            raise
        values = dict(zip(error.fields, error.args, strict=True))
        raise type(error)(**values | {"path": f"{os.fspath(path)}: {values['path']}"}) from error


def save_text(path: str | os.PathLike[str], text: str) -> None:
    """Put the text into a file that only its owner can read: whole, or not at all.

    Whatever happens meanwhile, the file has either its old content or the new one.
    """
    from pathlib import Path  # noqa: PLC0415 - not needed to start a job
    from tempfile import mkstemp  # noqa: PLC0415

    target = Path(path).resolve()
    temporary = None
    try:
        descriptor, name = mkstemp(prefix=f".{target.name}.", dir=target.parent)
        temporary = Path(name)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):  # it is the caller's file that could not be written
            error.filename, error.filename2 = os.fspath(path), None
        raise


class _Refused(Exception):
    pass


def _object(pairs: list[tuple[str, Any]]) -> Document:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise _Refused(f"an object has the key {shorten(twice)} twice")
    return found


def _integer(text: str) -> int:
    if len(text) > _LONGEST_NUMBER:
        raise _Refused(f"it has a whole number of {len(text)} digits")
    return int(text)


def _float(text: str) -> float:
    number = float(text)
    if number - number != 0:
        raise _Refused(f"the number {shorten_line(text)} is too large")
    return number


def _constant(text: str) -> NoReturn:
    raise _Refused(f"{text} is no JSON")


def _too_deep(kind: str) -> InvalidDocument:
    return InvalidDocument(kind, f"it is nested deeper than {DEEPEST} levels")


def _check_depth(document: Document, kind: str) -> None:
    level: list[Any] = [document]
    for _ in range(DEEPEST):
        level = [
            item
            for group in level
            for item in (group.values() if type(group) is dict else group)
            if type(item) is dict or type(item) is list
        ]
        if not level:
            return
    raise _too_deep(kind)


def _check_text(document: Document, kind: str) -> None:
    from json import dumps  # noqa: PLC0415 - not needed to start a job

    try:
        dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise InvalidDocument(kind, "it has text with a lone surrogate, which is no Unicode") from error
