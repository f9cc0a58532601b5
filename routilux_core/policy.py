"""When a slot's handler is called: `each`, `batch`, `all_sources`, `at_end`, and the contract for others.

A policy decides and keeps nothing: payloads wait in the job, grouped by a key and, within a group, in lanes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from enum import StrEnum
from math import inf
from typing import Any, ClassVar

from attrs import field, frozen

from routilux_core.errors import InvalidOption
from routilux_core.merge import Payload, gather

Place = tuple[Hashable, Hashable]
"""A group's key and a lane in it."""
Take = Iterable[tuple[Hashable, int]]
"""Lanes, and how many payloads go from the head of each."""


class Leftover(StrEnum):
    """What becomes of waiting payloads when the rest of the job has gone quiet."""

    RELEASE = "release"
    ONCE = "once"
    UNMATCHED = "unmatched"


class Policy(ABC):
    """Decides when the payloads of a slot become an activation. Must be pure: it may be asked twice."""

    leftover: ClassVar[Leftover] = Leftover.RELEASE
    seconds: float | None = None
    """How long a group may wait after its first payload."""

    @abstractmethod
    def place(self, payload: Payload, source: str | None) -> Place | None:
        """Say where `payload` waits; None lets it go at once. `source` is None for what came from outside."""

    @abstractmethod
    def release(self, group: Mapping[Hashable, Sequence[Payload]], sources: Sequence[str]) -> Take:
        """Say what of `group` goes now; empty when it has to wait. `sources` are the connected events."""

    @abstractmethod
    def combine(self, payloads: Sequence[Payload]) -> Payload:
        """Make one payload of those that go together."""


def _count(_policy: object, _attribute: object, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidOption("batch", value, "a whole number from 1 up")


def _seconds(_policy: object, _attribute: object, value: Any) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < inf:
        raise InvalidOption("seconds", value, "a number above 0")


def _lists(payloads: Sequence[Payload]) -> Payload:
    gathered: dict[str, list[Any]] = {}
    for payload in payloads:
        gather(gathered, payload)
    return gathered


@frozen
class Each(Policy):
    """Every payload is an activation of its own."""

    def place(self, payload: Payload, source: str | None) -> None:
        """Let it go at once."""

    def release(self, group: Mapping[Hashable, Sequence[Payload]], sources: Sequence[str]) -> Take:
        """Nothing ever waits."""
        return ()

    def combine(self, payloads: Sequence[Payload]) -> Payload:
        """Give the one payload."""
        return payloads[-1]


@frozen
class Batch(Policy):
    """Gathers `n` payloads, or those of `seconds`, and hands over for each field the list of its values."""

    n: int = field(validator=_count)
    seconds: float | None = field(default=None, validator=_seconds)

    def place(self, payload: Payload, source: str | None) -> Place:
        """One group, one lane: in order of arrival."""
        return None, None

    def release(self, group: Mapping[Hashable, Sequence[Payload]], sources: Sequence[str]) -> Take:
        """Let a full batch go."""
        return ((None, self.n),) if len(group[None]) >= self.n else ()

    def combine(self, payloads: Sequence[Payload]) -> Payload:
        """Give for each field the list of its values."""
        return _lists(payloads)


@frozen
class AtEnd(Policy):
    """Gathers everything and hands it over once, when the rest of the job has gone quiet."""

    leftover: ClassVar[Leftover] = Leftover.ONCE

    def place(self, payload: Payload, source: str | None) -> Place:
        """One group, one lane: in order of arrival."""
        return None, None

    def release(self, group: Mapping[Hashable, Sequence[Payload]], sources: Sequence[str]) -> Take:
        """Wait for the end."""
        return ()

    def combine(self, payloads: Sequence[Payload]) -> Payload:
        """Give for each field the list of its values."""
        return _lists(payloads)


@frozen
class AllSources(Policy):
    """Waits for one payload from every connected event, joined by a field or a function where `by` is given.

    Called again it gives a copy with that key: `all_sources(by="order_id")`.
    """

    leftover: ClassVar[Leftover] = Leftover.UNMATCHED

    by: str | Callable[[Payload], Hashable] | None = None

    def __call__(self, by: str | Callable[[Payload], Hashable] | None = None) -> AllSources:
        """Give a copy that joins by a field's name, or by a function of the payload."""
        if by is not None and not isinstance(by, str) and not callable(by):
            raise InvalidOption("by", by, "a field's name or a function of the payload")
        return AllSources(by)

    def place(self, payload: Payload, source: str | None) -> Place | None:
        """A group for each key, a lane for each source; what comes from outside has none to wait for."""
        if source is None:
            return None
        if self.by is None:
            return None, source
        return payload[self.by] if isinstance(self.by, str) else self.by(payload), source

    def release(self, group: Mapping[Hashable, Sequence[Payload]], sources: Sequence[str]) -> Take:
        """Let one payload of every source go, once there is one of each."""
        if all(group.get(source) for source in sources):
            return tuple((source, 1) for source in sources)
        return ()

    def combine(self, payloads: Sequence[Payload]) -> Payload:
        """Give the fields of all; of two with one name the later connection's counts."""
        return {name: value for payload in payloads for name, value in payload.items()}


each = Each()
all_sources = AllSources()
at_end = AtEnd()


def batch(n: int, seconds: float | None = None) -> Batch:
    """Gather `n` payloads, or those that came within `seconds` of the first."""
    return Batch(n, seconds)


def checked_policy(value: object) -> Policy:
    """Return `value` if it is a policy."""
    if isinstance(value, Policy):
        return value
    raise InvalidOption("when", value, "each, batch(n), all_sources, at_end or another Policy object")
