"""`tracker`: how often routines, flows and jobs run, how long they take, how often they fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routilux_core import Registrar, hookimpl
from routilux_plugins.monitors.tracker.settings import TrackerSettings

if TYPE_CHECKING:
    from routilux_core import Monitor


def make_tracker(settings: TrackerSettings) -> Monitor:
    """Count what routines, flows and jobs do, and measure how long they take."""
    from routilux_plugins.monitors.tracker.tracker import Tracker

    return Tracker(settings.jobs)


@hookimpl
def register_components(registrar: Registrar) -> None:
    """Offer the monitor that measures."""
    registrar.monitor("tracker", make_tracker, settings=TrackerSettings)
