"""Activations and error records in documents, and the two who write and read all that refers to them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from routilux_core.activation import Activation
from routilux_core.document_errors import InvalidDocument
from routilux_core.document_part import PAYLOAD, PRIORITY, TEXT, Part, items, optional, several
from routilux_core.error_record import ErrorRecord
from routilux_core.layout import BY_TYPE, Layout, layout
from routilux_core.schema import check_keys
from routilux_core.views import ListView

if TYPE_CHECKING:
    from routilux_core.convert import Converter


class Writer:
    """Writes each value in its place. Subclasses write in one place what stands in several."""

    def __init__(self, converter: Converter) -> None:
        self.converter = converter

    def activation(self, activation: Activation, path: str) -> Any:
        """Write an activation."""
        return write_activation(activation, self, path)

    def error(self, error: ErrorRecord, path: str) -> Any:
        """Write an error record."""
        return error_layout().write(error, self, path)

    def payload(self, payload: dict[str, Any], path: str) -> Any:
        """Write a payload that an activation may have too, or the number of one that has the very same."""
        same = self.same(payload)
        return self.converter.encode(payload, path) if same is None else same

    def same(self, payload: dict[str, Any]) -> int | None:
        """Return the number of an activation that has this very payload and was written before."""

    def gathered(self, view: ListView[Any], path: str) -> dict[str, Any]:
        """Write what a slot had gathered for an activation."""
        return {"values": self.converter.encode(view, path)}

    def version(self, fingerprint: tuple[str, ...], path: str) -> Any:
        """Write which version of its flow a job runs."""
        return LINES.write(fingerprint, self, path)


class Reader:
    """Reads what a `Writer` wrote."""

    def __init__(self, converter: Converter) -> None:
        self.converter = converter

    def activation(self, plain: Any, path: str) -> Activation:
        """Read an activation."""
        return read_activation(plain, self, path)

    def error(self, plain: Any, path: str) -> ErrorRecord:
        """Read an error record."""
        return ErrorRecord(**error_layout().read(plain, self, path))

    def payload(self, plain: Any, path: str) -> dict[str, Any]:
        """Read a payload."""
        payload: dict[str, Any] = PAYLOAD.read(plain, self, path)
        return payload

    def gathered(self, plain: dict[str, Any], path: str) -> ListView[Any]:
        """Read what a slot had gathered."""
        check_keys(plain, path, ("field", "values"))
        values = self.converter.decode(plain["values"], f"{path}.values")
        return ListView(items(values, f"{path}.values"))

    def growing(self, view: ListView[Any]) -> list[Any]:
        """Return the list of a slot that goes on gathering."""
        return view.copy()

    def version(self, plain: Any, path: str) -> tuple[str, ...]:
        """Read which version of its flow a job runs."""
        lines: tuple[str, ...] = LINES.read(plain, self, path)
        return lines


LINES = several(TEXT)
VERSION = Part(
    lambda value, writer, path: writer.version(value, path),
    lambda plain, reader, path: reader.version(plain, path),
)


ACTIVATION = Part(
    lambda value, writer, path: writer.activation(value, path),
    lambda plain, reader, path: reader.activation(plain, path),
)
SOME = several(ACTIVATION)
ERROR = Part(
    lambda value, writer, path: writer.error(value, path),
    lambda plain, reader, path: reader.error(plain, path),
)
SENT = Part(
    lambda value, writer, path: writer.payload(value, path),
    lambda plain, reader, path: reader.payload(plain, path),
)
"""A payload that an activation may have too."""
FOLLOWING = Part(
    lambda value, writer, path: (SOME if type(value) is tuple else ACTIVATION).write(value, writer, path),
    lambda plain, reader, path: (SOME if type(plain) is list else ACTIVATION).read(plain, reader, path),
)
"""One activation by itself, or any number of them."""
KINDS: dict[Any, Part] = {
    **BY_TYPE,
    Activation: ACTIVATION,
    Activation | None: optional(ACTIVATION),
    tuple[Activation, ...]: SOME,
    Activation | tuple[Activation, ...]: FOLLOWING,
    ErrorRecord: ERROR,
    ErrorRecord | None: optional(ERROR),
}


@cache
def activation_layout() -> Layout:
    """Return how an activation is written, but for its payload."""
    return layout(Activation, {"priority": PRIORITY}, without=("data",))


@cache
def error_layout() -> Layout:
    """Return how an error record is written."""
    return layout(ErrorRecord)


def write_activation(activation: Activation, writer: Writer, path: str) -> dict[str, Any]:
    """Write an activation with what its slot had gathered apart from the rest of its payload."""
    plain = activation_layout().write(activation, writer, path)
    write_payload(activation.data, plain, writer, f"{path}.data")
    return plain


def write_payload(payload: dict[str, Any], plain: dict[str, Any], writer: Writer, path: str) -> None:
    """Write a payload into `plain`, and the lists that still grow apart from it."""
    same = writer.same(payload)
    if same is not None:
        plain["data"] = same
        return
    views = {name: value for name, value in payload.items() if type(value) is ListView}
    if views:
        plain["gathered"] = [
            {"field": TEXT.write(name, writer, path), **writer.gathered(view, f"{path}[{name!r}]")}
            for name, view in views.items()
        ]
        payload = {name: value for name, value in payload.items() if name not in views}
    if payload or not views:
        plain["data"] = writer.payload(payload, path)


def read_activation(plain: Any, reader: Reader, path: str) -> Activation:
    """Read an activation."""
    found = activation_layout().read(plain, reader, path, "data", "gathered")
    return Activation(data=read_payload(plain, reader, path), **found)


def read_payload(plain: dict[str, Any], reader: Reader, path: str) -> dict[str, Any]:
    """Read the payload of an object that has `data`, `gathered` or both."""
    if "data" not in plain and "gathered" not in plain:
        raise InvalidDocument(path, "it has no 'data'")
    payload = reader.payload(plain["data"], f"{path}.data") if "data" in plain else {}
    if "gathered" in plain:
        payload = dict(payload)
        for index, view in enumerate(items(plain["gathered"], f"{path}.gathered")):
            place = f"{path}.gathered[{index}]"
            if type(view) is not dict or "field" not in view:
                raise InvalidDocument(place, "it has no 'field'")
            payload[TEXT.read(view["field"], reader, f"{place}.field")] = reader.gathered(view, place)
    return payload
