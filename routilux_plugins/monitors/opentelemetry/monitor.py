"""Tracing: the monitor that makes spans."""

from __future__ import annotations

from collections import OrderedDict
from time import time_ns
from typing import TYPE_CHECKING, Any, ClassVar
from weakref import WeakKeyDictionary

from opentelemetry import context, trace

from routilux_core import Monitor, hookimpl
from routilux_plugins.monitors.opentelemetry.job_trace import JobTrace
from routilux_plugins.monitors.opentelemetry.provider import SCOPE, provider_for
from routilux_plugins.monitors.opentelemetry.settings import TracingSettings

if TYPE_CHECKING:
    from routilux_core import (
        Activation,
        ActivationCompleted,
        ActivationRetried,
        ActivationReturned,
        EventEmitted,
        EventPosted,
        Fact,
        Job,
        PayloadHeld,
        PayloadsReleased,
        PayloadsUnmatched,
    )
    from routilux_plugins.monitors.opentelemetry.surrounding import Surrounding

REMEMBERED = 1000
"""So many paused jobs are remembered, to link what comes after the pause."""


class Tracing(Monitor):
    """Traces jobs: a span for each job and, inside, one for each attempt of an activation.

    A handler runs inside the span of its attempt, in this process or in another one. A job that a handler
    starts is inside that handler's span. An activation is linked to the ones whose events it has got.
    """

    reads_only: ClassVar[bool] = True

    def __init__(
        self, settings: TracingSettings | None = None, provider: trace.TracerProvider | None = None
    ) -> None:
        self._settings = settings or TracingSettings()
        self._own: Any = None
        if provider is None and self._settings.endpoint is not None:
            provider = self._own = provider_for(self._settings.endpoint, self._settings.service)
        self._tracer = trace.get_tracer(SCOPE, tracer_provider=provider)
        self._traces: WeakKeyDictionary[Job, JobTrace] = WeakKeyDictionary()
        self._paused: OrderedDict[str, trace.SpanContext] = OrderedDict()

    # -- hooks -------------------------------------------------------------------------------------------

    @hookimpl
    def job_starting(self, job: Job) -> None:
        """Put the job inside of what its starter is in."""
        self._trace(job)

    @hookimpl
    def around_activation(self, job: Job, activation: Activation) -> Surrounding:
        """Let the handler run inside its span."""
        return self._trace(job).surrounding(activation)

    @hookimpl
    def manager_closing(self) -> None:
        """Send what is left."""
        if self._own is not None:
            self._own.shutdown()

    def _trace(self, job: Job) -> JobTrace:
        found = self._traces.get(job)
        if found is None:
            found = self._traces[job] = JobTrace(self._tracer, self._settings, job, context.get_current())
            found.begin(job.flow.flow_id, before=self._paused.pop(job.job_id, None))
        return found

    # -- the job -----------------------------------------------------------------------------------------

    def on_job_resumed(self, job: Job, fact: Fact) -> None:
        """Open a span for what comes after the pause."""
        self._trace(job).begin(job.flow.flow_id, _ns(fact), self._paused.pop(job.job_id, None))

    def on_job_paused(self, job: Job, fact: Fact) -> None:
        """Close the job's span for now."""
        ended = self._trace(job).end(_ns(fact), "paused")
        if ended is not None:
            self._paused[job.job_id] = ended
            while len(self._paused) > REMEMBERED:
                self._paused.popitem(last=False)

    def on_job_completed(self, job: Job, fact: Any) -> None:
        """Close the job's span for good."""
        outcome = fact.tag.removeprefix("job_")
        self._trace(job).end(_ns(fact), outcome, getattr(fact, "error", None))
        del self._traces[job]

    on_job_failed = on_job_cancelled = on_job_completed

    @hookimpl
    def job_left(self, job: Job) -> None:
        """Close the job's span and those in it: what follows is traced where the job goes on."""
        spans = self._traces.pop(job, None)
        if spans is not None:
            spans.end(time_ns(), "left")

    # -- activations -------------------------------------------------------------------------------------

    def on_activation_completed(self, job: Job, fact: ActivationCompleted) -> None:
        """Close its span."""
        work, spans = fact.activation, self._trace(job)
        spans.finish((work.id, work.attempt), _ns(fact), "completed")
        spans.forget(work.id)

    def on_activation_retried(self, job: Job, fact: ActivationRetried) -> None:
        """Close the span of the attempt that failed."""
        work = fact.activation  # as it is tried again
        self._trace(job).finish((work.id, work.attempt - 1), _ns(fact), "retried", fact.error)

    def on_activation_failed(self, job: Job, fact: Any) -> None:
        """Close its span."""
        spans, outcome = self._trace(job), fact.tag.removeprefix("activation_")
        spans.failed(fact.activation, _ns(fact), outcome, fact.error)
        spans.forget(fact.activation.id)

    on_activation_skipped = on_activation_failed

    def on_activation_returned(self, job: Job, fact: ActivationReturned) -> None:
        """Close the span of an attempt that was stopped, and will run again."""
        work = fact.activation
        self._trace(job).finish((work.id, work.attempt), _ns(fact), "returned")

    # -- along the events --------------------------------------------------------------------------------

    def on_event_emitted(self, job: Job, fact: EventEmitted) -> None:
        """Link what follows to the sender."""
        self._trace(job).sent(fact.activation, f"{fact.routine_id}.{fact.event}", fact.activations)

    def on_event_posted(self, job: Job, fact: EventPosted) -> None:
        """Know that what is delivered comes from outside."""
        self._trace(job).sent(None, "", fact.activations)

    def on_payload_held(self, job: Job, fact: PayloadHeld) -> None:
        """Remember the sender of a payload that waits."""
        self._trace(job).held((fact.routine_id, fact.slot, fact.key, fact.lane))

    def on_payloads_released(self, job: Job, fact: PayloadsReleased) -> None:
        """Link an activation to the senders of all the payloads that it has got."""
        self._trace(job).released(_places(fact), fact.activations)

    def on_payloads_unmatched(self, job: Job, fact: PayloadsUnmatched) -> None:
        """Forget the senders of what was never matched."""
        self._trace(job).released(_places(fact), ())


def _places(fact: PayloadsReleased | PayloadsUnmatched) -> list[tuple[Any, int]]:
    return [((fact.routine_id, fact.slot, fact.key, lane), count) for lane, count in fact.took]


def _ns(fact: Fact) -> int:
    return int(fact.at * 1e9)
