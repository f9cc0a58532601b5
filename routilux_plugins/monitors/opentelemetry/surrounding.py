"""Surrounding: what a handler runs inside of, in this process or in another one."""

from __future__ import annotations

import os
from time import time_ns
from typing import TYPE_CHECKING, Any, Self

from opentelemetry import context, propagate, trace

from routilux_plugins.monitors.opentelemetry.provider import tracer_elsewhere

if TYPE_CHECKING:
    from routilux_plugins.monitors.opentelemetry.settings import TracingSettings


class Surrounding:
    """Lets a handler run inside its activation's span; sent elsewhere, inside a span of that process."""

    def __init__(
        self, span: trace.Span, around: context.Context, name: str, settings: TracingSettings
    ) -> None:
        self.span = span
        self.left: int | None = None
        """When the handler was left for the last time, in nanoseconds since the epoch."""
        self._context = trace.set_span_in_context(span, around)
        self._name = name
        self._settings = settings

    def __enter__(self) -> Self:
        self._token = context.attach(self._context)
        return self

    def __exit__(self, *_: object) -> None:
        context.detach(self._token)
        self.left = time_ns()

    def __reduce__(self) -> tuple[Any, ...]:
        headers: dict[str, str] = {}
        propagate.inject(headers, self._context)
        return Elsewhere, (headers, self._name, self._settings.endpoint, self._settings.service)


class Elsewhere:
    """Lets a handler run inside a span of this process, whose parent is its activation's at home.

    Where no tracer provider is set up in this process, the activation's own span is the current one, so that
    what the handler calls is told of it all the same.
    """

    def __init__(self, headers: dict[str, str], name: str, endpoint: str | None, service: str) -> None:
        self._parent = propagate.extract(headers)
        self._name = name
        self._tracer = tracer_elsewhere(endpoint, service)

    def __enter__(self) -> Self:
        attributes = {"process.pid": os.getpid()}
        self._span = self._tracer.start_span(self._name, self._parent, attributes=attributes)
        self._token = context.attach(trace.set_span_in_context(self._span, self._parent))
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        context.detach(self._token)
        if error is not None:
            self._span.record_exception(error)
            self._span.set_status(trace.Status(trace.StatusCode.ERROR, str(error)))
        self._span.end()
