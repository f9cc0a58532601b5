"""A flow as a picture in text: Mermaid and DOT."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from routilux_core.routine import Routine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from routilux_core.connection import Connection
    from routilux_core.flow import Flow
    from routilux_core.graph import Graph


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return "\\n".join(escaped.splitlines())


def _label(connection: Connection, newline: str) -> str:
    text = f"{connection.event} to {connection.slot}"
    renamed = [f"{old} as {new}" for old, new in connection.param_mapping.items()]
    return newline.join([text, *renamed])


def _mermaid_text(text: str) -> str:
    return "".join(one if one.isalnum() or one in " ._-" else f"#{ord(one)};" for one in text)


def mermaid(flow: Flow) -> str:
    """Return `flow` as a Mermaid flowchart, sub-flows as subgraphs."""
    numbers = {routine_id: f"n{index}" for index, routine_id in enumerate(flow.routines)}
    groups = count()

    def nodes(inner: Graph, prefix: str, indent: str) -> Iterator[str]:
        for name, member in inner.members.items():
            routine_id = prefix + name
            if isinstance(member, Routine):
                kind = _mermaid_text(type(member).__name__)
                yield f'{indent}{numbers[routine_id]}["{_mermaid_text(name)}<br/><small>{kind}</small>"]'
            else:
                yield f'{indent}subgraph s{next(groups)}["{_mermaid_text(name)}"]'
                yield from nodes(member, f"{routine_id}.", indent + "    ")
                yield f"{indent}end"

    lines = ["flowchart LR", *nodes(flow, "", "    ")]
    for connection in flow.connections:
        label = "<br/>".join(_mermaid_text(part) for part in _label(connection, "\n").split("\n"))
        lines.append(f'    {numbers[connection.source_id]} -->|"{label}"| {numbers[connection.target_id]}')
    return "\n".join(lines) + "\n"


def dot(flow: Flow) -> str:
    """Return `flow` as a DOT digraph, sub-flows as clusters."""

    def nodes(inner: Graph, prefix: str, indent: str) -> Iterator[str]:
        for name, member in inner.members.items():
            routine_id = prefix + name
            if isinstance(member, Routine):
                kind = _quoted(type(member).__name__)
                yield f'{indent}"{_quoted(routine_id)}" [label="{_quoted(name)}\\n{kind}"];'
            else:
                yield f'{indent}subgraph "cluster_{_quoted(routine_id)}" {{'
                yield f'{indent}    label="{_quoted(name)}";'
                yield from nodes(member, f"{routine_id}.", indent + "    ")
                yield f"{indent}}}"

    lines = [f'digraph "{_quoted(flow.flow_id)}" {{', "    rankdir=LR;", "    node [shape=box];"]
    lines.extend(nodes(flow, "", "    "))
    for connection in flow.connections:
        label = "\\n".join(_quoted(part) for part in _label(connection, "\n").split("\n"))
        source, target = _quoted(connection.source_id), _quoted(connection.target_id)
        lines.append(f'    "{source}" -> "{target}" [label="{label}"];')
    return "\n".join([*lines, "}"]) + "\n"
