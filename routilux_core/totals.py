"""What routines recorded, over all jobs of a manager."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from routilux_core.job import Job
    from routilux_core.routine import Routine


def _add(totals: dict[str, Any], stats: Mapping[str, Any], base: Mapping[str, Any]) -> None:
    """Add what `stats` has beyond `base`: numbers add up, of other values the last one counts."""
    for key, value in stats.items():
        old, start = totals.get(key), base.get(key, 0)
        if _number(value) and _number(start) and (old is None or _number(old)):
            totals[key] = (old or 0) + value - start
        elif value != base.get(key):
            totals[key] = value


def _number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


class Totals:
    """Keeps the sums while the jobs come and go."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sums: WeakKeyDictionary[Routine, dict[str, Any]] = WeakKeyDictionary()

    def change(self, routine: Routine, key: str, value: Any, *, add: bool) -> None:
        """Set or increment a value outside all jobs."""
        with self._lock:
            sums = self._sums.setdefault(routine, {})
            sums[key] = sums.get(key, 0) + value if add else value

    def take_over(self, job: Job) -> None:
        """Keep what a job that leaves has recorded."""
        routines = job.flow.routines
        with self._lock:
            for routine_id, stats in job.data.stats.items():
                if routine_id in routines:
                    sums = self._sums.setdefault(routines[routine_id], {})
                    _add(sums, stats, job.base.get(routine_id, {}))

    def of(self, routine: Routine, jobs: Iterable[Job]) -> dict[str, Any]:
        """Return the sums of `routine`, those of the running `jobs` included."""
        with self._lock:
            sums = dict(self._sums.get(routine, {}))
        for job in jobs:
            for routine_id in job.plan.ids.get(id(routine), ()):
                _add(sums, dict(job.data.stats.get(routine_id, {})), job.base.get(routine_id, {}))
        return sums
