"""Tally: how far the routines of jobs are, by the facts."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from routilux_core import Activation


class Row:
    """How far one routine is."""

    __slots__ = ("done", "errors", "running", "waiting")

    def __init__(self) -> None:
        self.done = 0
        self.running = 0
        self.waiting = 0
        self.errors = 0

    def begin(self) -> None:
        """Know that one waits no more; that it did may have been among facts that were dropped."""
        self.waiting = max(0, self.waiting - 1)

    def add(self, other: Row) -> None:
        """Take in another."""
        self.done += other.done
        self.running += other.running
        self.waiting += other.waiting
        self.errors += other.errors


class JobTally:
    """How far the routines of one job are."""

    def __init__(self, flow_id: str, waiting: Mapping[str, int]) -> None:
        self.flow_id = flow_id
        self.rows: dict[str, Row] = {}
        self._running: set[int] = set()
        for routine_id, count in waiting.items():
            self.row(routine_id).waiting = count

    def row(self, routine_id: str) -> Row:
        """Return how far a routine is."""
        found = self.rows.get(routine_id)
        if found is None:
            found = self.rows[routine_id] = Row()
        return found

    def made(self, works: Iterable[Activation]) -> None:
        """Know of work that waits."""
        for work in works:
            self.row(work.routine_id).waiting += 1

    def started(self, work: Activation) -> None:
        """Know that it runs."""
        self._running.add(work.id)
        row = self.row(work.routine_id)
        row.begin()
        row.running += 1

    def stopped(
        self, work: Activation, *, again: bool = False, done: bool = False, error: bool = False
    ) -> None:
        """Know that it does not run any more, or was never run; with `again` it waits for its next try."""
        row = self.row(work.routine_id)
        if work.id in self._running:
            self._running.discard(work.id)
            row.running -= 1
        else:
            row.begin()
        row.waiting += again
        row.done += done
        row.errors += error

    def close(self) -> None:
        """Know that nothing of it runs or waits any more."""
        self._running.clear()
        for row in self.rows.values():
            row.running = row.waiting = 0


class FlowTally:
    """How far the jobs of one flow are, from when the first of them began until none is left."""

    def __init__(self) -> None:
        self.running = 0
        self.ended: Counter[str] = Counter()
        """How many jobs are over, by how they ended."""
        self.rows: dict[str, Row] = {}
        """What the jobs came to that are over."""

    def begin(self, *, again: bool) -> None:
        """Know that one more runs; `again` says that it was paused."""
        self.running += 1
        if again and self.ended["paused"]:
            self.ended["paused"] -= 1

    def take(self, job: JobTally, status: str) -> None:
        """Take in a job that does not run any more."""
        job.close()
        self.running -= 1
        self.ended[status] += 1
        for routine_id, row in job.rows.items():
            self.rows.setdefault(routine_id, Row()).add(row)

    def whole(self, jobs: Iterable[JobTally]) -> dict[str, Row]:
        """Return how far each routine is, running jobs included."""
        rows: dict[str, Row] = {}
        for part in (self.rows, *(job.rows for job in jobs)):
            for routine_id, row in list(part.items()):
                rows.setdefault(routine_id, Row()).add(row)
        return rows

    def jobs(self) -> str:
        """Say how its jobs are."""
        parts = [f"{self.running:,} running"] if self.running else []
        parts += [f"{count:,} {status}" for status, count in self.ended.items() if count]
        return ", ".join(parts)
