"""The executor `process`, as jobs see it."""

from __future__ import annotations

import os
import threading
from typing import ClassVar

from routilux_core import CannotTravel, Executor, Job, Lane, ManagerClosed, Traits
from routilux_plugins.executors.process.foreman import Foreman
from routilux_plugins.executors.process.lane import ProcessLane
from routilux_plugins.executors.process.main_module import refuse_at_import
from routilux_plugins.executors.process.settings import ProcessSettings


class Process(Executor):
    """Runs the activations of all jobs in worker processes."""

    traits: ClassVar[Traits] = Traits(crosses_process=True, interrupts=True)

    def __init__(self, settings: ProcessSettings | None = None) -> None:
        self._settings = ProcessSettings() if settings is None else settings
        self._lock = threading.Lock()
        self._foreman: Foreman | None = None
        self._stopped = False

    def open(self, job: Job) -> Lane:
        """Return the job's lane."""
        refuse_at_import()
        if os.name != "posix":
            raise CannotTravel("a handler", "worker processes need a POSIX system", "choose another executor")
        settings = self._settings
        with self._lock:
            if self._stopped:
                raise ManagerClosed("executor 'process'")
            if self._foreman is None:
                most = settings.max_workers or job.manager.settings.max_workers or _processors()
                self._foreman = Foreman(most, settings.grace)
            return ProcessLane(self._foreman, job, settings.max_starts)

    def stop(self, timeout: float | None = None) -> None:
        """End all workers."""
        with self._lock:
            self._stopped = True
            foreman = self._foreman
        if foreman is not None:
            foreman.stop(timeout)


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
