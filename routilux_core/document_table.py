"""What a job's document says in several places is written once, in a table, and named by its number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define

from routilux_core.activation_document import Reader, Writer, read_activation
from routilux_core.document_errors import InvalidDocument, shorten
from routilux_core.document_part import COUNT, LIST, items
from routilux_core.schema import check_keys
from routilux_core.views import ListView

if TYPE_CHECKING:
    from routilux_core.activation import Activation
    from routilux_core.convert import Converter
    from routilux_core.error_record import ErrorRecord

Entry = TypeVar("Entry")
TABLES = ("activations", "error_records", "gathered")


@define(eq=False, repr=False)
class Gathered:
    """The list of a slot, as far as anybody has seen it."""

    values: list[Any]
    length: int
    path: str


class TableWriter(Writer):
    """Writes into tables what facts, pending work and errors share: who is the same stays the same."""

    def __init__(self, converter: Converter) -> None:
        super().__init__(converter)
        self._activations: list[Any] = []
        self._errors: list[Any] = []
        self._numbers: dict[int, int] = {}
        self._payloads: dict[int, int] = {}
        self._gathered: dict[int, tuple[int, Gathered]] = {}

    def activation(self, activation: Activation, path: str) -> int:
        """Write an activation's number in the table."""
        number = self._numbers.get(id(activation))
        if number is None:
            self._activations.append(super().activation(activation, path))
            number = self._numbers[id(activation)] = len(self._activations) - 1
            self._payloads.setdefault(id(activation.data), number)
        return number

    def error(self, error: ErrorRecord, path: str) -> int:
        """Write an error record's number in the table."""
        number = self._numbers.get(id(error))
        if number is None:
            self._errors.append(super().error(error, path))
            number = self._numbers[id(error)] = len(self._errors) - 1
        return number

    def same(self, payload: dict[str, Any]) -> int | None:
        """Return the number of an activation that has this very payload and was written before."""
        return self._payloads.get(id(payload))

    def gathered(self, view: ListView[Any], path: str) -> dict[str, Any]:
        """Write which list of the table it is, and how much of it was seen."""
        values = view.source
        if values is None:
            return super().gathered(view, path)
        number, gathered = self._gathered.setdefault(
            id(values), (len(self._gathered), Gathered(values, 0, path))
        )
        gathered.length = max(gathered.length, len(view))
        return {"list": number, "length": len(view)}

    def tables(self) -> dict[str, Any]:
        """Return the tables, when everything else was written."""
        gathered = [
            self.converter.encode(each.values[: each.length], each.path)
            for _, each in self._gathered.values()
        ]
        return dict(zip(TABLES, (self._activations, self._errors, gathered), strict=True))


class TableReader(Reader):
    """Reads a document with tables."""

    def __init__(self, converter: Converter, tables: dict[str, Any]) -> None:
        super().__init__(converter)
        self._lists = [
            LIST.read(plain, self, f"gathered[{index}]")
            for index, plain in enumerate(items(tables["gathered"], "gathered"))
        ]
        self._grown: set[int] = set()
        self._errors = [
            super(TableReader, self).error(plain, f"error_records[{index}]")
            for index, plain in enumerate(items(tables["error_records"], "error_records"))
        ]
        self._activations: list[Activation] = []
        for index, plain in enumerate(items(tables["activations"], "activations")):
            self._activations.append(read_activation(plain, self, f"activations[{index}]"))

    def activation(self, plain: Any, path: str) -> Activation:
        """Return the activation of that number."""
        return _entry(self._activations, plain, path, "an activation")

    def error(self, plain: Any, path: str) -> ErrorRecord:
        """Return the error record of that number."""
        return _entry(self._errors, plain, path, "an error record")

    def payload(self, plain: Any, path: str) -> dict[str, Any]:
        """Read a payload, or return that of the activation of that number."""
        if type(plain) is int:
            return _entry(self._activations, plain, path, "an activation written before").data
        return super().payload(plain, path)

    def gathered(self, plain: dict[str, Any], path: str) -> ListView[Any]:
        """Return the list of that number, as much of it as was seen."""
        if "list" not in plain:
            return super().gathered(plain, path)
        check_keys(plain, path, ("field", "list", "length"))
        values = _entry(self._lists, plain["list"], f"{path}.list", "a list")
        length = COUNT.read(plain["length"], self, f"{path}.length")
        if length > len(values):
            raise InvalidDocument(f"{path}.length", f"the list has only {len(values)} values")
        return ListView(values, length)

    def growing(self, view: ListView[Any]) -> list[Any]:
        """Return the list that a slot goes on with: for the first to ask, the one that activations see."""
        values = view.source
        if values is None or len(view) != len(values) or id(values) in self._grown:
            return view.copy()
        self._grown.add(id(values))
        return values


def _entry(table: list[Entry], plain: Any, path: str, what: str) -> Entry:
    if type(plain) is not int or not 0 <= plain < len(table):
        raise InvalidDocument(path, f"{shorten(plain)} is not the number of {what}; there are {len(table)}")
    return table[plain]
