"""ArchivedJob: data and history of one run, of which a part may have been left in a store."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Self

from routilux_core.identity import checked_id, new_id
from routilux_core.job_data import JobData

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Callable

    from routilux_core.fact import Fact
    from routilux_core.job import Job
    from routilux_core.outputs import OutputHandler
    from routilux_core.stored_job import StoredJob


class ArchivedJob:
    """What a JobState is made of. What was left in its store is fetched when somebody looks at it."""

    __slots__ = (
        "__weakref__", "_archive", "_base", "_cause", "_claimed", "_data", "_history", "_job", "_lock",
        "_output_handler",
    )  # fmt: skip

    def __init__(self, flow_id: str | None = None, job_id: str | None = None) -> None:
        chosen = new_id() if job_id is None else checked_id("job id", job_id)
        now = time.time()
        self._data = JobData(chosen, flow_id, chosen, now, now)
        self._history: list[Fact] | deque[Fact] = []
        self._lock = threading.Lock()
        self._job: Job | None = None
        self._cause: BaseException | None = None
        self._claimed = False
        self._output_handler: OutputHandler | None = None
        self._archive: Callable[[], StoredJob] | None = None
        """Reads the history before this one, and the logs of that time, if they were left in a store."""
        self._base: int | None = None
        """The number of the last fact that the store had when it was loaded or let go; `ASTRAY` if unsure."""

    def _whole(self) -> Self:
        """Fetch what was left in a store, if anything was."""
        if self._archive is not None:
            self._fetch()
        return self

    def _fetch(self) -> None:
        archive = self._archive
        if archive is None:
            return
        past = archive()  # not under the lock: it asks the store
        data, history = self._data, self._history
        with self._lock:
            if self._archive is not archive:
                return
            self._archive = None
            data.errors[:0] = past.data.errors
            data.output_log[:0] = past.data.output_log
            data.shared_log[:0] = past.data.shared_log
            for name, payloads in past.data.results.items():
                data.results.setdefault(name, [])[:0] = payloads
            if isinstance(history, list):
                history[:0] = past.history
            else:
                history.extendleft(past.history[: -1 - (history.maxlen or 0) + len(history) : -1])
