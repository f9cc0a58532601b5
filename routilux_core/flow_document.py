"""A flow as a document: its routines, its sub-flows, its connections and how it is run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from routilux_core.document_errors import InvalidDocument, shorten, shorten_line
from routilux_core.error_handler import handler_body, handler_from
from routilux_core.errors import RoutiluxError
from routilux_core.graph import Graph
from routilux_core.rebuilding import rebuilt
from routilux_core.routine_document import routine_body
from routilux_core.schema import Schema, check_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from routilux_core.connection import Connection
    from routilux_core.routine import Routine

SCHEMA = Schema("flow", 1)
PATH = "flow"
OPTIONS = ("execution_strategy", "max_workers", "execution_timeout")
"""What the constructor of a flow takes after the id, in that order."""
DEEPEST = 50
"""How many flows may stand within each other in a document."""


def flow_body(flow: Graph) -> dict[str, Any]:
    """Return a flow as the body of a document."""
    return _Writer().flow(flow, PATH, "")


def read_flow(body: Any, make: Callable[..., Graph]) -> Graph:
    """Return the flow that the body of a document describes; `make` makes an empty one."""
    return _Reader(make).flow(body, PATH, "", DEEPEST)


class _Writer:
    """Writes what it meets for the first time, and after that only where it stands already."""

    def __init__(self) -> None:
        self.places: dict[int, str] = {}

    def flow(self, flow: Graph, path: str, place: str) -> dict[str, Any]:
        body: dict[str, Any] = {"flow_id": flow.flow_id}
        body |= {name: getattr(flow, name) for name in OPTIONS if getattr(flow, name) is not None}
        if flow.error_handler is not None:
            body["error_handler"] = handler_body(flow.error_handler)
        body["routines"] = {
            name: self.member(member, f"{path}.routines[{name!r}]", f"{place}{name}")
            for name, member in flow.members.items()
        }
        body["connections"] = [_connection_body(connection) for connection in flow.own_connections]
        return body

    def member(self, member: Routine | Graph, path: str, place: str) -> dict[str, Any]:
        known = self.places.setdefault(id(member), place)
        if known != place:
            return {"same_as": known}
        if isinstance(member, Graph):
            return {"flow": self.flow(member, f"{path}.flow", f"{place}.")}
        return routine_body(member, path)


def _connection_body(connection: Connection) -> dict[str, Any]:
    body: dict[str, Any] = {"source": connection.source, "target": connection.target}
    if connection.param_mapping:
        body["param_mapping"] = dict(connection.param_mapping)
    return body


class _Reader:
    """Makes what it reads, and finds again what it has made."""

    def __init__(self, make: Callable[..., Graph]) -> None:
        self.make = make
        self.made: dict[str, Routine | Graph] = {}

    def flow(self, body: Any, path: str, place: str, room: int) -> Graph:
        check_keys(body, path, ("routines",), ("flow_id", *OPTIONS, "error_handler", "connections"))
        if not room:
            raise InvalidDocument(shorten_line(path), f"more than {DEEPEST} flows stand within each other")
        strategy = body.get("execution_strategy")
        if strategy is not None and type(strategy) is not str:
            raise InvalidDocument(
                f"{path}.execution_strategy", f"it is {shorten(strategy)}, and text is wanted"
            )
        flow: Graph = _attempt(path, self.make, body.get("flow_id"), *(body.get(name) for name in OPTIONS))
        if body.get("error_handler") is not None:
            flow.error_handler = handler_from(body["error_handler"], f"{path}.error_handler")
        for name, plain in _entries(body["routines"], f"{path}.routines"):
            where = f"{path}.routines[{name!r}]"
            member = self.made[f"{place}{name}"] = self.member(plain, where, f"{place}{name}", room)
            _attempt(where, flow.add_routine, member, name)
        connections = body.get("connections", [])
        if type(connections) is not list:
            raise InvalidDocument(
                f"{path}.connections", f"it is {shorten(connections)}, and a list is wanted"
            )
        for index, plain in enumerate(connections):
            _connect(flow, plain, f"{path}.connections[{index}]")
        return flow

    def member(self, plain: Any, path: str, place: str, room: int) -> Routine | Graph:
        if type(plain) is dict and "same_as" in plain:
            name = check_keys(plain, path, ("same_as",))["same_as"]
            if type(name) is not str or name not in self.made:
                raise InvalidDocument(f"{path}.same_as", f"nothing before it is {shorten(name)}")
            return self.made[name]
        if type(plain) is dict and "flow" in plain:
            inner = check_keys(plain, path, ("flow",))["flow"]
            return self.flow(inner, f"{path}.flow", f"{place}.", room - 1)
        return rebuilt(plain, path)


def _entries(plain: Any, path: str) -> Iterator[tuple[str, Any]]:
    if type(plain) is not dict:
        raise InvalidDocument(path, f"it is {shorten(plain)}, and an object is wanted")
    yield from plain.items()


def _connect(flow: Graph, plain: Any, path: str) -> None:
    check_keys(plain, path, ("source", "target"), ("param_mapping",))
    for end in ("source", "target"):
        if type(plain[end]) is not str:
            raise InvalidDocument(f"{path}.{end}", f"it is {shorten(plain[end])}, and text is wanted")
    _attempt(path, flow.connect, plain["source"], plain["target"], param_mapping=plain.get("param_mapping"))


def _attempt(path: str, do: Callable[..., Any], *values: Any, **named: Any) -> Any:
    """Do something with what a document gives; an error says where it stands."""
    try:
        return do(*values, **named)
    except InvalidDocument:
        raise
    except RoutiluxError as error:
        raise InvalidDocument(path, str(error)) from error
