"""Rates: how much was done in the last seconds."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

Place = tuple[str, str]
"""A flow and a routine."""
SPAN = 5.0
"""Seconds over which a rate is taken."""


class Rates:
    """How much was done in the last seconds, by flow and routine."""

    def __init__(self, now: float) -> None:
        self._seen: deque[tuple[float, Mapping[Place, int]]] = deque([(now, {})])

    def take(self, now: float, done: Mapping[Place, int]) -> dict[Place, float]:
        """Note what is done by now, and return how much of that was done in a second of the last ones."""
        while len(self._seen) > 1 and self._seen[1][0] <= now - SPAN:
            self._seen.popleft()
        begin, before = self._seen[0]
        self._seen.append((now, done))
        if now <= begin:
            return {}
        return {place: (count - before.get(place, 0)) / (now - begin) for place, count in done.items()}
