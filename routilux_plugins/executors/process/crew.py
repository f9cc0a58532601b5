"""Crew: the worker processes that there are, and how their wires are watched."""

from __future__ import annotations

import selectors
from typing import TYPE_CHECKING, Any

from routilux_plugins.executors.process.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable

    from routilux_core import WorkerLost

    Heard = Callable[[Worker, bool], None]


class Crew:
    """The workers of an executor, at most so many; used by the foreman's thread alone."""

    def __init__(self, most: int, heard: Heard) -> None:
        self.workers: dict[int, Worker] = {}
        self._allowed = self._most = most
        self._heard = heard
        self._hired = 0
        self._selector = selectors.DefaultSelector()

    # -- who there is ------------------------------------------------------------------------------------

    @property
    def free(self) -> list[Worker]:
        """Those who wait for work."""
        return [worker for worker in self.workers.values() if worker.free]

    @property
    def coming(self) -> int:
        """How many were started and are not ready yet."""
        return sum(not worker.ready for worker in self.workers.values())

    @property
    def room(self) -> int:
        """How many more there may be."""
        return self._most - len(self.workers)

    def limit(self) -> None:
        """Be content with those that there are, until one of them is gone."""
        self._most = len(self.workers)

    def hire(self) -> None:
        """Start one more."""
        worker = Worker(self._hired)
        self._hired += 1
        self.workers[worker.number] = worker
        for file in worker.files:
            self._selector.register(file, selectors.EVENT_READ, (worker, file is not worker.wire))

    def bury(self, worker: Worker) -> WorkerLost:
        """See to it that a worker has ended, and say how it did."""
        for file in worker.files:
            self._selector.unregister(file)
        del self.workers[worker.number]
        self._most = self._allowed
        return worker.bury()

    # -- their wires -------------------------------------------------------------------------------------

    def listen(self, file: int) -> None:
        """Wake up also for something else."""
        self._selector.register(file, selectors.EVENT_READ)

    def send(self, worker: Worker, kind: str, *values: Any, body: bytes = b"") -> None:
        """Send a message; what the wire does not take now goes when it does."""
        worker.send(kind, *values, body=body)
        self._watch(worker)

    def wait(self, until: float | None) -> None:
        """Wait for something to happen, at most so many seconds, and tell of it."""
        for key, events in self._selector.select(until):
            if key.data is None:
                continue
            worker, ended = key.data
            if worker.gone:
                continue
            if events & selectors.EVENT_WRITE:
                worker.flush()
                self._watch(worker)
            if events & selectors.EVENT_READ:
                self._heard(worker, ended)

    def close(self) -> None:
        """Wait for nothing any more."""
        self._selector.close()

    def _watch(self, worker: Worker) -> None:
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if worker.choked else 0)
        key = self._selector.get_key(worker.wire)
        if key.events != wanted:
            self._selector.modify(worker.wire, wanted, key.data)
