"""Settings: the options of the executor `asyncio`."""

from __future__ import annotations

from typing import Any

from attrs import field, frozen

from routilux_core import InvalidOption


def _count(_settings: object, attribute: Any, value: object) -> None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise InvalidOption(attribute.name, value, "a whole number from 1 up, or None")


@frozen(kw_only=True, eq=False, repr=False)
class AsyncioSettings:
    """Options of the executor `asyncio`."""

    max_tasks: int | None = field(default=None, validator=_count)
    """How many async handlers of a job at once, where its flow has no `max_workers`; None takes 1,000."""
    max_workers: int | None = field(default=None, validator=_count)
    """How many threads for handlers that are not async; None takes the manager's `max_workers`, else
    min(32, processors + 4)."""
