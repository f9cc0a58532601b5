"""Ledger: where a job's facts are written down, in order and with their time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from routilux_core.activation import Activation
from routilux_core.apply import APPLY, activation_started
from routilux_core.facts import ActivationStarted

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Callable

    from routilux_core.entry_writer import EntryWriter
    from routilux_core.fact import Fact
    from routilux_core.job_data import JobData
    from routilux_core.plan import BoundSlot


class Ledger:
    """Numbers facts, applies them and keeps them; used by whoever has the job's turn."""

    __slots__ = ("data", "keep", "news", "now", "ready", "stirred", "writer")

    def __init__(self, data: JobData, history: list[Fact] | deque[Fact]) -> None:
        self.data = data
        self.keep: Callable[[Fact], None] = history.append
        self.now = data.updated_at
        self.news: list[Fact] | None = None
        """The facts that nobody was told of yet; None while nobody listens."""
        self.stirred = False
        """True when there is something to tell others, news included."""
        self.ready: list[Activation] = []
        """New work that may start at once."""
        self.writer: EntryWriter | None = None
        """What writes for a store, where the job is kept in one."""

    def happen(self, fact: Fact) -> None:
        """Let `fact` have happened, here and now."""
        data = self.data
        fact.number = number = data.number + 1
        fact.at = now = self.now
        if self.writer is not None:
            self.writer.write(fact)
        APPLY[type(fact)](data, fact)
        data.number = number
        data.updated_at = now
        self.keep(fact)
        if self.news is not None:
            self.news.append(fact)
            self.stirred = True

    def start(self, activation: Activation) -> None:
        """Let a handler be about to be called; the short way of `happen`, for when nobody listens."""
        data = self.data
        number = data.number + 1
        fact = ActivationStarted(number, self.now, activation)
        if self.writer is not None:
            self.writer.time(self.now)
            self.writer.started(activation)
        activation_started(data, fact)
        data.number, data.updated_at = number, self.now
        self.keep(fact)

    def activation(
        self,
        slot: BoundSlot,
        payload: dict[str, Any],
        source: str | None,
        lineage: int,
        undelivered: bool = False,
    ) -> Activation:
        """Make the next activation, for `slot`."""
        return Activation(
            self.data.last_id + 1,
            slot.routine_id,
            slot.name,
            payload,
            source,
            self.now,
            lineage,
            1,
            0,
            slot.priority,
            None,
            slot.max_retries,
            undelivered,
        )
