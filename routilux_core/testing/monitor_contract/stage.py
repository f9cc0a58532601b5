"""Stage: what all tests of a monitor stand on."""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from routilux_core.job_errors import InvalidTransition
from routilux_core.manager import JobManager
from routilux_core.observers import KINDS, Monitor
from routilux_core.outcome import Outcome
from routilux_core.settings import Settings
from routilux_core.testing.bench import BENCH
from routilux_core.testing.monitor_contract.sample import busy, failing, wide

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from routilux_core.fact import Fact
    from routilux_core.flow import Flow
    from routilux_core.job import Job
    from routilux_core.state import JobState

LOGGERS = ("routilux.monitor", "routilux.plugins")
"""Where it is logged that a monitor raised, in what it watches or in a hook."""


class Faults(logging.Handler):
    """Keeps what is logged of monitors that raised."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep what it says, with the error itself."""
        error = record.exc_info[1] if record.exc_info else None
        self.found.append(
            f"{record.getMessage()}: {type(error).__name__}: {error}" if error else record.getMessage()
        )


class Kinds(Monitor):
    """Notes which kinds of facts there were."""

    def __init__(self) -> None:
        self.seen: set[type[Fact]] = set()

    def on_fact(self, _job: Job, fact: Fact) -> None:
        """Note it."""
        self.seen |= {kind for kind in KINDS.values() if type(fact).__mro__[1] is kind}


class Stage:
    """The monitor under test, and how jobs are run for it."""

    patience: ClassVar[float] = 20.0
    """Seconds after which a test gives up. What works takes nearly nothing of it."""
    store: ClassVar[str] = "memory://"
    """What keeps the jobs of the test that needs it: the URL of any store that is installed."""
    keeps_jobs: ClassVar[bool] = False
    """Whether it means to keep jobs that are over."""

    @contextmanager
    def manager(self, *monitors: Any, **given: Any) -> Iterator[JobManager]:
        """Make a manager that these watch, and see at the end that none of them raised."""
        faults, loggers = Faults(), [logging.getLogger(name) for name in LOGGERS]
        for logger in loggers:
            logger.addHandler(faults)
        try:
            given = {"executor": BENCH, "discover": False, "settings": Settings(), **given}
            manager = JobManager(plugins=monitors, **given)
            try:
                yield manager
            finally:
                self.in_time(manager.shutdown, "the manager shuts down")
        finally:
            for logger in loggers:
                logger.removeHandler(faults)
        assert not faults.found, f"it raised: {faults.found[0]}"

    def in_time(self, act: Callable[[], Any], what: str) -> Any:
        """Do something that may never end, and return what came of it."""
        results: list[Any] = []
        errors: list[BaseException] = []

        def run() -> None:
            try:
                results.append(act())
            except BaseException as error:  # noqa: BLE001 - it is raised where somebody waits for it
                errors.append(error)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        thread.join(self.patience)
        assert not thread.is_alive(), f"within {self.patience} s it did not happen that {what}"
        if errors:
            raise errors[0]
        return results[0]

    def run(self, manager: JobManager, flow: Flow, state: JobState | None = None, **given: Any) -> JobState:
        """Run a job of a flow, or let one go on, until it is over or paused."""

        def act() -> JobState:
            if state is None:
                return manager.execute(flow, "busy", {"count": 3, "pauses": False, **given})
            manager.resume_state(flow, state)
            job = manager.get_job(state.job_id)
            if job is not None:
                job.work()
            return state

        found: JobState = self.in_time(act, f"a job of flow {flow.flow_id!r} ends")
        return found

    def run_everything(self, manager: JobManager) -> list[JobState]:
        """Run jobs in which there is every kind of fact, and return their states."""
        flow = busy()
        paused = self.run(manager, flow, pauses=True)
        states = [self.run(manager, flow, paused), self.run(manager, flow, pauses=False)]
        stopped = [self.run(manager, failing(name)) for name in ("stops", "stops_at_merging")]
        fork = failing("stops_at_merging").fork(stopped[1], start=False)
        states += [*stopped, self.run(manager, failing("stops_at_merging"), fork)]
        return [*states, self._interrupted(manager), self._cancelled(manager)]

    def run_kept(self, manager: JobManager) -> None:
        """Run jobs of which there is more to tell where they are kept; the manager has a store."""
        with self.manager(settings=Settings(history=3)) as forgetful:
            moved = self.run(forgetful, busy(), pauses=True)
        self.run(manager, busy(), moved)
        submitted = manager.submit(wide(), "busy", {"count": 3, "pauses": False})
        manager.recover()
        job = manager.get_job(submitted.job_id)
        if job is not None:
            self.in_time(job.work, "a job ends that was handed in")

    def _cancelled(self, manager: JobManager) -> JobState:
        flow = wide()
        state = manager.start_job(flow, "busy", {"count": 3, "pauses": False})
        try:
            manager.cancel(state.job_id, "enough")
        except InvalidTransition as error:
            raise AssertionError(f"a job that nobody works for cannot be cancelled: {error}") from error
        return state

    def _interrupted(self, manager: JobManager) -> JobState:
        state = manager.start_job(wide(), "busy", {"count": 3, "pauses": False})
        job = manager.get_job(state.job_id)
        assert job is not None, "a job is over that nobody works for"
        activation = job.take()
        assert activation is not None, "a job that was just started has nothing to do"
        job.finish(activation, Outcome(exception=OSError("stopped from outside"), interrupted=True))
        self.in_time(job.work, "an interrupted job ends")
        return state
