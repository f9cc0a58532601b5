"""`prometheus`: metrics of jobs, routines and events, for a Prometheus server to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routilux_core import Registrar, hookimpl
from routilux_plugins.monitors.prometheus.settings import PrometheusSettings

if TYPE_CHECKING:
    from routilux_core import Monitor


def make_prometheus(settings: PrometheusSettings) -> Monitor:
    """Count jobs, activations and events, and measure how long they take, as Prometheus metrics."""
    from routilux_plugins.monitors.prometheus.monitor import Prometheus

    return Prometheus(settings)


@hookimpl
def register_components(registrar: Registrar) -> None:
    """Offer the monitor that counts for Prometheus."""
    registrar.monitor("prometheus", make_prometheus, settings=PrometheusSettings)
