"""Workshop: an executor, a manager that runs everything on it, and how long a test waits for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from routilux_core.manager import JobManager
from routilux_core.settings import Settings
from routilux_core.status import ExecutionStatus

if TYPE_CHECKING:
    from routilux_core.executor import Executor
    from routilux_core.flow import Flow
    from routilux_core.job import Job
    from routilux_core.state import JobState

Fields = dict[str, Any]


class Workshop:
    """Runs jobs on one executor, and never waits for ever."""

    def __init__(self, executor: Executor, patience: float) -> None:
        self.executor = executor
        self.patience = patience
        self.manager = JobManager(executor=executor, discover=False, settings=Settings())

    def start(self, flow: Flow, entry: str, fields: Fields | None = None, /, **options: Any) -> JobState:
        """Start a job with the fields of its entry; `options` are those of `Flow.start`."""
        return self.manager.start_job(flow, entry, fields, **options)

    def wait(self, state: JobState) -> JobState:
        """Wait until the job is over or paused."""
        job = self.manager.get_job(state.job_id)
        if job is not None and not job.wait(self.patience):
            raise AssertionError(f"the job has not ended within {self.patience} s: {job.explain()}")
        return state

    def run(self, flow: Flow, entry: str, fields: Fields | None = None, /, **options: Any) -> JobState:
        """Start a job and wait for it."""
        return self.wait(self.start(flow, entry, fields, **options))

    def complete(self, flow: Flow, entry: str, fields: Fields | None = None, /, **options: Any) -> JobState:
        """Start a job, wait for it, and see that it has completed."""
        return completed(self.run(flow, entry, fields, **options))

    def job(self, state: JobState) -> Job:
        """Return the job of a state, which must still run."""
        job = self.manager.get_job(state.job_id)
        assert job is not None, f"the job is {state.status} already: {told(state)}"
        return job

    def clear(self) -> None:
        """End what still runs, so that the next test finds nothing of it."""
        for job in self.manager.running_jobs:
            job.cancel_quietly("the test is over")

    def close(self) -> None:
        """End everything."""
        self.clear()
        self.manager.shutdown(wait=False)


def completed(state: JobState) -> JobState:
    """See that a job has completed, and return its state."""
    return ended(state, ExecutionStatus.COMPLETED)


def ended(state: JobState, status: ExecutionStatus) -> JobState:
    """See that a job stands as it should, and return its state."""
    assert state.status is status, f"the job is {state.status}, not {status}: {told(state)}"
    return state


def told(state: JobState) -> str:
    """Say what went wrong in a job."""
    return "; ".join(str(error) for error in state.errors) or "no error was recorded"


def numbers(state: JobState, source: str, field: str = "n") -> list[Any]:
    """Return one field of what went out from `source`, sorted."""
    return sorted(payload[field] for payload in state.results.get(source, ()))
