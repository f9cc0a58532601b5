"""FlowVersion: a flow as a store keeps it for its jobs, with the lines that tell it from other versions."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from routilux_core.document_errors import InvalidDocument
from routilux_core.document_part import items
from routilux_core.errors import RoutiluxError
from routilux_core.flow import Flow
from routilux_core.job_errors import FlowMismatch
from routilux_core.plain_bytes import dumps, loads
from routilux_core.schema import Schema, check_keys

if TYPE_CHECKING:
    from routilux_core.plan import Plan

SCHEMA = Schema("flow_version", 1)


@frozen(eq=False, repr=False)
class FlowVersion:
    """One version of a flow: structure and configuration."""

    flow_id: str
    lines: tuple[str, ...]
    """The fingerprint that jobs of it have."""
    document: Any
    """The flow's own document; None where it could not be made again from one."""
    obstacle: str = ""
    """Why not."""
    former: dict[str, tuple[str, ...]] = field(factory=dict)
    """Other versions that a job of this one has had, by name."""
    content: bytes = field(init=False)
    name: str = field(init=False)
    """The same for all versions that are the same, and only for these."""

    @content.default
    def _content(self) -> bytes:
        body = {
            "lines": self.lines,
            "flow": self.document,
            "obstacle": self.obstacle,
            "former": self.former,
        }
        return dumps(SCHEMA.envelope(body))

    @name.default
    def _name(self) -> str:
        return sha256(self.content).hexdigest()[:32]

    @property
    def all_lines(self) -> dict[str, tuple[str, ...]]:
        """The fingerprints of this version and of the former ones, by name."""
        return {**self.former, self.name: self.lines}

    def flow(self) -> Flow:
        """Return the flow, made again from its document."""
        if self.document is None:
            remedy = "resume the job where that flow is at hand"
            raise FlowMismatch(self.flow_id, (self.obstacle,), remedy)
        return Flow().deserialize(self.document)


def version_of(plan: Plan) -> FlowVersion:
    """Return the version that a plan is made of."""
    flow, document, obstacle = plan.flow, None, ""
    try:
        document = flow.serialize()
    except RoutiluxError as error:
        obstacle = str(error)
    return FlowVersion(flow.flow_id, plan.fingerprint, document, obstacle)


def read_version(flow_id: str, content: bytes) -> FlowVersion:
    """Return the version that a store has kept."""
    try:
        document = loads(content)
    except (ValueError, RecursionError) as error:
        raise InvalidDocument(f"the version of flow {flow_id!r}", "it is no JSON") from error
    body = check_keys(SCHEMA.open(document), SCHEMA.kind, ("lines", "flow", "obstacle", "former"))
    if type(body["obstacle"]) is not str or type(body["former"]) is not dict:
        raise InvalidDocument("obstacle", "a text belongs there, and an object to 'former'")
    former = {name: _lines(lines, f"former.{name}") for name, lines in body["former"].items()}
    return FlowVersion(flow_id, _lines(body["lines"], "lines"), body["flow"], body["obstacle"], former)


def _lines(plain: Any, path: str) -> tuple[str, ...]:
    lines = items(plain, path)
    if not all(type(line) is str for line in lines):
        raise InvalidDocument(path, "they are lines of text")
    return tuple(lines)
