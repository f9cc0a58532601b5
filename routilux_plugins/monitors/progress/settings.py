"""Options of the monitor `progress`."""

from __future__ import annotations

from typing import Literal

from attrs import field, frozen

from routilux_core import InvalidOption


def _positive(_settings: object, attribute: object, value: float) -> None:
    if value <= 0:
        raise InvalidOption(getattr(attribute, "name", ""), value, "seconds, more than 0")


@frozen(kw_only=True)
class ProgressSettings:
    """Options of the monitor `progress`."""

    stream: Literal["stderr", "stdout"] = "stderr"
    """Where it is shown."""
    every: float = field(default=0.2, validator=_positive)
    """So many seconds lie between two pictures on a terminal."""
    lines_every: float = field(default=5.0, validator=_positive)
    """So many seconds lie between two lines where there is no terminal."""
