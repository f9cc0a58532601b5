"""Taking: handing out work, unless a plugin holds it back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routilux_core.desk import HELD
from routilux_core.divided import Divided
from routilux_core.interrupt import unbreakable
from routilux_core.turn import NOTHING, Turn

if TYPE_CHECKING:
    from routilux_core.activation import Activation


class Taking(Turn):
    """A turn with work to hand out."""

    __slots__ = ()

    def take(self) -> Activation | None:
        """Return work to run now, or None. Whoever takes it must give its outcome to `finish`."""
        return self._take(False)

    def take_async(self) -> Activation | None:
        """Return work with an async handler, or None; where there is an event loop, `take` gives the rest."""
        return self._take(True) if isinstance(self.ready, Divided) else None

    def halves(self) -> tuple[int, int]:
        """Return about how many activations are ready: those for threads, those that `take_async` gives."""
        ready, startable = self.ready, self._startable()
        if not isinstance(ready, Divided):
            return startable, 0
        # A generator that has waited for room is of either half.
        plain, awaited = ready.parts
        return startable - awaited, startable - plain

    def _take(self, awaited: bool) -> Activation | None:
        while True:
            with self.lock:
                activation = self._next(awaited)
                if activation is None:
                    return None
                holds = self._holds
                if holds is None:
                    messages = self._note(activation)
            if holds is not None:
                HELD.turns += 1
                parked = holds(activation)
                HELD.turns -= 1
                if parked:
                    self._park(activation)
                    continue
                with self.lock:
                    if self.engine.refuses(activation):
                        return None
                    messages = self._note(activation)
            if messages is not None:
                self._turn(messages)
            elif self.journal is not None and self.journal.urgency > self.journal.marked:
                self._mark(self.journal.urgency)  # of its start, which waits for nothing else
            return activation

    def _park(self, activation: Activation) -> None:
        with self.lock:
            self.inflight -= 1
            if self.engine.demanding:
                self.ready.settle((activation,))  # type: ignore[union-attr]  # a Ready
            if activation.id in self.passed:
                self.ready.append(activation)
            else:
                self.parked[activation.id] = activation  # type: ignore[index]  # a dict where something holds
        self.send(NOTHING)


for protected in (Taking.take, Taking.take_async, Taking._take):
    unbreakable(protected)
