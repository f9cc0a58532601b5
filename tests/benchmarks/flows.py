"""The flows that are measured. Their handlers do as little as they can."""

import asyncio
from itertools import pairwise

from routilux_core import Event, Flow, Routine, slot
from tests.benchmarks.floor import NAP


class Relay(Routine):
    """Sends on what it gets."""

    output = Event("n")

    @slot
    def trigger(self, n: int) -> None:
        self.emit("output", n=n)


class Countdown(Routine):
    """Sends on one less than it gets, down to zero."""

    output = Event("n")

    @slot
    def trigger(self, n: int) -> None:
        if n:
            self.emit("output", n=n - 1)


class Burst(Routine):
    """Sends as many events as it is told, in one activation."""

    output = Event("n")

    @slot
    def trigger(self, n: int) -> None:
        for number in range(n):
            self.emit("output", n=number)


class Sink(Routine):
    """Takes one value at a time."""

    @slot
    def trigger(self, n: int) -> None:
        pass


class Gatherer(Routine):
    """Takes, with each value, all the values before it."""

    @slot(merge_strategy="append")
    def trigger(self, n: list[int]) -> None:
        pass


class Nap(Routine):
    """Waits for 10 ms on an event loop."""

    @slot
    async def trigger(self, n: int) -> None:
        await asyncio.sleep(NAP)


def single() -> Flow:
    """One routine that nothing is connected to."""
    flow = Flow("single")
    flow.add_routine(Sink(), "first")
    return flow


def chain(length: int) -> Flow:
    """So many routines in a row."""
    flow = Flow("chain")
    ids = ["first", *(f"r{number}" for number in range(1, length))]
    for routine_id in ids:
        flow.add_routine(Relay(), routine_id)
    for source, target in pairwise(ids):
        flow.connect(source, "output", target, "trigger")
    return flow


def ring(length: int) -> Flow:
    """So many routines in a circle, which an event goes round until it has counted down."""
    flow = Flow("ring")
    ids = ["first", *(f"r{number}" for number in range(1, length))]
    for routine_id in ids:
        flow.add_routine(Countdown(), routine_id)
    for source, target in pairwise([*ids, ids[0]]):
        flow.connect(source, "output", target, "trigger")
    return flow


def fan(target: Routine) -> Flow:
    """One routine that sends many events to one slot."""
    flow = Flow("fan")
    flow.add_routine(Burst(), "first")
    flow.add_routine(target, "target")
    flow.connect("first", "output", "target", "trigger")
    return flow


def cascade(length: int) -> Flow:
    """One routine that sends many events down a row of so many."""
    flow = Flow("cascade")
    flow.add_routine(Burst(), "first")
    ids = ["first", *(f"r{number}" for number in range(length))]
    for routine_id in ids[1:]:
        flow.add_routine(Relay(), routine_id)
    for source, target in pairwise(ids):
        flow.connect(source, "output", target, "trigger")
    return flow


def naps(wide: int) -> Flow:
    """One routine that sends many events to one slot, whose handlers wait, so many at once."""
    flow = fan(Nap())
    flow.set_execution_strategy("asyncio", max_workers=wide)
    return flow
