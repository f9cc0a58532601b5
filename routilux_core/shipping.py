"""Shipping: a job for executors that run its handlers in other processes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from routilux_core.parcel import Blueprint, Parcel, blueprint, surroundings
from routilux_core.serving import Serving

if TYPE_CHECKING:
    from collections.abc import Sequence

    from routilux_core.activation import Activation
    from routilux_core.outcome import Outcome


class Shipping(Serving):
    """Packs activations for a journey, takes in what comes back, and says how much more there is."""

    __slots__ = ("_blueprints",)

    _blueprints: dict[str, Blueprint]
    """What workers make its routines from, once made."""

    def ship(self, *activations: Activation) -> Parcel:
        """Return all that it takes to run `activations` in another process; `CannotTravel` if they cannot."""
        data, made, needed = self.data, self._blueprints, {}
        for activation in activations:
            routine_id = activation.routine_id
            if routine_id not in made:
                made[routine_id] = blueprint(self.slots[routine_id][activation.slot].routine, routine_id)
            needed[routine_id] = made[routine_id]
        stats = {routine_id: dict(data.stats.get(routine_id, ())) for routine_id in needed}
        known = (data.job_id, str(data.flow_id), data.root, self.epoch)
        parcel = Parcel(*known, activations, needed, dict(data.shared_data), stats)
        if self.around:
            around: Any = self.around
            parcel.surroundings = {one.id: surroundings(around, one) for one in activations}
        return parcel

    def finish_all(self, steps: Sequence[tuple[Activation, Outcome]], *, running: bool = False) -> None:
        """Hand in several outcomes at once, in their order.

        A generator may have gone on by itself: an outcome's `advanced` is the activation of the next step.
        With `running`, that of the last outcome is in the works already.
        """
        pauses = any(outcome.pauses for _, outcome in steps if outcome.effects)
        with self.lock:
            if pauses:
                self.open = False
            self.inbox.append((self.engine.finished_several, steps, running))
            messages = self._claimed()
        if messages is not None:
            self._turn(messages)

    def time_limit(self, activation: Activation) -> float | None:
        """Return in how many seconds its handler has to be done; executors elsewhere say when it begins."""
        return self.slots[activation.routine_id][activation.slot].timeout

    def deaths(self, activation: Activation) -> int:
        """Return how many workers it has ended, also those of other processes that had the job before."""
        return self.data.deaths.get(activation.id, 0)

    @property
    def backlog(self) -> int:
        """About how many activations could start now."""
        return min(self._startable(), self.limit - self.inflight) if self.open else 0

    @property
    def room(self) -> int:
        """How many more activations may be ready before generators have to wait."""
        return max(0, self.max_ready - self._crowd())
