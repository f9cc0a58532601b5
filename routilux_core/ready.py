"""Ready: the work of a job whose slots have priorities or limits of their own."""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict, deque
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from routilux_core.activation import Activation
    from routilux_core.plan import Plan


class Ready:
    """A deque for its users; inside, higher priorities come first and full slots wait aside."""

    __slots__ = ("_aside", "_heap", "_limits", "_numbers", "_taken")

    def __init__(self, plan: Plan) -> None:
        self._limits = {
            slot.target: slot.concurrency
            for slots in plan.slots.values()
            for slot in slots.values()
            if slot.concurrency is not None
        }
        self._heap: list[tuple[int, int, Activation]] = []
        self._numbers = count()
        self._aside: defaultdict[str, deque[tuple[int, int, Activation]]] = defaultdict(deque)
        self._taken: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._heap)

    @property
    def crowd(self) -> int:
        """How many there are, with those that wait aside."""
        return len(self._heap) + sum(map(len, self._aside.values()))

    def append(self, activation: Activation) -> None:
        """Add work."""
        heapq.heappush(self._heap, (-activation.priority, next(self._numbers), activation))

    def extend(self, activations: Iterable[Activation]) -> None:
        """Add work, in order."""
        for activation in activations:
            self.append(activation)

    def popleft(self) -> Activation | None:
        """Take the first that may start; None when all that is here has to wait for its slot."""
        while self._heap:
            entry = heapq.heappop(self._heap)
            activation = entry[2]
            target = activation.target
            limit = self._limits.get(target)
            if limit is None:
                return activation
            if self._taken[target] < limit:
                self._taken[target] += 1
                return activation
            self._aside[target].append(entry)
        return None

    def settle(self, activations: Iterable[Activation]) -> None:
        """Make room for what waits aside."""
        for activation in activations:
            target = activation.target
            if target in self._limits:
                self._taken[target] -= 1
                if self._aside[target]:
                    heapq.heappush(self._heap, self._aside[target].popleft())

    def clear(self) -> None:
        """Forget all, as at a pause."""
        self._heap.clear()
        self._aside.clear()
        self._taken.clear()
