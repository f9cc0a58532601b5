"""Metrics: what is counted and measured, in one registry."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from prometheus_client import Counter, Gauge, Histogram

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

_LOCK = threading.Lock()
_KNOWN: WeakKeyDictionary[CollectorRegistry, Metrics] = WeakKeyDictionary()


class Metrics:
    """The metrics of one registry."""

    def __init__(self, registry: CollectorRegistry, buckets: tuple[float, ...]) -> None:
        self.jobs = Counter("routilux_jobs", "Jobs that are over.", ("flow", "status"), registry=registry)
        self.jobs_running = Gauge(
            "routilux_jobs_running", "Jobs that are neither over nor paused.", ("flow",), registry=registry
        )
        self.job_seconds = Histogram(
            "routilux_job_seconds",
            "From the start of a job, or from its resume, to its end, or to a pause.",
            ("flow",),
            buckets=buckets,
            registry=registry,
        )
        self.activations = Counter(
            "routilux_activations",
            "Attempts that are over: completed, retried, failed or skipped.",
            ("flow", "routine", "outcome"),
            registry=registry,
        )
        self.activation_seconds = Histogram(
            "routilux_activation_seconds",
            "How long the handlers took that returned.",
            ("flow", "routine"),
            buckets=buckets,
            registry=registry,
        )
        self.events = Counter(
            "routilux_events", "Events that were sent.", ("flow", "routine", "event"), registry=registry
        )


def metrics_of(registry: CollectorRegistry, buckets: tuple[float, ...]) -> Metrics:
    """Return the metrics of a registry, which several managers may share."""
    with _LOCK:
        found = _KNOWN.get(registry)
        if found is None:
            found = _KNOWN[registry] = Metrics(registry, buckets)
        return found
