"""Reservation: a manager takes a job up once at a time, and never from itself."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from routilux_core.store_errors import ClaimRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from routilux_core.job import Job


class Reservations:
    """The jobs that a manager is about to claim: a store gives an owner a new claim whenever it asks."""

    def __init__(self, owner: str, running: dict[str, Job]) -> None:
        self._owner = owner
        self._running = running
        self._lock = threading.Lock()
        self._reserved: set[str] = set()

    @contextmanager
    def of(self, job_id: str, own: Job | None = None) -> Iterator[None]:
        """Be the only one here who claims that job.

        `ClaimRefused` if somebody is about to, or if it runs here, unless as `own`.
        """
        with self._lock:
            running = self._running.get(job_id)
            if job_id in self._reserved or (running is not None and running is not own):
                raise ClaimRefused(job_id, f"{self._owner!r} has it")
            self._reserved.add(job_id)
        try:
            yield
        finally:
            with self._lock:
                self._reserved.discard(job_id)
