"""JobTrace: the spans of one job that are open, and what those to come are linked to."""

from __future__ import annotations

from collections import defaultdict, deque
from threading import Lock
from typing import TYPE_CHECKING, Any

from opentelemetry import trace

from routilux_plugins.monitors.opentelemetry.surrounding import Surrounding

if TYPE_CHECKING:
    from collections.abc import Iterable

    from opentelemetry.context import Context

    from routilux_core import Activation, ErrorRecord, Job
    from routilux_plugins.monitors.opentelemetry.settings import TracingSettings

Place = tuple[int, int]
"""An activation's number and the attempt."""
Links = list[trace.Link]


class JobTrace:
    """The trace of one job. Facts come in order; handlers ask for their spans from any thread."""

    def __init__(self, tracer: trace.Tracer, settings: TracingSettings, job: Job, parent: Context) -> None:
        self._tracer = tracer
        self._settings = settings
        self._parent = parent
        self._attributes = {"routilux.job_id": job.job_id, "routilux.flow_id": job.flow.flow_id}
        self._lock = Lock()
        """Held while a span is opened or linked, so that no link is lost between the two."""
        self._open: dict[Place, Surrounding] = {}
        self._links: dict[int, Links] = {}
        """What the activations that are not over are linked to."""
        self._held: dict[Any, deque[trace.Link | None]] = defaultdict(deque)
        """What the payloads are linked to that wait in slots, by slot, group and lane."""
        self._last: trace.Link | None = None
        """The event that is being delivered."""
        self.span: trace.Span | None = None

    # -- the job -----------------------------------------------------------------------------------------

    def begin(self, flow_id: str, at: int | None = None, before: trace.SpanContext | None = None) -> None:
        """Open the span of the job; `before` is the one that it had before a pause."""
        if self.span is None:
            links = [] if before is None else [trace.Link(before, {"routilux.link": "before the pause"})]
            self.span = self._tracer.start_span(
                flow_id, self._parent, attributes=self._attributes, links=links, start_time=at
            )
            self._around = trace.set_span_in_context(self.span, self._parent)

    def end(self, at: int, outcome: str, error: ErrorRecord | None = None) -> trace.SpanContext | None:
        """Close the span of the job and those that are still open in it."""
        for place in list(self._open):
            self.finish(place, at, outcome)
        span, self.span = self.span, None
        if span is None:
            return None
        _close(span, at, outcome, error)
        return span.get_span_context()

    # -- its activations ---------------------------------------------------------------------------------

    def surrounding(self, work: Activation) -> Surrounding:
        """Return what the handler runs in: the span of its attempt, opened when this is first asked for."""
        found = self._open.get((work.id, work.attempt))
        return found or self._opened(work, None)

    def _opened(self, work: Activation, at: int | None) -> Surrounding:
        attributes: dict[str, Any] = {
            **self._attributes,
            "routilux.routine_id": work.routine_id,
            "routilux.slot": work.slot,
            "routilux.activation": work.id,
            "routilux.attempt": work.attempt,
        }
        if work.source is not None:
            attributes["routilux.source"] = work.source
        with self._lock:
            links = self._links.get(work.id)
            span = self._tracer.start_span(
                work.target, self._around, attributes=attributes, links=links, start_time=at
            )
            made = Surrounding(span, self._around, work.target, self._settings)
            self._open[work.id, work.attempt] = made
        return made

    def finish(self, place: Place, at: int, outcome: str, error: ErrorRecord | None = None) -> None:
        """Close the span of an attempt."""
        found = self._open.pop(place, None)
        if found is not None:
            _close(found.span, found.left or at, outcome, error)

    def failed(self, work: Activation, at: int, outcome: str, error: ErrorRecord) -> None:
        """Close the span of an attempt that failed; one that failed before it began has had none so far."""
        if (work.id, work.attempt) not in self._open:
            self._opened(work, at)
        self.finish((work.id, work.attempt), at, outcome, error)

    def forget(self, number: int) -> None:
        """Know that an activation is over for good."""
        self._links.pop(number, None)

    # -- along the events --------------------------------------------------------------------------------

    def sent(self, sender: Activation | None, event: str, receivers: Iterable[Activation]) -> None:
        """Link what follows from an event to who sent it."""
        found = None if sender is None else self._open.get((sender.id, sender.attempt))
        link = None
        if found is not None:
            link = trace.Link(found.span.get_span_context(), {"routilux.event": event})
        self._last = link
        for receiver in receivers:
            self._link(receiver, [link])

    def held(self, place: Any) -> None:
        """Keep what a payload is linked to that waits in a slot."""
        self._held[place].append(self._last)

    def released(self, places: Iterable[tuple[Any, int]], receivers: Iterable[Activation]) -> None:
        """Link what follows from payloads that waited to those who sent them."""
        found = [
            self._held[place].popleft()
            for place, count in places
            for _ in range(min(count, len(self._held[place])))
        ]
        for receiver in receivers:
            self._link(receiver, found or [self._last])

    def _link(self, receiver: Activation, links: Iterable[trace.Link | None]) -> None:
        known = [link for link in links if link is not None]
        if not known:
            return
        with self._lock:
            self._links[receiver.id] = known
            attempt = receiver.attempt
            while found := self._open.get((receiver.id, attempt)):  # what it got was told after it had begun
                if found.span.is_recording():
                    for link in known:
                        found.span.add_link(link.context, link.attributes)
                attempt += 1


def _close(span: trace.Span, at: int, outcome: str, error: ErrorRecord | None) -> None:
    span.set_attribute("routilux.outcome", outcome)
    if error is not None:
        details = {
            "exception.type": error.type,
            "exception.message": error.message,
            "exception.stacktrace": error.traceback,
        }
        span.add_event("exception", details, at)
        span.set_status(trace.Status(trace.StatusCode.ERROR, f"{error.type}: {error.message}"))
    span.end(at)
