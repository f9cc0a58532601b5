"""`opentelemetry`: a trace of each job, with a span for each activation, across processes too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routilux_core import Registrar, hookimpl
from routilux_plugins.monitors.opentelemetry.settings import TracingSettings

if TYPE_CHECKING:
    from routilux_core import Monitor


def make_tracing(settings: TracingSettings) -> Monitor:
    """Trace jobs: a span for each job and each activation, with links along the events."""
    from routilux_plugins.monitors.opentelemetry.monitor import Tracing

    return Tracing(settings)


@hookimpl
def register_components(registrar: Registrar) -> None:
    """Offer the monitor that traces."""
    registrar.monitor("opentelemetry", make_tracing, settings=TracingSettings)
