"""Handlers that come to a meeting and wait there for the test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from routilux_core.function import routine
from routilux_core.routine import Routine
from routilux_core.slot import Event, slot
from routilux_core.testing.executor_contract.meeting import Visit, visit
from routilux_core.testing.executor_contract.sample import chain, here

if TYPE_CHECKING:
    from collections.abc import Iterator


class Visitor(Routine):
    """Comes to a meeting, stays until it is let go, and tells whether it was still wanted then."""

    output = Event("n")

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.define_slot("trigger", self.visit, **options)

    def visit(self, meeting: int, n: int = 0) -> None:
        """Stay."""
        with Visit(meeting, str(n)) as visit:
            visit.stay()
            visit.say("cancelled" if here().cancelled else "wanted")
        self.emit("output", n=n)


class AsyncVisitor(Visitor):
    """Does the same on an event loop."""

    async def visit(self, meeting: int, n: int = 0) -> None:  # type: ignore[override]  # a handler of another style
        """Stay."""
        await visit(meeting, str(n))
        self.emit("output", n=n)


class FirstVisitor(Visitor):
    """Comes to a meeting at its first attempt only."""

    def visit(self, meeting: int, n: int = 0) -> None:
        """Stay at first."""
        if here().attempt == 1:
            super().visit(meeting, n)
        else:
            self.emit("output", n=n)


@routine
def fan_later(meeting: int, width: int, **more: Any) -> Iterator[dict[str, Any]]:
    """Give the numbers below `width`, but not before it is let go."""
    with Visit(meeting, "later") as visit:
        visit.stay()
    for n in range(width):
        yield {"n": n, **more}


@routine
def announce(meeting: int) -> Iterator[dict[str, int]]:
    """Give one item, and the next only when it is let go."""
    yield {"n": 1}
    with Visit(meeting, "between") as visit:
        visit.stay()
    yield {"n": 2}


class Speaker(Routine):
    """Says something at once, and emits something at its end."""

    output = Event("n")

    @slot
    def trigger(self, meeting: int) -> None:
        """Say it."""
        self.send_output("report", percent=50)
        with Visit(meeting, "said") as visit:
            visit.stay()
        self.emit("output", n=1)


@routine
def hold_inside(meeting: int) -> None:
    """Wait for a job that waits for the test."""
    chain("held", visitor=Visitor()).execute("visitor", {"meeting": meeting})
