"""Options of the monitor `tracker`."""

from __future__ import annotations

from attrs import field, frozen

from routilux_core import InvalidOption


def _at_least_none(_settings: object, attribute: object, value: int) -> None:
    if value < 0:
        raise InvalidOption(getattr(attribute, "name", ""), value, "a whole number from 0 up")


@frozen(kw_only=True)
class TrackerSettings:
    """Options of the monitor `tracker`."""

    jobs: int = field(default=1000, validator=_at_least_none)
    """How many jobs that are over are remembered one by one; all of them count for their flow."""
