"""The floor: what a step costs at the very least, for any engine that keeps the same promises.

A loop over a deque, and for each step two rounds of a lock, one activation, two facts, one look at the clock,
a context variable set and reset, and a handler called by keywords. No graph, no policies, no state.
"""

import asyncio
from collections import deque
from contextvars import ContextVar
from threading import Lock
from time import perf_counter, time

from attrs import define

NAP = 0.01
"""Seconds that a waiting handler waits."""
WIDE = 100
"""How many of those at once."""


@define(eq=False)
class Activation:
    number: int
    routine_id: str
    data: dict[str, int]


@define(eq=False)
class Fact:
    at: float
    number: int
    data: dict[str, int] | None


CURRENT: ContextVar[Activation] = ContextVar("current")


def step(steps: int = 20_000) -> float:
    """Return the seconds that a step takes, in a run of so many steps."""
    ready: deque[Activation] = deque([Activation(0, "loop", {"left": steps - 1})])
    history: list[Fact] = []
    lock = Lock()

    def handle(left: int) -> None:
        if left:
            ready.append(Activation(steps - left, "loop", {"left": left - 1}))

    begin = perf_counter()
    while ready:
        with lock:
            activation = ready.popleft()
        now = time()
        history.append(Fact(now, activation.number, activation.data))
        token = CURRENT.set(activation)
        handle(**activation.data)
        CURRENT.reset(token)
        with lock:
            history.append(Fact(now, activation.number, None))
    return (perf_counter() - begin) / steps


def nap(naps: int = 1_000) -> float:
    """Return the seconds for each of so many waits, by asyncio alone."""

    async def all_of_them() -> float:
        gate = asyncio.Semaphore(WIDE)

        async def one() -> None:
            async with gate:
                await asyncio.sleep(NAP)

        begin = perf_counter()
        await asyncio.gather(*(one() for _ in range(naps)))
        return (perf_counter() - begin) / naps

    return asyncio.run(all_of_them())
