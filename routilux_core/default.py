"""The one job manager of a process that nobody had to make."""

from __future__ import annotations

import atexit
import threading
import warnings

from routilux_core.current import provide_manager
from routilux_core.manager import JobManager

GRACE = 1.0
"""Seconds that a handler which still runs at exit has to return; its thread is left behind then."""


class _Default:
    """Makes the manager when it is first asked for, and shuts it down at exit."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._manager: JobManager | None = None
        self._max_workers: int | None = None

    def get(self, max_workers: int | None = None) -> JobManager:
        with self._lock:
            manager = self._manager
            if manager is None or manager.closed:
                if manager is None:
                    atexit.register(self._close)
                settings = {} if max_workers is None else {"max_workers": max_workers}
                self._manager, self._max_workers = JobManager(settings=settings), max_workers
                return self._manager
            if max_workers not in {None, self._max_workers}:
                has = f"has max_workers={self._max_workers}, not {max_workers}"
                text = f"the job manager of this process {has}; shut it down first to change that"
                warnings.warn(text, stacklevel=3)
            return manager

    def _close(self) -> None:
        if self._manager is not None:
            self._manager.shutdown(wait=False, timeout=GRACE)


_default = _Default()


def get_job_manager(max_workers: int | None = None) -> JobManager:
    """Return the job manager of this process, made by whoever asks first; after a shutdown, a new one.

    `max_workers` is how many workers its executors share where they share any.
    """
    return _default.get(max_workers)


provide_manager(get_job_manager)
