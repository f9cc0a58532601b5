"""Pause, resume, cancel, fork and post."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routilux_core.status import ExecutionStatus
from routilux_core.testing.executor_contract.meeting import SOON, Meeting
from routilux_core.testing.executor_contract.sample import Counter, chain, double, fail_at, fan, pause_here
from routilux_core.testing.executor_contract.stage import Stage
from routilux_core.testing.executor_contract.visitor import AsyncVisitor, Visitor
from routilux_core.testing.executor_contract.workshop import completed, ended, numbers

if TYPE_CHECKING:
    from routilux_core.flow import Flow
    from routilux_core.state import JobState

WIDTH = 12
PAUSED, CANCELLED, FAILED = ExecutionStatus.PAUSED, ExecutionStatus.CANCELLED, ExecutionStatus.FAILED


class SteeringTests(Stage):
    """What is asked of a job from outside while its handlers run."""

    def test_nothing_starts_once_a_pause_is_accepted(self) -> None:
        """Those that run go on to their end, all others are pending, and a resume lets them go on."""
        with Meeting(self.patience) as meeting:
            state = self._start_visits(meeting)
            guests = meeting.guests(self.room)
            self.workshop.manager.pause(state.job_id, "lunch", timeout=SOON)
            ended(state, ExecutionStatus.PAUSING)
            for guest in guests:
                guest.let_go()
            ended(self.workshop.wait(state), PAUSED)
            late = meeting.latecomers()
            assert not late, f"{len(late)} handlers were called after the pause was accepted"
            done = len(numbers(state, "visitor.output"))
            assert done == self.room, f"{self.room} handlers ran on, {done} took effect"
            self.workshop.manager.resume(state.job_id)
            meeting.let_all_go(lambda: state.status.final)
            completed(self.workshop.wait(state))
        assert numbers(state, "visitor.output") == list(range(WIDTH)), dict(state.results)

    def test_a_handler_asks_for_a_pause(self) -> None:
        """It takes effect when the handler has returned."""
        self.needs_this_process()
        state = self.workshop.run(chain("asked", pause=pause_here(), double=double()), "pause", {"n": 4})
        ended(state, PAUSED)
        assert state.checkpoint == {"n": 4}, f"the checkpoint is {state.checkpoint}"
        assert [task.data for task in state.pending_tasks] == [{"n": 4}], list(state.pending_tasks)
        self.workshop.manager.resume(state.job_id)
        completed(self.workshop.wait(state))
        assert numbers(state, "double.output") == [8], dict(state.results)

    def test_late_results_are_refused(self) -> None:
        """A job is cancelled at once; what its handlers still do changes nothing, and is pending."""
        with Meeting(self.patience) as meeting:
            state = self._start_visits(meeting)
            guests = meeting.guests(self.room)
            self.workshop.job(state).cancel("enough")
            ended(state, CANCELLED)
            facts = len(state.facts)
            for guest in guests:
                guest.dismiss()
            late = meeting.latecomers()
            assert not late, f"{len(late)} handlers were called after the job was cancelled"
        assert len(state.facts) == facts, f"after the end: {list(state.facts)[facts:]}"
        assert not state.results, f"what came too late took effect: {dict(state.results)}"
        waiting = [task for task in state.pending_tasks if task.routine_id == "visitor"]
        assert len(waiting) >= self.room, f"{len(waiting)} of {self.room} are pending"

    def test_an_async_handler_is_cancelled_with_its_job(self) -> None:
        """It gets `CancelledError`, and its worker is free again."""
        with Meeting(self.patience) as meeting:
            flow = chain("held", visitor=AsyncVisitor())
            state = self.workshop.start(flow, "visitor", {"meeting": meeting.address})
            guest = meeting.guest()
            self.workshop.job(state).cancel()
            assert guest.hear() is None, "it went on after its job was cancelled"
        ended(self.workshop.wait(state), CANCELLED)
        self.workshop.complete(chain("after", fan=fan()), "fan", {"width": 2 * self.workers})

    def test_running_handlers_are_ended_where_that_can_be_done(self) -> None:
        """A process that runs a handler of a cancelled job is ended, and another takes its place."""
        self.needs_processes()
        if not self.traits.interrupts:
            return
        with Meeting(self.patience) as meeting:
            state = self._start_visits(meeting)
            guests = meeting.guests(self.room)
            self.workshop.job(state).cancel()
            assert [guest.hear() for guest in guests] == [None] * self.room, "handlers went on"
        ended(self.workshop.wait(state), CANCELLED)
        self.workshop.complete(chain("after", fan=fan()), "fan", {"width": 2 * self.workers})

    def test_a_fork_does_what_its_origin_had_not(self) -> None:
        """What a cancelled job was at, and what it had not begun, is done by its fork."""
        with Meeting(self.patience) as meeting:
            state = self._start_visits(meeting)
            guests = meeting.guests(self.room)
            self.workshop.job(state).cancel()
            for guest in guests:
                guest.dismiss()
            flow = self._visits()
            fork = self.workshop.manager.fork_state(flow, state, start=True)
            meeting.let_all_go(lambda: fork.status.final)
            completed(self.workshop.wait(fork))
        assert numbers(fork, "visitor.output") == list(range(WIDTH)), dict(fork.results)

    def test_what_is_posted_is_done(self) -> None:
        """Events from outside join the job while its handlers run, and while it is paused."""
        with Meeting(self.patience) as meeting:
            flow = chain("posted", self.workers, visitor=Visitor(), count=Counter())
            state = self.workshop.start(flow, "visitor", {"meeting": meeting.address})
            guest = meeting.guest()
            self.workshop.manager.post(state.job_id, "count", n=7)
            self.workshop.manager.pause(state.job_id, timeout=SOON)
            guest.let_go()
            ended(self.workshop.wait(state), PAUSED)
            self.workshop.manager.post(state.job_id, "count", n=8)
            self.workshop.manager.resume(state.job_id)
            completed(self.workshop.wait(state))
        assert numbers(state, "count.output") == [0, 7, 8], dict(state.results)

    def test_handlers_that_run_beside_an_error_take_effect(self) -> None:
        """The job fails when they have returned; what they made is pending."""
        self.needs_concurrency()
        with Meeting(self.patience) as meeting:
            flow = chain("failing", visitor=Visitor(), count=Counter())
            flow.add_routine(fail_at(), "fail_at")
            state = self.workshop.start(flow, "visitor", {"meeting": meeting.address, "n": 5})
            guest = meeting.guest()
            error = self.workshop.job(state).records()
            self.workshop.manager.post(state.job_id, "fail_at", n=1, bad=1)
            while next(error).event_name != "failed":
                pass
            guest.let_go()
            ended(self.workshop.wait(state), FAILED)
        left = [(task.routine_id, task.data) for task in state.pending_tasks]
        assert ("count", {"n": 5}) in left, f"pending is {left}"

    def _visits(self) -> Flow:
        return chain("visits", self.workers, fan=fan(), visitor=Visitor())

    def _start_visits(self, meeting: Meeting) -> JobState:
        return self.workshop.start(self._visits(), "fan", {"width": WIDTH, "meeting": meeting.address})
