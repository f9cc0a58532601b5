"""Options of the monitor `opentelemetry`."""

from __future__ import annotations

from attrs import frozen


@frozen(kw_only=True)
class TracingSettings:
    """Options of the monitor `opentelemetry`."""

    endpoint: str | None = None
    """Where spans are sent, as OTLP over HTTP: `http://localhost:4318/v1/traces`.

    Without it, they go to the tracer provider that the program has set.
    """
    service: str = "routilux"
    """The name of the service, where `endpoint` is given."""
