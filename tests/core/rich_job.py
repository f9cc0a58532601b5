"""A job that stands still with something of everything, to be saved and to go on.

`write_document` wrote the stored documents. They are made once for each schema and kept for ever.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from os import sep
from pathlib import Path
from uuid import UUID

from attrs import frozen

from routilux_core import (
    ErrorHandler,
    Event,
    Flow,
    JobManager,
    Routine,
    all_sources,
    at_end,
    batch,
    get_execution_context,
    routine,
    slot,
)
from routilux_core.testing.clock import ManualClock
from routilux_plugins.executors import sequential

DELAY = 60.0
"""Seconds that the retry waits."""


class Color(Enum):
    RED = "red"


@frozen
class Order:
    number: int
    tags: tuple[str, ...]
    color: Color = Color.RED


VALUES = {
    "order": Order(7, ("a", "b")),
    "tuple": (1, (2, [3])),
    "by number": {1: "one", (2, 3): "two and three"},
    "set": {1, 2, 3},
    "frozen": frozenset({"x"}),
    "bytes": b"\x00\xff",
    "decimal": Decimal("1.10"),
    "uuid": UUID(int=5),
    "path": Path("a/b"),
    "time": datetime(2024, 5, 6, 7, 8, 9, 10, tzinfo=UTC),
    "duration": timedelta(days=1, microseconds=1),
    "large": 2**70,
    "infinite": float("inf"),
    "text": "ünïcode \udc80",
    "nested": [{"a": [1, None, True, 1.5]}],
}


class Source(Routine):
    """Sends much, and in the midst of it what lets the job stand still."""

    number = Event("n")
    paid = Event("key", "amount")
    shipped = Event("key", "place")
    flaky = Event()
    broken = Event()
    counted = Event("upto")
    stop = Event()
    later = Event("n")
    unheard = Event("text")

    @slot
    def trigger(self, upto):
        state = get_execution_context().job_state
        self.emit("flaky")
        self.emit("broken")
        self.emit("counted", upto=3)
        for n in range(upto):
            self.emit("number", n=n)
        self.emit("paid", key=(1, "a"), amount=Decimal(3))
        self.emit("paid", key=(2, "b"), amount=Decimal(4))
        self.emit("paid", key=(3, "c"), amount=Decimal(5))
        self.emit("shipped", key=(1, "a"), place="here")
        self.emit("stop")
        for n in range(upto, 2 * upto):
            self.emit("number", n=n)
        self.emit("shipped", key=(2, "b"), place="there")
        self.emit("unheard", text="hello")
        self.emit_deferred_event("later", n=100)
        self.emit_deferred_event("later", n=200)
        for name, value in VALUES.items():
            state.update_shared_data(name, value)
        state.append_to_shared_log(("sent", upto))
        self.set_stat("last", upto)
        self.increment_stat("runs")
        self.send_output("progress", share=0.5, at=VALUES["time"])
        state.update_routine_state("source", {"note": ("done", 1)})
        state.record_execution("source", "remark", {"of": VALUES["order"]})


class Keeping(Routine):
    """Keeps what comes, in each way that a slot can."""

    output = Event("what", "value")

    @slot(merge_strategy="append")
    def appended(self, n):
        self.emit("output", what="appended", value=n)

    @slot(when=batch(4))
    def batched(self, n):
        self.emit("output", what="batched", value=n)

    @slot(merge_strategy=lambda old, new: {"n": old.get("n", 0) + new["n"]})
    def added(self, n):
        self.emit("output", what="added", value=n)

    @slot(when=all_sources(by="key"))
    def joined(self, key, amount, place):
        self.emit("output", what="joined", value=(key, amount, place))

    @slot(when=at_end)
    def summed(self, n):
        self.emit("output", what="summed", value=sum(n))


class Flaky(Routine):
    output = Event("attempt")

    def __init__(self, delay):
        super().__init__()
        self.define_slot("trigger", self.act, retry=ErrorHandler("retry", retry_delay=delay, jitter=False))

    def act(self):
        attempt = get_execution_context().attempt
        if attempt == 1:
            raise OSError("no disk \udc80")
        self.emit("output", attempt=attempt)


@routine
def broken():
    raise ValueError("never works")


@routine
def count(upto):
    for n in range(upto):
        yield {"n": n}


@routine
def stop():
    get_execution_context().job.pause("to be saved", {"page": (3, 4)})


def rich_flow(delay=DELAY):
    """Return the flow, anew."""
    flow = Flow("rich")
    flow.add_routine(Source(), "source")
    flow.add_routine(Keeping(), "keeping")
    flow.add_routine(Flaky(delay), "flaky")
    flow.add_routine(broken(), "broken")
    flow.add_routine(count(), "count")
    flow.add_routine(stop(), "stop")
    flow.routines["broken"].set_as_optional()
    flow.connect("source.flaky", "flaky.trigger")
    flow.connect("source.broken", "broken.trigger")
    flow.connect("source.counted", "count.trigger")
    flow.connect("source.stop", "stop.trigger")
    for name in ("appended", "batched", "added", "summed"):
        flow.connect("source.number", f"keeping.{name}")
    flow.connect("source.later", "keeping.appended")
    flow.connect("count.output", "keeping.appended")
    flow.connect("source.paid", "keeping.joined")
    flow.connect("source.shipped", "keeping.joined")
    return flow


def rich_state(flow):
    """Run the flow until it stands still."""
    return flow.execute("source", {"upto": 5}, metadata={"asked by": ("me", 1)})


def write_document(path):
    """Write the document that is then kept."""
    with JobManager(plugins=[sequential], discover=False, clock=ManualClock(1_700_000_000.0)):
        state = rich_state(rich_flow())
        state.save(path)
    # Tracebacks say where the code was; no other machine has it there.
    path = Path(path)
    path.write_text(path.read_text().replace(f"{Path(__file__).parents[2]}{sep}", ""))
