"""Selection: tables that are switched on by name, in one line, wherever settings come from.

`monitors = ["tracker"]` says exactly which are on. A table `[monitors.tracker]` with options, or
`monitors.tracker = true`, switches one on beside others. What a list has not named, in its own source or in a
lower one, is off and keeps its options.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from routilux_core.component import ENABLED
from routilux_core.errors import InvalidOption
from routilux_core.scalar import Text, json_value

SELECTED = "monitors"
"""The setting that has such tables."""
OTHERS = "*"
"""Stands for all that a list has not named."""


def selected(value: Any) -> dict[str, Any]:
    """Return tables with `enabled` in them for a list, a text from a variable, or a table."""
    if isinstance(value, Text):
        value = _listed(value)
    if isinstance(value, (list, tuple)) and all(isinstance(name, str) for name in value):
        value = {**{str(name): {ENABLED: True} for name in value}, OTHERS: {ENABLED: False}}
    if not isinstance(value, Mapping):
        raise InvalidOption(SELECTED, value, "a list of names, or a table of options for each name")
    tables = {name: {ENABLED: one} if isinstance(one, (bool, Text)) else one for name, one in value.items()}
    if OTHERS in tables:
        tables = {
            name: {ENABLED: False, **one} if isinstance(one, Mapping) else one for name, one in tables.items()
        }
    return tables


def _listed(text: Text) -> Any:
    found = json_value(text, "{")
    if isinstance(found, Text):
        found = json_value(found, "[")
    if not isinstance(found, Text):
        return found
    return [] if found.strip().lower() == "none" else [one.strip() for one in found.split(",") if one.strip()]


def shut_out(tables: Mapping[str, Any], lower: Mapping[str, Any]) -> list[str]:
    """Return the names among a `lower` source's tables that the list of a higher one has not named."""
    return [name for name in lower if name not in tables] if OTHERS in tables else []
