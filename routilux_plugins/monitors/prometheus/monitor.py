"""Prometheus: the monitor that counts for a Prometheus server."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar
from weakref import finalize

from prometheus_client import REGISTRY, CollectorRegistry, generate_latest, start_http_server

from routilux_core import InvalidOption, Monitor, hookimpl
from routilux_plugins.monitors.prometheus.metrics import metrics_of
from routilux_plugins.monitors.prometheus.settings import PrometheusSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from routilux_core import ActivationCompleted, EventEmitted, Fact, Job


class Prometheus(Monitor):
    """Counts jobs, activations and events, and measures how long they take.

    >>> from routilux_core import Flow, routine
    >>> from routilux_plugins.monitors.prometheus.monitor import Prometheus
    >>> @routine
    ... def double(value):
    ...     return {"value": 2 * value}
    >>> flow, prometheus = Flow("doubling"), Prometheus()
    >>> _ = flow.add_routine(double(), "double")
    >>> _ = flow.execute("double", {"value": 4}, monitors=[prometheus])
    >>> [line for line in prometheus.text().splitlines() if line.startswith("routilux_jobs_total")]
    ['routilux_jobs_total{flow="doubling",status="completed"} 1.0']
    """

    reads_only: ClassVar[bool] = True

    def __init__(
        self, settings: PrometheusSettings | None = None, registry: CollectorRegistry | None = None
    ) -> None:
        settings = settings or PrometheusSettings()
        if registry is None:
            registry = REGISTRY if settings.shared else CollectorRegistry()
        self.registry = registry
        """Where the metrics are."""
        self._metrics = metrics_of(registry, settings.buckets)
        self._finished = cache(self._finishing)
        self._sent = cache(lambda *labels: self._metrics.events.labels(*labels).inc)
        self._since: dict[str, float] = {}
        """When jobs began to run, by their ids."""
        self.port: int | None = None
        """The port on which the metrics are served."""
        self._serving: Callable[[], object] | None = None
        if settings.port is not None:
            try:
                server, _ = start_http_server(settings.port, settings.address, registry)
            except OSError as error:
                raise InvalidOption("port", settings.port, f"a port to serve on: {error}") from error
            self.port = server.server_port
            self._serving = finalize(self, _end, server)  # also where its manager could not be made

    def text(self) -> str:
        """Return the metrics as Prometheus reads them."""
        return generate_latest(self.registry).decode()

    # -- what it hears -----------------------------------------------------------------------------------

    def on_activation_completed(self, job: Job, fact: ActivationCompleted) -> None:
        """Count it and how long it took."""
        count, measure = self._finished(job.flow.flow_id, fact.activation.routine_id)
        count()
        measure(fact.seconds)

    def on_event_emitted(self, job: Job, fact: EventEmitted) -> None:
        """Count it."""
        self._sent(job.flow.flow_id, fact.routine_id, fact.event)()

    def on_activation_failed(self, job: Job, fact: Any) -> None:
        """Count the attempt."""
        outcome = fact.tag.removeprefix("activation_")
        self._metrics.activations.labels(job.flow.flow_id, fact.activation.routine_id, outcome).inc()

    on_activation_retried = on_activation_skipped = on_activation_failed

    def on_job_started(self, job: Job, fact: Fact) -> None:
        """Count it as running."""
        if job.job_id not in self._since:
            self._since[job.job_id] = fact.at
            self._metrics.jobs_running.labels(job.flow.flow_id).inc()

    on_job_resumed = on_job_started

    def on_job_paused(self, job: Job, fact: Fact) -> None:
        """Count it as running no more."""
        since, flow_id = self._since.pop(job.job_id, None), job.flow.flow_id
        if since is not None:
            self._metrics.jobs_running.labels(flow_id).dec()
            self._metrics.job_seconds.labels(flow_id).observe(fact.at - since)

    def on_job_completed(self, job: Job, fact: Fact) -> None:
        """Count how it ended."""
        self.on_job_paused(job, fact)
        self._metrics.jobs.labels(job.flow.flow_id, fact.tag.removeprefix("job_")).inc()

    on_job_failed = on_job_cancelled = on_job_completed

    @hookimpl
    def job_left(self, job: Job) -> None:
        """Count it as running no more."""
        if self._since.pop(job.job_id, None) is not None:
            self._metrics.jobs_running.labels(job.flow.flow_id).dec()

    @hookimpl
    def manager_closing(self) -> None:
        """Serve no more."""
        if self._serving is not None:
            self._serving()

    def _finishing(self, flow_id: str, routine_id: str) -> tuple[Callable[[], None], Callable[[float], None]]:
        metrics = self._metrics
        count = metrics.activations.labels(flow_id, routine_id, "completed").inc
        return count, metrics.activation_seconds.labels(flow_id, routine_id).observe


def _end(server: Any) -> None:
    """Serve no more, and free the port."""
    server.shutdown()
    server.server_close()
