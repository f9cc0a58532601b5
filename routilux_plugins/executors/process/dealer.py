"""Dealer: gives the work of the lanes to the workers, and hires them."""

from __future__ import annotations

import logging
from time import monotonic
from typing import TYPE_CHECKING

from routilux_core import Outcome, WorkerLost
from routilux_plugins.executors.process.returns import LATE

if TYPE_CHECKING:
    from routilux_core import Activation
    from routilux_plugins.executors.process.crew import Crew
    from routilux_plugins.executors.process.lane import ProcessLane
    from routilux_plugins.executors.process.worker import Worker

log = logging.getLogger("routilux.process")
TRIES = 3
"""How many workers may end before they are ready, one after the other, before the work fails."""


class Dealer:
    """Knows which lanes have work."""

    def __init__(self, crew: Crew) -> None:
        self.lanes: dict[ProcessLane, None] = {}
        """Those that may have work, in order."""
        self._crew = crew
        self._failures = 0
        """How many workers, one after the other, have ended before they were ready."""

    def deal(self) -> None:
        """Give work to those who are free, the lanes taking turns; hire if there is more."""
        self._go_on()
        while self.lanes and (worker := self._taker()) is not None:
            lane = next(iter(self.lanes))
            del self.lanes[lane]
            load = lane.load(worker, len(self._crew.free) + self._crew.room)
            if load:
                self.lanes[lane] = None
                self._give(worker, lane, load)
            self._go_on()

    def _go_on(self) -> None:
        """Let those who hold generators go on with them."""
        for worker in self._crew.free:
            while worker.free and worker.reserved:
                lane, activation = worker.reserved.popleft()
                if not lane.closed:
                    self._give(worker, lane, [activation])

    def _taker(self) -> Worker | None:
        """Return who takes the next work; who holds a generator is kept for it as long as others can come."""
        free = self._crew.free
        for worker in free:
            if not worker.held:
                return worker
        self._hire()
        return free[0] if free and not self._crew.coming else None

    def _give(self, worker: Worker, lane: ProcessLane, load: list[Activation]) -> None:
        try:
            body = lane.packed(worker, load)
        except Exception as error:  # noqa: BLE001 - routines are asked for their configuration here
            if len(load) == 1:
                lane.finish(load[0], Outcome(exception=error))
                return
            sound = [one for one in load if self._travels(worker, lane, one)]
            if sound:
                self._give(worker, lane, sound)
            return
        worker.lane = lane
        worker.hand = {activation.id: activation for activation in load}
        worker.jobs.add(lane.job.job_id)
        ahead = lane.ahead(load)
        if len(load) > 1 or ahead:
            worker.recall_at = monotonic() + 3 * lane.expected(load) + LATE
        self._crew.send(worker, "run", ahead, lane.timed(load), b"__main__" in body, body=body)

    def _travels(self, worker: Worker, lane: ProcessLane, activation: Activation) -> bool:
        try:
            lane.packed(worker, [activation])
        except Exception as error:  # noqa: BLE001 - as above
            lane.finish(activation, Outcome(exception=error))
            return False
        worker.unlearn()  # it was not sent
        return True

    def _hire(self) -> None:
        """Start workers, as many as there is work for and may be."""
        wanted = 0
        for lane in self.lanes:
            wanted += lane.backlog
            if wanted >= self._crew.room + self._crew.coming:
                break
        while self.lanes and self._crew.room and self._crew.coming < wanted:
            try:
                self._crew.hire()
            except (OSError, ValueError) as error:
                self.failed_to_start(WorkerLost("a worker process", f"it could not be started: {error}"))

    def started(self) -> None:
        """Know that workers can be started."""
        self._failures = 0

    def failed_to_start(self, lost: WorkerLost) -> None:
        """Try again a few times, then fail the work that waits, unless other workers do it."""
        self._failures += 1
        log.warning("%s", lost)
        if self._failures < TRIES:
            return
        self._failures = 0
        if self._crew.workers:
            self._crew.limit()
            return
        lanes, self.lanes = self.lanes, {}
        for lane in lanes:
            lane.fail(lost)
