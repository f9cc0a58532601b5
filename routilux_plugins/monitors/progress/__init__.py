"""`progress`: a live view of how far jobs are, or plain lines where there is no terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routilux_core import Registrar, hookimpl
from routilux_plugins.monitors.progress.settings import ProgressSettings

if TYPE_CHECKING:
    from routilux_core import Monitor


def make_progress(settings: ProgressSettings) -> Monitor:
    """Show for each routine what is done, running and waiting, its errors and its rate."""
    from routilux_plugins.monitors.progress.monitor import Progress

    return Progress(settings)


@hookimpl
def register_components(registrar: Registrar) -> None:
    """Offer the monitor that shows progress."""
    registrar.monitor("progress", make_progress, settings=ProgressSettings)
