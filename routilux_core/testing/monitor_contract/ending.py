"""Ending: what is left of it when jobs, and managers, are over."""

from __future__ import annotations

import gc
import threading
from typing import TYPE_CHECKING, Any
from unittest import SkipTest
from weakref import ref

from routilux_core.testing.monitor_contract.sample import busy, wide
from routilux_core.testing.monitor_contract.stage import Stage

if TYPE_CHECKING:
    from routilux_core.job import Job
    from routilux_core.manager import JobManager


class EndTests(Stage):
    """What is left of it."""

    def test_it_keeps_no_job_that_is_over(self, monitor: Any) -> None:
        """However many jobs there were, their memory is free again."""
        if self.keeps_jobs:
            raise SkipTest("it means to keep them")
        with self.manager(monitor) as manager:
            kept = [self._run_and_forget(manager) for _ in range(3)]
            gc.collect()
            left = [one for one in kept if one() is not None]
            assert not left, f"{len(left)} of 3 jobs are over and still kept; keep ids and figures instead"

    def test_it_keeps_no_job_that_left(self, monitor: Any) -> None:
        """Nor one that has not ended, but goes on elsewhere: see the hook `job_left`."""
        if self.keeps_jobs:
            raise SkipTest("it means to keep them")
        with self.manager(monitor, store=self.store, discover=True) as manager:
            kept = [self._start_and_forget(manager) for _ in range(3)]
            self.in_time(lambda: manager.shutdown(wait=False), "the manager leaves its jobs to its store")
            gc.collect()
            left = [one for one in kept if one() is not None]
            assert not left, f"{len(left)} of 3 jobs have left and are still kept; let go of them in job_left"

    def _start_and_forget(self, manager: JobManager) -> ref[Job]:
        state = manager.start_job(wide(), "busy", {"count": 3, "pauses": False})
        job = manager.get_job(state.job_id)
        assert job is not None, "a job is over that nobody works for"
        return ref(job)

    def _run_and_forget(self, manager: JobManager) -> ref[Job]:
        state = manager.start_job(wide(), "busy", {"count": 3, "pauses": False})
        job = manager.get_job(state.job_id)
        assert job is not None, "a job is over that nobody works for"
        self.in_time(job.work, "a job ends")
        return ref(job)

    def test_it_leaves_no_thread(self, monitor: Any) -> None:
        """What it has started ends with the manager."""
        before = set(threading.enumerate())
        with self.manager(monitor) as manager:
            self.run(manager, busy())
        left = [
            thread
            for thread in set(threading.enumerate()) - before
            if thread is not threading.current_thread()
        ]
        for thread in left:
            thread.join(self.patience)
        names = [thread.name for thread in left if thread.is_alive()]
        assert not names, f"threads {names} still run after the manager has ended"

    def test_it_serves_the_next_manager(self, monitor: Any) -> None:
        """When one manager has ended, it watches for another as it did for the first."""
        for _ in range(2):
            with self.manager(monitor) as manager:
                self.run(manager, busy())

    def test_it_serves_two_managers(self, monitor: Any) -> None:
        """The end of one does not hinder it at the other."""
        with self.manager(monitor) as first:
            self.run(first, busy())
            with self.manager(monitor) as second:
                self.run(second, busy())
            self.run(first, busy())
