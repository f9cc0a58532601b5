"""A flow whose handlers say inside of which span they run. Worker processes import it."""

import asyncio
import os

from opentelemetry import baggage, trace

from routilux_core import ErrorHandler, Event, Flow, Routine, batch, slot


def span_id(span):
    return format(span.get_span_context().span_id, "016x")


def trace_id(span):
    return format(span.get_span_context().trace_id, "032x")


def here():
    """What a handler can say of the span that it runs inside of."""
    span = trace.get_current_span()
    return {
        "span": span_id(span),
        "trace": trace_id(span),
        "baggage": baggage.get_baggage("who"),
        "pid": os.getpid(),
    }


class Give(Routine):
    """Gives items one after the other."""

    output = Event("n", "here")

    @slot
    def trigger(self, count):
        for n in range(count):
            self.emit("output", n=n, here=here())
            yield


class Take(Routine):
    """Says where it was taken, on an event loop where it is async."""

    output = Event("n", "here")

    @slot(retry=ErrorHandler("retry", max_retries=1, retry_delay=0))
    def plain(self, n, **_):
        if n == 1 and self.get_execution_context().attempt == 1:
            raise OSError("the first attempt")
        self.emit("output", n=n, here=here())

    @slot
    async def awaits(self, n, **_):
        await asyncio.sleep(0)
        self.emit("output", n=n, here=here())

    @slot(when=batch(2))
    def batches(self, n, **_):
        self.emit("output", n=n, here=here())

    @slot
    def fails(self, n, **_):
        raise LookupError(f"no price of {n}")

    @slot
    def dies(self, n, **_):
        os._exit(1)


def traced(slot_name="plain"):
    flow = Flow("traced")
    flow.add_routine(Give(), "give")
    flow.add_routine(Take(), "take")
    flow.connect("give", "output", "take", slot_name)
    return flow
