"""Progress: the monitor that shows how far jobs are."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any, ClassVar

from routilux_core import Monitor, hookimpl
from routilux_plugins.monitors.progress.settings import ProgressSettings
from routilux_plugins.monitors.progress.tally import FlowTally, JobTally
from routilux_plugins.monitors.progress.view import LineView, ScreenView

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO

    from routilux_core import (
        ActivationCompleted,
        ActivationFailed,
        ActivationRetried,
        ActivationReturned,
        ActivationStarted,
        DeliveryRetried,
        Fact,
        Job,
    )
    from routilux_plugins.monitors.progress.view import View


class Progress(Monitor):
    """Shows for each routine what is done, running and waiting, its errors and its rate.

    On a terminal that is a table, painted over in place; elsewhere it is a line now and then. A thread of its
    own shows it from when the first job begins until none is left.
    """

    reads_only: ClassVar[bool] = True

    def __init__(self, settings: ProgressSettings | None = None, stream: TextIO | None = None) -> None:
        self._settings = settings or ProgressSettings()
        self._stream = stream
        self._lock = threading.Lock()
        """Guards what follows. What is counted of a job is written in its turn alone."""
        self.jobs: dict[str, JobTally] = {}
        """How far the jobs are that run, by their ids."""
        self._flows: dict[str, FlowTally] = {}
        self._view: View | None = None

    # -- jobs --------------------------------------------------------------------------------------------

    def on_job_started(self, job: Job, _fact: Fact) -> None:
        """Show it."""
        self._begin(job, {}, again=False)

    def on_job_resumed(self, job: Job, _fact: Fact) -> None:
        """Show it, with what was left to do."""
        if job.job_id not in self.jobs:
            waiting = Counter(task.routine_id for task in job.job_state.pending_tasks)
            self._begin(job, waiting, again=True)

    def _begin(self, job: Job, waiting: Mapping[str, int], *, again: bool) -> None:
        flow_id = job.flow.flow_id
        with self._lock:
            self.jobs[job.job_id] = JobTally(flow_id, waiting)
            self._flows.setdefault(flow_id, FlowTally()).begin(again=again)
            stream = self._stream or getattr(sys, self._settings.stream)
            if self._view is None and stream is not None:
                kind = ScreenView if stream.isatty() else LineView
                self._view = kind(self._settings, stream, self._flows, self.jobs)
                self._view.start()

    def on_job_completed(self, job: Job, fact: Fact) -> None:
        """Show how it ended; with the last one, the view is over before anybody hears of that end."""
        self._over(job, fact.tag.removeprefix("job_"))

    on_job_failed = on_job_cancelled = on_job_paused = on_job_completed

    @hookimpl
    def job_left(self, job: Job) -> None:
        """Show that it goes on elsewhere."""
        self._over(job, "left")

    def _over(self, job: Job, status: str) -> None:
        ending = None
        with self._lock:
            tally = self.jobs.pop(job.job_id, None)
            if tally is not None:
                self._flows[tally.flow_id].take(tally, status)
                if not self.jobs:
                    ending, self._view = self._view, None
                    self._flows = {}
        if ending is not None:
            ending.end()

    @hookimpl
    def manager_closing(self) -> None:
        """Show no more."""
        with self._lock:
            ending, self._view = self._view, None
        if ending is not None:
            ending.end()

    # -- activations -------------------------------------------------------------------------------------

    def _changed(self) -> None:
        view = self._view
        if view is not None:
            view.change()

    def on_event_emitted(self, job: Job, fact: Any) -> None:
        """Count what waits."""
        tally = self.jobs.get(job.job_id)
        if tally is not None:
            tally.made(fact.activations)
            self._changed()

    on_event_posted = on_payloads_released = on_delivery_failed = on_event_emitted

    def on_activation_started(self, job: Job, fact: ActivationStarted) -> None:
        """Count what runs."""
        tally = self.jobs.get(job.job_id)
        if tally is not None:
            tally.started(fact.activation)
            self._changed()

    def on_activation_completed(self, job: Job, fact: ActivationCompleted) -> None:
        """Count what is done."""
        self._stopped(job, fact, done=True)

    def on_activation_failed(self, job: Job, fact: ActivationFailed) -> None:
        """Count the error."""
        self._stopped(job, fact, error=True)

    on_activation_skipped = on_activation_failed

    def on_activation_retried(self, job: Job, fact: ActivationRetried) -> None:
        """Count the error, and what waits again."""
        self._stopped(job, fact, again=True, error=True)

    def on_activation_returned(self, job: Job, fact: ActivationReturned) -> None:
        """Count what waits again."""
        self._stopped(job, fact, again=True)

    def on_delivery_retried(self, job: Job, fact: DeliveryRetried) -> None:
        """Count that it waits no more; what is made of it now is told by itself."""
        self._stopped(job, fact)

    def _stopped(self, job: Job, fact: Any, **how: bool) -> None:
        tally = self.jobs.get(job.job_id)
        if tally is not None:
            tally.stopped(fact.activation, **how)
            self._changed()
