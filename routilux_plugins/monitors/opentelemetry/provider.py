"""Provider: who makes tracers here, the program's own provider or one that sends to an endpoint."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from opentelemetry import trace

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

SCOPE = "routilux"
"""The name of the instrumentation, as OpenTelemetry calls it."""
PATIENCE = 5.0
"""Seconds that sending takes at most."""


def provider_for(endpoint: str, service: str) -> TracerProvider:
    """Return a new provider that sends spans to an endpoint."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": service}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint, timeout=PATIENCE)))
    return provider


@cache
def tracer_elsewhere(endpoint: str | None, service: str) -> trace.Tracer:
    """Return the tracer of a process that only runs handlers; it sends what is left when the process ends."""
    return trace.get_tracer(SCOPE) if endpoint is None else provider_for(endpoint, service).get_tracer(SCOPE)
