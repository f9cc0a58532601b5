"""Requests in a store: what somebody asks of a job that another process has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from routilux_core.document_errors import InvalidDocument
from routilux_core.document_part import PAYLOAD, TEXT, VALUE, Part
from routilux_core.plain_bytes import dumps, loads
from routilux_core.schema import Schema, check_keys

if TYPE_CHECKING:
    from routilux_core.activation_document import Reader, Writer

SCHEMA = Schema("request", 1)
PAUSE, RESUME, CANCEL, POST = "pause", "resume", "cancel", "post"
PARTS: dict[str, dict[str, Part]] = {
    PAUSE: {"reason": VALUE, "checkpoint": VALUE},
    RESUME: {},
    CANCEL: {"reason": VALUE},
    POST: {"routine_id": TEXT, "slot": TEXT, "data": PAYLOAD},
}
"""What belongs to each kind of request."""


def write_request(kind: str, values: dict[str, Any], writer: Writer) -> bytes:
    """Return a request's content; `NotSerializable` names what in it cannot be kept."""
    plain = {name: part.write(values[name], writer, name) for name, part in PARTS[kind].items()}
    return dumps(SCHEMA.envelope(plain))


def read_request(kind: str, content: bytes, reader: Reader) -> dict[str, Any]:
    """Return what `write_request` was given."""
    parts, path = PARTS.get(kind), f"request {kind!r}"
    if parts is None:
        raise InvalidDocument(path, f"there is no such request; there are: {', '.join(PARTS)}")
    try:
        document = loads(content)
    except (ValueError, RecursionError) as error:
        raise InvalidDocument(path, "it is no JSON") from error
    body = check_keys(SCHEMA.open(document), path, tuple(parts))
    return {name: part.read(body[name], reader, f"{path}.{name}") for name, part in parts.items()}
