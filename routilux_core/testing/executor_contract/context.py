"""Each handler sees the context of its own activation, whatever runs beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routilux_core.error_handler import ErrorHandler
from routilux_core.facts import ActivationStarted
from routilux_core.identity import key
from routilux_core.state import JobState
from routilux_core.testing.executor_contract.meeting import Meeting
from routilux_core.testing.executor_contract.sample import (
    Counter,
    Unsteady,
    add_up,
    chain,
    fan,
    read,
    report,
    report_async,
)
from routilux_core.testing.executor_contract.stage import Stage
from routilux_core.testing.executor_contract.visitor import Visitor, fan_later
from routilux_core.testing.executor_contract.workshop import completed, numbers

if TYPE_CHECKING:
    from routilux_core.routine import Routine

WIDTH = 60


class ContextTests(Stage):
    """What a handler is told, and what it shares with the others of its job."""

    def test_handlers_of_two_jobs_see_their_own(self) -> None:
        """Routine, attempt and key are those of the activation, with two jobs of one flow side by side."""
        self._see_their_own(report())

    def test_async_handlers_of_two_jobs_see_their_own(self) -> None:
        """Also where they take turns on one thread."""
        self._see_their_own(report_async())

    def test_a_key_outlives_a_failed_attempt(self) -> None:
        """The number of the attempt grows, the key stays."""
        flow = chain("again", unsteady=Unsteady())
        flow.set_error_handler(ErrorHandler("retry", retry_delay=0, jitter=False))
        state = self.workshop.complete(flow, "unsteady", {"failures": 2})
        payload = state.results["unsteady.output"][0]
        assert (payload["attempt"], [payload["key"]]) == (3, _keys(state, "unsteady")), f"it saw {payload}"

    def test_no_count_is_lost(self) -> None:
        """Stats and log entries of many handlers at once are all there."""
        state = self.workshop.complete(chain("counted", fan=fan(), count=Counter()), "fan", {"width": 300})
        assert state.stats("count") == {"calls": 300}, state.stats("count")
        assert sorted(state.shared_log) == list(range(300)), f"{len(state.shared_log)} of 300 log entries"

    def test_no_change_of_a_shared_value_is_lost(self) -> None:
        """`modify_shared_data` is applied to what is there when the effects are."""
        self.needs_this_process()
        state = self.workshop.complete(chain("added", fan=fan(), add_up=add_up()), "fan", {"width": 300})
        assert state.shared_data == {"sum": sum(range(300))}, dict(state.shared_data)

    def test_shared_data_is_read(self) -> None:
        """A handler sees what the job's state held before."""
        state = JobState("read")
        state.update_shared_data("rate", [1, 2])
        self.workshop.complete(chain("read", read=read()), "read", {"key": "rate"}, job_state=state)
        assert state.results["read.output"] == [{"value": [1, 2]}], dict(state.results)

    def test_a_handler_is_told_that_it_is_not_wanted_any_more(self) -> None:
        """`context.cancelled` is true once its job was cancelled."""
        self.needs_this_process()
        with Meeting(self.patience) as meeting:
            state = self.workshop.start(
                chain("told", visitor=Visitor()), "visitor", {"meeting": meeting.address}
            )
            guest = meeting.guest()
            self.workshop.job(state).cancel()
            guest.let_go()
            assert guest.hear() == "cancelled", (
                "a handler of a cancelled job still believes that it is wanted"
            )

    def _see_their_own(self, made: Routine) -> None:
        flow, started = chain("seen", fan=fan_later(), report=made), {}
        with Meeting(self.patience) as meeting:
            for mark in ("one", "other"):
                fields = {"meeting": meeting.address, "width": WIDTH, "mark": mark}
                started[mark] = self.workshop.start(flow, "fan", fields)
            for _ in started:
                meeting.guest().let_go()
            for state in started.values():
                self.workshop.wait(state)
        for mark, state in started.items():
            completed(state)
            seen = state.results.get("report.output", [])
            assert {payload["mark"] for payload in seen} == {mark}, "it has results of another job"
            what = {(one["routine_id"], one["attempt"], one["cancelled"], one["same"]) for one in seen}
            assert what == {("report", 1, False, True)}, f"handlers of one routine saw {sorted(what)}"
            keys = numbers(state, "report.output", "key")
            assert keys == _keys(state, "report"), "handlers saw keys that are not those of their activations"


def _keys(state: JobState, routine_id: str) -> list[str]:
    """Return the keys of what was started, each once, sorted."""
    root = state._data.root
    return sorted(
        {
            key(root, fact.activation.lineage)
            for fact in state.facts
            if isinstance(fact, ActivationStarted) and fact.activation.routine_id == routine_id
        }
    )
