"""`logging`: what happens to jobs, as records of the standard library's logging, each with its job's id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routilux_core import Registrar, hookimpl
from routilux_plugins.monitors.log.settings import LoggingSettings

if TYPE_CHECKING:
    from routilux_core import Monitor


def make_logging(settings: LoggingSettings) -> Monitor:
    """Log what happens to jobs, with the job's id in every record."""
    from routilux_plugins.monitors.log.monitor import Logging

    return Logging(settings)


@hookimpl
def register_components(registrar: Registrar) -> None:
    """Offer the monitor that logs."""
    registrar.monitor("logging", make_logging, settings=LoggingSettings)
