"""Jsonl: the monitor that writes facts into a file."""

from __future__ import annotations

import logging
import os
import threading
from difflib import get_close_matches
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from routilux_core import (
    InvalidOption,
    JobCancelled,
    JobCompleted,
    JobPaused,
    JobStopped,
    Monitor,
    hookimpl,
)
from routilux_plugins.monitors.jsonl.line import writer
from routilux_plugins.monitors.jsonl.record import record_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from routilux_core import Fact, Job
    from routilux_plugins.monitors.jsonl.record import Record
    from routilux_plugins.monitors.jsonl.settings import JsonlSettings

log = logging.getLogger("routilux.monitor")
ENDS = (JobCompleted, JobStopped, JobCancelled, JobPaused)


class Jsonl(Monitor):
    """Appends facts to a file, whole lines at a time, so that several processes may share it.

    The file is open while a job runs that is watched. Only its owner may read it, since payloads are in it.
    """

    reads_only: ClassVar[bool] = True

    def __init__(self, settings: JsonlSettings) -> None:
        self._path = settings.path.absolute()
        self._buffer = settings.buffer
        self._data = settings.data
        self._line = writer()
        self._wanted = self._checked(settings.facts)
        self._lock = threading.Lock()
        """Guards what follows."""
        self._lines: list[bytes] = []
        self._lost = 0
        """How many lines could not be written lately."""
        self._torn = False
        """Whether the last line in the file is not whole."""
        self._file: int | None = None
        self._jobs: set[str] = set()

    def _checked(self, tags: tuple[str, ...]) -> set[str]:
        known = sorted(kind.tag for kind in super().watches())
        for tag in tags:
            if tag not in known:
                near = get_close_matches(tag, known, n=1)
                meant = f"; did you mean {near[0]!r}?" if near else ""
                raise InvalidOption("facts", tag, f"kinds of facts: {', '.join(known)}{meant}")
        return set(tags or known)

    def watches(self) -> dict[type[Fact], list[Callable[[Job, Any], object]]]:
        """Watch the facts that are written, and those by which jobs begin and end."""
        found: dict[type[Fact], list[Callable[[Job, Any], object]]] = {}
        for kind in super().watches():
            calls: list[Callable[[Job, Any], object]] = []
            if kind.tag in self._wanted:
                calls.append(partial(self._write, record_of(kind, data=self._data)))
            if kind in ENDS:
                calls.append(lambda job, _fact: self.job_left(job))
            if calls:
                found[kind] = calls
        return found

    def on_fact(self, job: Job, fact: Fact) -> None:
        """Stand for the calls of `watches`, one for each kind of fact."""

    def _write(self, record: Callable[[str, Fact], Record], job: Job, fact: Fact) -> None:
        job_id = job.job_id
        line = self._line(record(job_id, fact))
        with self._lock:
            self._jobs.add(job_id)
            self._lines.append(line)
            if len(self._lines) >= self._buffer:
                self._flush()

    @hookimpl
    def job_left(self, job: Job) -> None:
        """Write what is left of a job of which nothing more comes."""
        with self._lock:
            self._jobs.discard(job.job_id)
            self._flush()
            if not self._jobs:
                self._close()

    @hookimpl
    def manager_closing(self) -> None:
        """Write what is left."""
        with self._lock:
            self._flush()
            self._close()

    # -- under the lock ----------------------------------------------------------------------------------

    def _flush(self) -> None:
        lines, self._lines = self._lines, []
        if not lines:
            return
        try:
            self._append(b"".join(lines))
        except OSError as error:
            if not self._lost:
                log.error("jsonl: %s takes no lines, they are lost till it does: %s", self._path, error)  # noqa: TRY400
            self._lost += len(lines)
        else:
            if self._lost:
                log.warning("jsonl: %s takes lines again; %d were lost", self._path, self._lost)
            self._lost = 0

    def _append(self, text: bytes) -> None:
        if self._file is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        left = memoryview(b"\n" + text if self._torn else text)
        while left:
            written = os.write(self._file, left)
            left = left[written:]
            self._torn = bool(left)

    def _close(self) -> None:
        if self._file is not None:
            file, self._file = self._file, None
            os.close(file)
