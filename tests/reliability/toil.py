"""What the tests of all executors let run: routines that any process can import.

Some say that they are there, by coming to a meeting.
"""

import asyncio
import os
import time

from routilux_core import Event, Routine, get_execution_context, routine, slot
from routilux_core.testing.executor_contract.meeting import Visit

PATIENCE = 20.0
"""Seconds after which a handler gives up that nobody cancels."""


def come(address):
    with Visit(address, str(time.monotonic())):
        """It was seen."""


class Fan(Routine):
    """Sends all its numbers at once."""

    output = Event("n")

    @slot
    def trigger(self, width):
        for n in range(width):
            self.emit("output", n=n)


@routine
def forward(n):
    return {"n": n}


@routine
async def forward_async(n):
    await asyncio.sleep(0)
    return {"n": n}


@routine
def count(n):
    for i in range(3):
        yield {"n": n + i}


@routine
def fail(n):
    raise ValueError(n)


@routine
def die(n):
    os._exit(3)


def stay_until_cancelled(address):
    """Be there until cancelled, and say then when that was seen."""
    come(address)
    context, until = get_execution_context(), time.monotonic() + PATIENCE
    while not context.cancelled and time.monotonic() < until:
        time.sleep(0.001)
    come(address)


class Placed(Routine):
    """Knows where the meeting is."""

    output = Event("n")

    def __init__(self, address):
        super().__init__(address=address)

    @property
    def address(self):
        return self.get_config("address")


class Obedient(Placed):
    """Ends when it is told."""

    @slot
    def trigger(self, n=0):
        stay_until_cancelled(self.address)


class ObedientInTime(Placed):
    """Has little time."""

    @slot(timeout=0.05)
    def trigger(self, n=0):
        stay_until_cancelled(self.address)


class Waiting(Placed):
    """Waits for what never comes."""

    @slot
    async def trigger(self, n=0):
        come(self.address)
        try:
            await asyncio.Event().wait()
        finally:
            come(self.address)


class Endless(Placed):
    """A source without end."""

    @slot
    def trigger(self):
        come(self.address)
        n = 0
        while True:
            yield {"n": n}
            n += 1


class EndlessAsync(Placed):
    """The same, for an event loop."""

    @slot
    async def trigger(self):
        come(self.address)
        n = 0
        while True:
            yield {"n": n}
            n += 1
            await asyncio.sleep(0)
