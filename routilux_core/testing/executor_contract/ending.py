"""Shutting down: what is to be done is done or kept, and nothing is left behind."""

from __future__ import annotations

import threading
from multiprocessing import active_children

from routilux_core.errors import RoutiluxError
from routilux_core.status import ExecutionStatus
from routilux_core.testing.executor_contract.meeting import Meeting
from routilux_core.testing.executor_contract.sample import Counter, chain, fan
from routilux_core.testing.executor_contract.stage import Stage
from routilux_core.testing.executor_contract.visitor import Visitor
from routilux_core.testing.executor_contract.workshop import Workshop, completed, ended, numbers

FEW = 2
WIDTH = 6


class EndingTests(Stage):
    """Each of these tests makes an executor of its own."""

    def test_a_shutdown_waits_for_what_runs(self) -> None:
        """Everything is done, and after that no thread and no process is left."""
        threads, processes = set(threading.enumerate()), set(active_children())
        with self.new_workshop(FEW) as workshop:
            flow = chain("rest", fan=fan(), count=Counter())
            states = [workshop.start(flow, "fan", {"width": 50}) for _ in range(5)]
            workshop.manager.shutdown(timeout=self.patience)
            for state in states:
                found = numbers(completed(state), "count.output")
                assert found == list(range(50)), f"of 50 there are {len(found)}"
            assert not workshop.manager.running_jobs, "jobs are left in the manager"
            left = [thread.name for thread in threading.enumerate() if thread not in threads]
            assert not left, f"after the shutdown these threads are left: {', '.join(left)}"
            more = [str(process.pid) for process in active_children() if process not in processes]
            assert not more, f"after the shutdown these processes are left: {', '.join(more)}"

    def test_nothing_runs_after_a_shutdown(self) -> None:
        """Without waiting: jobs are cancelled, and what they had not done stays pending."""
        room, threads = min(FEW, self.room), set(threading.enumerate())
        with Meeting(self.patience) as meeting, self.new_workshop(FEW) as workshop:
            state = workshop.start(
                chain("cut", fan=fan(), visitor=Visitor()),
                "fan",
                {"width": WIDTH, "meeting": meeting.address},
            )
            guests = meeting.guests(room)
            closing = threading.Thread(target=workshop.manager.shutdown, kwargs={"wait": False})
            closing.start()
            ended(workshop.wait(state), ExecutionStatus.CANCELLED)
            for guest in guests:
                guest.let_go()
            closing.join(self.patience)
            assert not closing.is_alive(), "the shutdown does not come to its end"
            late = meeting.latecomers()
            assert not late, f"{len(late)} handlers were called after the shutdown"
            left = [thread.name for thread in threading.enumerate() if thread not in threads]
            assert not left, f"after the shutdown these threads are left: {', '.join(left)}"
        assert not state.results, f"what came too late took effect: {dict(state.results)}"
        waiting = [task for task in state.pending_tasks if task.routine_id == "visitor"]
        assert len(waiting) >= len(guests), (
            f"{len(waiting)} activations are pending of at least {len(guests)}"
        )

    def test_it_stops_though_a_handler_does_not_return(self) -> None:
        """`stop` gives up waiting when its time has come."""
        with Meeting(self.patience) as meeting, self.new_workshop(FEW) as workshop:
            workshop.start(chain("stuck", visitor=Visitor()), "visitor", {"meeting": meeting.address})
            meeting.guest()
            workshop.clear()
            closing = threading.Thread(target=workshop.executor.stop, args=(0.1,))
            closing.start()
            closing.join(self.patience)
            assert not closing.is_alive(), "stop(0.1) waits for ever"
            meeting.close()

    def test_it_may_be_stopped_again(self) -> None:
        """And without ever having run anything."""
        executor = self.executor(FEW)
        executor.start()
        executor.stop()
        executor.stop(1.0)

    def test_once_stopped_it_takes_no_jobs(self) -> None:
        """It says so, where it would have to wait for ever."""
        with self.new_workshop(FEW) as workshop:
            workshop.complete(chain("once", count=Counter()), "count", {"n": 1})
        try:
            again = Workshop(workshop.executor, self.patience)
            try:
                again.start(chain("again", count=Counter()), "count", {"n": 1})
            finally:
                again.close()
        except RoutiluxError:
            return
        raise AssertionError("an executor that was stopped takes another job; let `open` raise ManagerClosed")
