"""`jsonl`: every fact as a line of JSON in a file, for other programs to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routilux_core import Registrar, hookimpl
from routilux_plugins.monitors.jsonl.settings import JsonlSettings

if TYPE_CHECKING:
    from routilux_core import Monitor


def make_jsonl(settings: JsonlSettings) -> Monitor:
    """Append facts to a file, one line of JSON for each."""
    from routilux_plugins.monitors.jsonl.monitor import Jsonl

    return Jsonl(settings)


@hookimpl
def register_components(registrar: Registrar) -> None:
    """Offer the monitor that writes a file."""
    registrar.monitor("jsonl", make_jsonl, settings=JsonlSettings)
