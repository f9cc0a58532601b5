"""Options of the monitor `logging`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from attrs import Factory, frozen

Level = Literal["debug", "info", "warning", "error", "critical", "off"]


@frozen(kw_only=True)
class LoggingSettings:
    """Options of the monitor `logging`."""

    level: Level = "info"
    """The lowest level that is logged. Facts below it are not looked at."""
    levels: Mapping[str, Level] = Factory(dict)
    """The level of kinds of facts, as `activation_completed`, where it is not the usual one."""
    format: Literal["text", "json"] | None = None
    """How records are written to the standard error output; without it, the program says where they go."""
