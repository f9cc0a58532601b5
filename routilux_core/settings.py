"""Settings: what a manager may be told, typed and checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, fields, frozen

from routilux_core.errors import InvalidOption


def _count(low: int) -> Any:
    def check(_settings: object, attribute: Any, value: object) -> None:
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < low):
            raise InvalidOption(attribute.name, value, f"a whole number from {low} up, or None")

    return check


@frozen(kw_only=True)
class Settings:
    """How a manager runs its jobs."""

    executor: str | None = None
    """The executor where neither call nor flow names one; None takes the preferred plugin."""
    history: int | None = field(default=None, validator=_count(0))
    """How many facts of each job stay in memory: None for all, 0 for none."""
    max_ready: int = field(default=1000, validator=_count(1))
    """A generator is asked for its next item only while the job has fewer ready activations."""
    max_pending: int | None = field(default=None, validator=_count(1))
    """More pending activations than these fail the job."""
    max_activations: int | None = field(default=None, validator=_count(1))
    """More activations than these in all fail the job, naming the loop."""
    max_workers: int | None = field(default=None, validator=_count(1))
    """How many workers the executors of a manager share where they share any; None lets them choose."""


def checked_settings(given: Settings | Mapping[str, Any] | None) -> Settings:
    """Return `given` as Settings; an unknown name is an error that lists the known ones."""
    if isinstance(given, Settings):
        return given
    if given is not None and not isinstance(given, Mapping):
        raise InvalidOption("settings", given, "Settings, or a dict of them")
    known = [one.name for one in fields(Settings)]
    for name in given or {}:
        if name not in known:
            raise InvalidOption("settings", name, f"one of {', '.join(known)}")
    return Settings(**(given or {}))
