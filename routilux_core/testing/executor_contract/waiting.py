"""A handler may wait for a job, however few workers there are."""

from __future__ import annotations

from routilux_core.status import ExecutionStatus
from routilux_core.testing.executor_contract.meeting import Meeting
from routilux_core.testing.executor_contract.sample import ask_inside, chain, descend, descend_async, fan
from routilux_core.testing.executor_contract.stage import Stage
from routilux_core.testing.executor_contract.visitor import hold_inside
from routilux_core.testing.executor_contract.workshop import ended, numbers

DEPTH = 5


class WaitingTests(Stage):
    """Jobs within jobs."""

    def test_jobs_within_jobs_need_one_worker(self) -> None:
        """Each handler waits for the next job, and there is one worker for all."""
        self.needs_this_process()
        with self.new_workshop(workers=1) as workshop:
            state = workshop.complete(chain("outer", descend=descend()), "descend", {"depth": DEPTH})
        assert numbers(state, "descend.output", "depth") == [DEPTH]

    def test_async_jobs_within_jobs_need_one_worker(self) -> None:
        """The same where each handler awaits the next job."""
        self.needs_this_process()
        with self.new_workshop(workers=1) as workshop:
            state = workshop.complete(chain("outer", descend=descend_async()), "descend", {"depth": DEPTH})
        assert numbers(state, "descend.output", "depth") == [DEPTH]

    def test_more_handlers_wait_than_there_are_workers(self) -> None:
        """Each of many handlers waits for a job of many activations."""
        self.needs_this_process()
        flow = chain("asking", fan=fan(), ask=ask_inside())
        state = self.workshop.complete(flow, "fan", {"width": 3 * self.workers})
        assert len(numbers(state, "ask.output")) == 3 * self.workers
        state = self.workshop.complete(chain("one", ask=ask_inside()), "ask", {"n": 1, "width": 30})
        assert numbers(state, "ask.output", "sum") == [sum(range(0, 60, 2))]

    def test_cancelling_a_job_cancels_those_within(self) -> None:
        """The inner job, for which a handler waits, ends with the outer one."""
        self.needs_this_process()
        with Meeting(self.patience) as meeting:
            outer = self.workshop.start(
                chain("outer", hold=hold_inside()), "hold", {"meeting": meeting.address}
            )
            guest = meeting.guest()
            inner = [job for job in self.workshop.manager.running_jobs if job.job_id != outer.job_id]
            self.workshop.job(outer).cancel()
            states = [self.workshop.wait(job.job_state) for job in inner]
            guest.let_go()
        ended(self.workshop.wait(outer), ExecutionStatus.CANCELLED)
        assert [state.status for state in states] == ["cancelled"], [state.status for state in states]
