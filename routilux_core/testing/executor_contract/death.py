"""A worker process that dies takes nothing with it."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, ClassVar

from routilux_core.error_handler import ErrorHandler
from routilux_core.status import ExecutionStatus
from routilux_core.testing.executor_contract.sample import chain, fan
from routilux_core.testing.executor_contract.stage import Stage
from routilux_core.testing.executor_contract.traveller import kill_worker
from routilux_core.testing.executor_contract.workshop import completed, ended, numbers, told

if TYPE_CHECKING:
    from routilux_core.state import JobState

WIDTH, BAD = 20, 5


class DeathTests(Stage):
    """Workers that are killed while they run a handler, for executors that cross into processes."""

    max_starts: ClassVar[int] = 3
    """How often an activation may kill its worker before it is not run again."""

    def test_what_a_killed_worker_ran_is_run_again(self) -> None:
        """And takes effect once, as does everything else."""
        self.needs_processes()
        state, called = self._kill(times=1)
        completed(state)
        assert called == 2, f"it was called {called} times"
        assert numbers(state, "kill.output") == list(range(WIDTH)), dict(state.results)

    def test_what_kills_its_workers_fails(self) -> None:
        """After `max_starts` of them, and its neighbours finish."""
        self.needs_processes()
        state, called = self._kill(times=1000, errors="continue")
        completed(state)
        assert called == self.max_starts, f"it was called {called} times, not {self.max_starts}"
        assert [error.routine_id for error in state.errors] == ["kill"], told(state)
        others = [n for n in range(WIDTH) if n != BAD]
        assert numbers(state, "kill.output") == others, dict(state.results)

    def test_a_job_fails_by_what_kills_its_workers(self) -> None:
        """Where errors stop it."""
        self.needs_processes()
        ended(self._kill(times=1000)[0], ExecutionStatus.FAILED)

    def _kill(self, times: int, errors: str = "stop") -> tuple[JobState, int]:
        flow = chain("killed", fan=fan(), kill=kill_worker())
        flow.set_error_handler(ErrorHandler(errors))
        with TemporaryDirectory() as folder:
            calls = Path(folder) / "calls"
            fields = {"width": WIDTH, "bad": BAD, "times": times, "tester": os.getpid(), "calls": str(calls)}
            state = self.workshop.run(flow, "fan", fields)
            return state, len(calls.read_text(encoding="utf-8"))
