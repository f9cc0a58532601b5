"""How many handlers run at once, which first, and whose turn it is."""

from __future__ import annotations

from unittest import SkipTest

from routilux_core.facts import ActivationCompleted
from routilux_core.testing.executor_contract.meeting import Meeting
from routilux_core.testing.executor_contract.sample import Counter, chain, fan, pause_a_moment
from routilux_core.testing.executor_contract.stage import Stage
from routilux_core.testing.executor_contract.visitor import AsyncVisitor, Visitor
from routilux_core.testing.executor_contract.workshop import completed, numbers
from routilux_core.testing.recorder import Recorder

WIDTH = 8
CROWD = 50
"""Async handlers that wait at the same time."""
QUEUE = 4000
NAP = 0.001


class LimitTests(Stage):
    """Workers, slot options, and turns among jobs."""

    def test_its_workers_run_at_once(self) -> None:
        """As many handlers of a job as it has workers."""
        self.needs_concurrency()
        self._visit(Visitor(), None, self.workers)

    def test_async_handlers_wait_together(self) -> None:
        """On a loop of its own, it needs no worker for each."""
        if not self.traits.runs_async:
            raise SkipTest("it has no event loop of its own")
        with Meeting(self.patience) as meeting:
            fields = {"width": CROWD, "meeting": meeting.address}
            state = self.workshop.start(chain("crowd", fan=fan(), visitor=AsyncVisitor()), "fan", fields)
            for guest in meeting.guests(CROWD):
                guest.let_go()
            completed(self.workshop.wait(state))

    def test_a_flow_limits_its_workers(self) -> None:
        """`max_workers` of the flow holds for all its routines together."""
        self._visit(Visitor(), 2, min(2, self.room))

    def test_a_slot_limits_its_handlers(self) -> None:
        """With `concurrency` so many run at once, and no worker is held up by those that wait."""
        recorder, limit = Recorder(), min(2, self.room)
        with Meeting(self.patience) as meeting:
            flow = chain("few", fan=fan(), visitor=Visitor(concurrency=2))
            flow.add_routine(Counter(), "count")
            flow.connect("fan", "output", "count", "trigger")
            fields = {"width": WIDTH, "meeting": meeting.address}
            state = self.workshop.start(flow, "fan", fields, monitors=[recorder])
            guests = meeting.guests(limit)
            if limit < self.room:
                recorder.wait_for(
                    ActivationCompleted,
                    lambda fact: fact.activation.routine_id == "count",
                    count=WIDTH,
                    timeout=self.patience,
                )
            late = meeting.latecomers()
            assert not late, f"{len(late)} handlers more than its `concurrency` of 2"
            for guest in guests:
                guest.let_go()
            meeting.let_all_go(lambda: state.status.final)
            completed(self.workshop.wait(state))
        assert numbers(state, "visitor.output") == list(range(WIDTH)), dict(state.results)

    def test_what_has_priority_starts_first(self) -> None:
        """Of all that is ready when a worker is free."""
        with Meeting(self.patience) as meeting:
            flow = chain("first", 1, begin=Visitor())
            for name, priority in (("low", -1), ("usual", 0), ("high", 1)):
                flow.add_routine(Visitor(priority=priority), name)
            state = self.workshop.start(flow, "begin", {"meeting": meeting.address})
            guest, manager = meeting.guest(), self.workshop.manager
            for n, name in enumerate(("low", "usual", "high") * 2):
                manager.post(state.job_id, name, meeting=meeting.address, n=n)
            guest.let_go()
            order = []
            for _ in range(6):
                guest = meeting.guest()
                order.append(int(guest.word))
                guest.let_go()
            completed(self.workshop.wait(state))
        assert order == [2, 5, 1, 4, 0, 3], f"high is 2 and 5, usual 1 and 4, low 0 and 3: {order}"

    def test_a_small_job_does_not_wait_for_a_large_one(self) -> None:
        """Jobs take turns, however much work one of them has."""
        flow = chain("large", fan=fan(), nap=pause_a_moment())
        large = self.workshop.start(flow, "fan", {"width": QUEUE, "seconds": NAP})
        job = self.workshop.job(large)
        for _ in range(3):
            self.workshop.complete(chain("small", count=Counter()), "count", {"n": 1})
        left = len(large.pending_tasks)
        job.cancel("seen enough")
        assert left > 0, f"three small jobs have waited until one of {QUEUE} activations was over"

    def _visit(self, visitor: Visitor, max_workers: int | None, most: int) -> None:
        with Meeting(self.patience) as meeting:
            flow = chain("visits", max_workers, fan=fan(), visitor=visitor)
            fields = {"width": 2 * WIDTH, "meeting": meeting.address}
            state = self.workshop.start(flow, "fan", fields)
            guests = meeting.guests(most)
            late = [] if max_workers is None else meeting.latecomers()
            assert not late, f"{len(late)} handlers more than the flow's max_workers of {max_workers}"
            for guest in guests:
                guest.let_go()
            meeting.let_all_go(lambda: state.status.final)
            completed(self.workshop.wait(state))
        assert numbers(state, "visitor.output") == list(range(2 * WIDTH)), dict(state.results)
