"""One call of one slot's handler with one payload: the unit of work, retry and recovery."""

from __future__ import annotations

from typing import Any

from attrs import define, evolve


@define(eq=False)
class Activation:
    """A piece of work; never changed after it is made. Another attempt is another object with the same id."""

    id: int
    """Counts up within the job."""
    routine_id: str
    slot: str
    data: dict[str, Any]
    source: str | None
    """The `routine.event` that it came from; None for entry and post."""
    created: float
    lineage: int
    attempt: int = 1
    items: int = 0
    """How many items of a generator have taken effect."""
    priority: int = 0
    due: float | None = None
    """When a waiting retry may start, in seconds since the epoch."""
    max_retries: int = 0
    undelivered: bool = False
    """True where merging or the policy failed: trying again means delivering again."""

    def advanced(self) -> Activation:
        """Return it with one more item taken."""
        return Activation(
            self.id,
            self.routine_id,
            self.slot,
            self.data,
            self.source,
            self.created,
            self.lineage,
            self.attempt,
            self.items + 1,
            self.priority,
            None,
            self.max_retries,
        )

    def renewed(self) -> Activation:
        """Return it with all its attempts before it."""
        return evolve(self, attempt=1, due=None)

    @property
    def target(self) -> str:
        """The slot that it is for, as `routine.slot`."""
        return f"{self.routine_id}.{self.slot}"
