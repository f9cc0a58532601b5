"""The options of the store `file`."""

from __future__ import annotations

from typing import Any, Literal

from attrs import field, frozen

from routilux_core import InvalidOption


def _seconds(_settings: object, attribute: Any, value: float) -> None:
    if not 0 <= value < float("inf"):
        raise InvalidOption(attribute.name, value, "seconds, from 0 up")


@frozen(kw_only=True, eq=False, repr=False)
class FilesSettings:
    """Options of the store `file`."""

    synchronous: Literal["normal", "full"] = "normal"
    """`full` keeps what was committed also when the power fails; `normal` may lose the last moments then."""
    timeout: float = field(default=5.0, validator=_seconds)
    """Seconds to wait while another process writes, before the store counts as unavailable."""
