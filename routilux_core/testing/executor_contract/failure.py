"""Errors reach the job, and a failed attempt leaves nothing behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routilux_core.error_handler import ErrorHandler
from routilux_core.job_errors import JobFailed
from routilux_core.status import ExecutionStatus
from routilux_core.testing.executor_contract.sample import (
    Unsteady,
    chain,
    fail_at,
    fail_awkwardly,
    fan,
    halting,
    leave,
)
from routilux_core.testing.executor_contract.stage import Stage
from routilux_core.testing.executor_contract.workshop import completed, ended, numbers

if TYPE_CHECKING:
    from routilux_core.state import JobState

FAILED = ExecutionStatus.FAILED


class FailureTests(Stage):
    """Exceptions, further attempts, effects all or nothing."""

    def test_an_exception_is_the_error_of_its_job(self) -> None:
        """With its type, its text, its traceback, and the place where it came from."""
        state = ended(
            self.workshop.run(chain("bad", fail_at=fail_at()), "fail_at", {"n": 1, "bad": 1}), FAILED
        )
        error = state.errors[-1]
        found = (error.type, error.message, error.routine_id, error.slot, error.attempt)
        assert found == ("ZeroDivisionError", "1 is bad", "fail_at", "trigger", 1), f"the error is {found}"
        assert "fail_at" in error.traceback, f"the traceback does not name the handler: {error.traceback}"
        try:
            state.raise_for_status()
        except JobFailed as failed:
            cause = failed.__cause__
            assert isinstance(cause, ZeroDivisionError), f"JobFailed was raised from {cause!r}"
        else:
            raise AssertionError("raise_for_status has raised nothing")

    def test_an_exception_of_any_make_is_told(self) -> None:
        """Also one that cannot be made again from its text."""
        state = ended(self.workshop.run(chain("odd", odd=fail_awkwardly()), "odd"), FAILED)
        said = f"{state.errors[-1].type}: {state.errors[-1].message}"
        assert "Awkward: code 7 at here" in said, f"the error is {said}"

    def test_a_handler_cannot_end_a_worker(self) -> None:
        """A handler that raises SystemExit fails as with any other error, and the workers go on."""
        state = ended(self.workshop.run(chain("leave", leave=leave()), "leave"), FAILED)
        assert state.errors[-1].type == "SystemExit", f"the error is {state.errors[-1]}"
        state = self.workshop.complete(chain("after", fan=fan()), "fan", {"width": 20})
        assert len(numbers(state, "fan.output")) == 20

    def test_the_neighbours_of_a_failure_go_on(self) -> None:
        """Where errors are to be recorded only, everything else is done."""
        flow = chain("neighbours", fan=fan(), fail_at=fail_at())
        flow.set_error_handler(ErrorHandler("continue"))
        state = self.workshop.complete(flow, "fan", {"width": 30, "bad": 7})
        found = numbers(state, "fail_at.output")
        assert found == [n for n in range(30) if n != 7], f"the others gave {found}"
        assert [error.type for error in state.errors] == ["ZeroDivisionError"], list(state.errors)

    def test_a_failed_attempt_has_no_effects(self) -> None:
        """Of three attempts only the last one's emissions, stats, shared data and log are there."""
        states = [self._unsteady(failures=2) for _ in range(3)]
        for state in states:
            emitted = state.results.get("unsteady.output")
            assert emitted is not None, "the attempt that succeeded emitted nothing"
            assert [payload["attempt"] for payload in emitted] == [3], f"it has emitted {emitted}"
            assert emitted[0]["read"] == 3, f"it read {emitted[0]['read']} where it had written 3"
            assert state.stats("unsteady") == {"attempt": 3, "calls": 1}, state.stats("unsteady")
            assert state.shared_data == {"last": 3}, dict(state.shared_data)
            assert list(state.shared_log) == [3], list(state.shared_log)
            assert len(state.deferred_events) == 1, list(state.deferred_events)

    def test_outputs_of_failed_attempts_are_told_apart(self) -> None:
        """Outputs alone went out at once, with the number of their attempt."""
        state = self._unsteady(failures=1)
        found = [(entry["attempt"], entry["data"]) for entry in state.output_log]
        assert found == [(1, {"attempt": 1}), (2, {"attempt": 2})], f"the outputs are {found}"

    def test_a_job_whose_attempts_are_used_up_fails(self) -> None:
        """What it had set aside, shared or counted at any of them is not there."""
        state = ended(self._run_unsteady(failures=9), FAILED)
        assert [error.attempt for error in state.errors] == [1, 2, 3, 4], list(state.errors)
        left = (dict(state.results), state.stats("unsteady"), dict(state.shared_data), list(state.shared_log))
        assert not any(left), f"failed attempts have left {left}"
        assert len(state.pending_tasks) == 1, list(state.pending_tasks)

    def test_a_generator_that_fails_goes_on_after_what_it_gave(self) -> None:
        """What took effect before it failed is not done again."""
        flow = chain("halting", halting=halting())
        flow.set_error_handler(ErrorHandler("retry", retry_delay=0, jitter=False))
        state = self.workshop.complete(flow, "halting", {"failures": 2})
        found = [payload["n"] for payload in state.results["halting.output"]]
        assert found == [1, 2, 3], f"it gave {found}"

    def _unsteady(self, failures: int) -> JobState:
        return completed(self._run_unsteady(failures))

    def _run_unsteady(self, failures: int) -> JobState:
        flow = chain("unsteady", unsteady=Unsteady())
        flow.set_error_handler(ErrorHandler("retry", retry_delay=0, jitter=False))
        return self.workshop.run(flow, "unsteady", {"failures": failures})
