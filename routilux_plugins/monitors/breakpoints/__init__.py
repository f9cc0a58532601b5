"""`breakpoints`: a job stands still before a routine, or at a fact, until somebody has looked at it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routilux_core import Registrar, hookimpl
from routilux_plugins.monitors.breakpoints.settings import BreakpointsSettings

if TYPE_CHECKING:
    from routilux_core import Monitor


def make_breakpoints(settings: BreakpointsSettings) -> Monitor:
    """Let jobs stand still before chosen routines or at chosen facts, to look at them and go on in steps."""
    from routilux_plugins.monitors.breakpoints.monitor import Breakpoints

    return Breakpoints(settings)


@hookimpl
def register_components(registrar: Registrar) -> None:
    """Offer the monitor that stops jobs."""
    registrar.monitor("breakpoints", make_breakpoints, settings=BreakpointsSettings)
