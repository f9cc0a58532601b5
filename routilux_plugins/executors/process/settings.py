"""Settings: the options of the executor `process`."""

from __future__ import annotations

from typing import Any

from attrs import field, frozen
from attrs.validators import optional

from routilux_core import InvalidOption


def _count(_settings: object, attribute: Any, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidOption(attribute.name, value, "a whole number from 1 up")


def _seconds(_settings: object, attribute: Any, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value >= 0:
        raise InvalidOption(attribute.name, value, "a number of seconds, not negative")


@frozen(kw_only=True, eq=False, repr=False)
class ProcessSettings:
    """Options of the executor `process`."""

    max_workers: int | None = field(default=None, validator=optional(_count))
    """How many processes at most; None takes the manager's `max_workers`, else one for each processor."""
    max_starts: int = field(default=3, validator=_count)
    """How often an activation may end its worker before it fails as poison."""
    grace: float = field(default=0.5, validator=_seconds)
    """Seconds in which a handler whose time is up can see `context.cancelled`, before its worker is ended."""
