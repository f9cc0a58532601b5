"""Foreman: the one thread of the home process that gives work to the workers and takes what comes back."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections import deque
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Any

from routilux_plugins.executors.process.crew import Crew
from routilux_plugins.executors.process.dealer import Dealer
from routilux_plugins.executors.process.returns import hear, lose

if TYPE_CHECKING:
    from collections.abc import Callable

    from routilux_core import Activation
    from routilux_plugins.executors.process.lane import ProcessLane
    from routilux_plugins.executors.process.worker import Worker

log = logging.getLogger("routilux.process")


class Foreman:
    """Listens to jobs and workers, and knows who has to be done until when."""

    def __init__(self, most: int, grace: float) -> None:
        self._grace = grace
        self._requests: deque[tuple[Callable[..., None], tuple[Any, ...]]] = deque()
        self._rung = False
        self._ear, self._bell = os.pipe()
        os.set_blocking(self._bell, False)
        os.set_blocking(self._ear, False)
        self._crew = Crew(most, self._hear)
        self._crew.listen(self._ear)
        self._dealer = Dealer(self._crew)
        self._stopping = False
        self._closing = threading.Lock()
        """Guards the bell against being rung when it is taken down."""
        self._thread = threading.Thread(target=self._run, name="routilux-process", daemon=True)
        self._thread.start()

    # -- from any thread ---------------------------------------------------------------------------------

    def ask(self, call: Callable[..., None], *given: Any) -> None:
        """Have `call` called in the foreman's thread, soon."""
        self._requests.append((call, given))
        if not self._rung and not self.here:
            self._rung = True
            with self._closing, suppress(BlockingIOError):
                if self._bell >= 0:
                    os.write(self._bell, b"!")

    @property
    def here(self) -> bool:
        """Whether this is the foreman's thread."""
        return threading.current_thread() is self._thread

    def stop(self, timeout: float | None) -> None:
        """End all workers, those that do not end by themselves after the grace, and the thread."""
        self.ask(self._stop, timeout)
        if self.here:
            return
        self._thread.join(timeout)
        if self._thread.is_alive():  # it is in a function of the user
            for worker in list(self._crew.workers.values()):
                worker.process.kill()

    # -- requests ----------------------------------------------------------------------------------------

    def attend(self, lane: ProcessLane) -> None:
        """Look for work in a lane."""
        lane.awake = False
        if not lane.closed and not self._stopping:
            self._dealer.lanes[lane] = None

    def void(self, lane: ProcessLane, activation: Activation) -> None:
        """Let the worker that has it in hand stop, within the grace."""
        for worker in self._crew.workers.values():
            if worker.lane is lane and worker.hand.get(activation.id) is activation:
                worker.doomed.add(activation.id)
                worker.end_at = worker.end_at or monotonic() + self._grace
                self._crew.send(worker, "void", lane.job.job_id, activation.id, activation.attempt)

    def forget(self, lane: ProcessLane) -> None:
        """Let go of a lane; let the workers forget a job that is over."""
        self._dealer.lanes.pop(lane, None)
        lane.leave()
        job_id = lane.job.job_id
        for worker in self._crew.workers.values():
            if job_id in worker.jobs and lane.job.status.final:
                worker.jobs.discard(job_id)
                self._crew.send(worker, "forget", job_id)

    def _stop(self, timeout: float | None) -> None:
        if self._stopping:
            return
        self._stopping = True
        until = monotonic() + (self._grace if timeout is None else min(timeout / 2, self._grace))
        lanes, self._dealer.lanes = self._dealer.lanes, {}
        for lane in lanes:
            lane.leave()
        for worker in list(self._crew.workers.values()):
            worker.dismissed = True
            worker.end_at = min(worker.end_at or until, until)
            if not worker.ready:
                self._bury(worker)
                continue
            if worker.lane is not None:
                job_id = worker.lane.job.job_id
                for activation in worker.hand.values():
                    self._crew.send(worker, "void", job_id, activation.id, activation.attempt)
            self._crew.send(worker, "stop")

    # -- the thread --------------------------------------------------------------------------------------

    def _run(self) -> None:
        # Workers inherit it: Ctrl-C does not reach them before they ignore it.
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
        workers = self._crew.workers
        try:
            while not self._stopping or workers:
                try:
                    self._crew.wait(self._patience())
                    self._attend_to_all()
                except Exception:
                    log.exception("a step of the thread that serves the worker processes failed")
        finally:
            for worker in list(workers.values()):
                self._bury(worker)
            self._crew.close()
            with self._closing:
                os.close(self._bell)
                self._bell = -1
            os.close(self._ear)

    def _attend_to_all(self) -> None:
        with suppress(BlockingIOError):
            os.read(self._ear, 4096)
        self._rung = False  # only now: whoever rang before has been heard, and whoever asks later rings
        while self._requests:
            call, given = self._requests.popleft()
            call(*given)
        self._watch_time()
        self._dealer.deal()

    def _patience(self) -> float | None:
        """Return how long nothing has to be done unless something happens."""
        if self._requests:  # of this thread itself, which does not ring
            return 0.0
        workers = self._crew.workers.values()
        times = [time for one in workers for time in (one.recall_at, one.end_at) if time is not None]
        return max(0.0, min(times) - monotonic()) if times else None

    def _watch_time(self) -> None:
        now = monotonic()
        for worker in list(self._crew.workers.values()):
            if worker.end_at is not None and worker.end_at <= now:
                self._bury(worker)
            elif worker.recall_at is not None and worker.recall_at <= now:
                worker.recall_at = None
                self._crew.send(worker, "recall")

    def _hear(self, worker: Worker, ended: bool) -> None:
        """Take what a worker says; `ended` says that its process has."""
        try:
            for kind, values, body in worker.receive():
                hear(worker, kind, values, body)
                if kind == "ready":
                    self._dealer.started()
        except EOFError:
            ended = True
        if ended and not worker.gone:
            self._bury(worker)

    def _bury(self, worker: Worker) -> None:
        lost = self._crew.bury(worker)
        if worker.ready or worker.dismissed:
            lose(worker, lost)
        else:
            self._dealer.failed_to_start(lost)
