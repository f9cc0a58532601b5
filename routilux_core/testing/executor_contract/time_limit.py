"""Deadlines of jobs and time limits of activations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routilux_core.error_handler import ErrorHandler
from routilux_core.facts import ActivationRetried
from routilux_core.status import ExecutionStatus
from routilux_core.testing.executor_contract.meeting import Meeting
from routilux_core.testing.executor_contract.sample import Counter, chain
from routilux_core.testing.executor_contract.stage import Stage
from routilux_core.testing.executor_contract.visitor import AsyncVisitor, FirstVisitor, Visitor
from routilux_core.testing.executor_contract.workshop import completed, ended, numbers, told
from routilux_core.testing.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Callable

    from routilux_core.state import JobState
    from routilux_core.testing.executor_contract.meeting import Guest

LIMITS = (0.1, 1.0, 5.0)
"""Seconds. A test takes the first one that is enough for the handler to be called at all."""
FAILED = ExecutionStatus.FAILED


class TimeLimitTests(Stage):
    """Time runs out while handlers are at work."""

    def test_a_job_fails_at_its_deadline(self) -> None:
        """A handler that runs on does not hold it up, and what it does is refused."""
        flow = chain("late", visitor=Visitor(), count=Counter())
        with Meeting(self.patience) as meeting:
            fields = {"meeting": meeting.address}

            def overrun(limit: float) -> JobState:
                return ended(self.workshop.run(flow, "visitor", fields, timeout=limit), FAILED)

            state, guest = _with_guest(meeting, overrun)
            facts = len(state.facts)
            guest.dismiss()
        assert state.errors[-1].type == "JobTimeout", told(state)
        assert [task.routine_id for task in state.pending_tasks] == ["visitor"], list(state.pending_tasks)
        assert len(state.facts) == facts, f"after the end: {list(state.facts)[facts:]}"

    def test_execute_returns_at_the_deadline(self) -> None:
        """Though a handler runs on."""
        self.needs_concurrency()
        with Meeting(self.patience) as meeting:
            fields = {"meeting": meeting.address}
            flow = chain("late", visitor=Visitor())
            state = self.workshop.manager.execute(flow, "visitor", fields, timeout=LIMITS[0])
            ended(state, FAILED)
            assert state.errors[-1].type == "JobTimeout", told(state)

    def test_an_attempt_fails_at_its_time_limit(self) -> None:
        """It is tried again, and what the first attempt does after its time is refused."""
        with Meeting(self.patience) as meeting:
            fields = {"meeting": meeting.address, "n": 3}

            def overrun(limit: float) -> JobState:
                recorder = Recorder()
                flow = chain("slow", visitor=FirstVisitor(timeout=limit), count=Counter())
                flow.set_error_handler(ErrorHandler("retry", retry_delay=0, jitter=False))
                state = self.workshop.start(flow, "visitor", fields, monitors=[recorder])
                recorder.wait_for(ActivationRetried, timeout=self.patience)
                return state

            state, guest = _with_guest(meeting, overrun)
            guest.dismiss()
            completed(self.workshop.wait(state))
        assert [error.type for error in state.errors] == ["ActivationTimeout"], told(state)
        assert numbers(state, "count.output") == [3], f"two attempts gave {dict(state.results)}"

    def test_an_async_handler_is_cancelled_at_its_time_limit(self) -> None:
        """It gets `CancelledError`, and the job is told that it took too long."""
        with Meeting(self.patience) as meeting:
            fields = {"meeting": meeting.address}

            def overrun(limit: float) -> JobState:
                flow = chain("slow", visitor=AsyncVisitor(timeout=limit))
                return ended(self.workshop.run(flow, "visitor", fields), FAILED)

            state, guest = _with_guest(meeting, overrun)
            assert guest.hear() is None, "it went on after its time"
        assert state.errors[-1].type == "ActivationTimeout", told(state)


def _with_guest(meeting: Meeting, overrun: Callable[[float], JobState]) -> tuple[JobState, Guest]:
    """Let time run out, and again with more of it if the handler had not even been called."""
    for limit in LIMITS:
        state = overrun(limit)
        guest = meeting.visitor()
        if guest is not None:
            return state, guest
    raise TimeoutError(f"no handler was called within {LIMITS[-1]} s")
