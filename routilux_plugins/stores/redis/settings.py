"""The options of the store `redis`."""

from __future__ import annotations

from typing import Any

from attrs import field, frozen

from routilux_core import InvalidOption


def _prefix(_settings: object, attribute: Any, value: str) -> None:
    if not value:
        raise InvalidOption(attribute.name, value, "a text that is not empty")


def _seconds(_settings: object, attribute: Any, value: float) -> None:
    if not 0 < value < float("inf"):
        raise InvalidOption(attribute.name, value, "seconds, more than 0")


@frozen(kw_only=True, eq=False, repr=False)
class RedisSettings:
    """Options of the store `redis`."""

    volatile: bool = False
    """Whether it is meant that what is kept may be lost with the server: one that writes no log of commands
    (`appendonly no`) or that throws out keys is taken all the same."""
    prefix: str = field(default="routilux", validator=_prefix)
    """What all keys begin with."""
    timeout: float = field(default=5.0, validator=_seconds)
    """Seconds to wait for the server, before the store counts as unavailable."""
