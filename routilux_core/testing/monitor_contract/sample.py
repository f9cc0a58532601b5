"""Flows for the tests of monitors: in their jobs, everything happens that may happen to a job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from routilux_core.error_handler import ErrorHandler
from routilux_core.flow import Flow
from routilux_core.function import routine
from routilux_core.policy import all_sources, batch
from routilux_core.routine import Routine
from routilux_core.slot import Event, slot

if TYPE_CHECKING:
    from collections.abc import Iterator

GOES_ON = ErrorHandler("continue")
TRIES_AGAIN = ErrorHandler("retry", max_retries=1, retry_delay=0)


def _refuse(_old: Any, _new: Any) -> Any:
    raise LookupError("nothing can be merged here")


class Busy(Routine):
    """Does everything that a handler can do, and gives items."""

    item = Event("n", "more")
    late = Event("n")

    @slot
    def trigger(self, count: int, pauses: bool) -> Iterator[None]:
        """Give so many items; with `pauses` the job is paused after the first."""
        for n in range(count):
            context = self.get_execution_context()
            if not n and context is not None:
                state = context.job_state
                state.update_shared_data("seen", [n])
                state.append_to_shared_log({"n": n})
                state.record_execution("busy", "note", {"n": n})
                state.update_routine_state("busy", {"mood": "good"})
                self.set_stat("last", n)
                self.increment_stat("items")
                self.send_output("news", n=n)
                self.emit_deferred_event("late", n=n)
                if pauses:
                    context.job.pause("to look around", {"n": n})
            self.emit("item", n=n, more={"list": [n], "text": str(n)})
            yield


class Trouble(Routine):
    """Fails in each way."""

    output = Event("n")

    @slot(retry=TRIES_AGAIN)
    def tries(self, n: int, **_: Any) -> None:
        """Fail at the first attempt."""
        context = self.get_execution_context()
        if context is not None and context.attempt == 1:
            raise OSError("the first attempt")
        self.emit("output", n=n)

    @slot(retry=ErrorHandler("skip"))
    def skips(self, **_: Any) -> None:
        """Fail, and be skipped."""
        raise OSError("skipped")

    @slot(retry=GOES_ON)
    def fails(self, **_: Any) -> None:
        """Fail, while the job goes on."""
        raise OSError("failed")

    @slot(merge_strategy=_refuse, retry=GOES_ON)
    def refuses(self, **_: Any) -> None:
        """Get nothing."""

    @slot
    def stops(self, **_: Any) -> None:
        """Fail, and the job with it."""
        raise OSError("stopped")

    @slot(merge_strategy=_refuse)
    def stops_at_merging(self, **_: Any) -> None:
        """Get nothing, and the job fails."""


class Gathering(Routine):
    """Takes several payloads at once."""

    output = Event("n")

    @slot(merge_strategy="append")
    def gathers(self, n: list[int], **_: Any) -> None:
        """Take all so far."""
        self.emit("output", n=list(n))

    @slot(when=batch(2))
    def batches(self, n: list[int], **_: Any) -> None:
        """Take two at a time."""
        self.emit("output", n=list(n))

    @slot(when=all_sources(by="n"))
    def joins(self, n: int, **_: Any) -> None:
        """Take what two events say of one number."""
        self.emit("output", n=n)


@routine
def keep(n: int) -> dict[str, Any]:
    """Send on what it gets."""
    return {"n": n}


def busy() -> Flow:
    """Return the flow in which most things happen."""
    flow = Flow("busy")
    for routine_id, made in (
        ("busy", Busy()),
        ("trouble", Trouble()),
        ("gathering", Gathering()),
        ("keep", keep()),
    ):
        flow.add_routine(made, routine_id)
    for target in ("tries", "skips", "fails", "refuses"):
        flow.connect("busy", "item", "trouble", target)
    for target in ("gathers", "batches", "joins"):
        flow.connect("busy", "item", "gathering", target)
    flow.connect("busy", "late", "keep", "trigger")
    flow.connect("trouble", "output", "gathering", "joins")
    flow.connect("keep", "output", "gathering", "joins")
    return flow


def wide() -> Flow:
    """Return a flow of one routine that gives items and one that takes them."""
    flow = Flow("wide")
    flow.add_routine(Busy(), "busy")
    flow.add_routine(keep(), "keep")
    flow.connect("busy.item", "keep.trigger")
    return flow


def failing(slot_name: str) -> Flow:
    """Return a flow whose jobs end in the trouble of that slot."""
    flow = Flow(f"failing-{slot_name}")
    flow.add_routine(Busy(), "busy")
    flow.add_routine(Trouble(), "trouble")
    flow.connect("busy", "item", "trouble", slot_name)
    return flow
