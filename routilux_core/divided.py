"""Divided: ready work of which a part is for an event loop, and the rest for threads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routilux_core.binding import Style
from routilux_core.ready import Ready

if TYPE_CHECKING:
    from collections.abc import Iterable

    from routilux_core.activation import Activation
    from routilux_core.plan import Plan


class Divided(Ready):
    """What threads run, taken as from any other; what has an async handler is taken apart from that."""

    __slots__ = ("_targets", "awaited")

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        self.awaited = Ready(plan)
        self._targets = async_targets(plan)

    def __len__(self) -> int:
        return len(self._heap) + len(self.awaited._heap)

    @property
    def parts(self) -> tuple[int, int]:
        """How many may start: those for threads, and those for an event loop."""
        return len(self._heap), len(self.awaited._heap)

    @property
    def crowd(self) -> int:
        """How many there are, with those that wait aside."""
        return super().crowd + self.awaited.crowd

    def append(self, activation: Activation) -> None:
        """Add work to its part."""
        if activation.target in self._targets:
            self.awaited.append(activation)
        else:
            super().append(activation)

    def settle(self, activations: Iterable[Activation]) -> None:
        """Make room for what waits aside."""
        for activation in activations:
            if activation.target in self._targets:
                self.awaited.settle((activation,))
            else:
                super().settle((activation,))

    def clear(self) -> None:
        """Forget all, as at a pause."""
        super().clear()
        self.awaited.clear()


def async_targets(plan: Plan) -> frozenset[str]:
    """Return the places of the slots whose handlers are awaited."""
    return frozenset(
        slot.target
        for slots in plan.slots.values()
        for slot in slots.values()
        if slot.style in {Style.COROUTINE, Style.ASYNC_GENERATOR}
    )
