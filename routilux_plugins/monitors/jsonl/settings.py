"""Options of the monitor `jsonl`."""

from __future__ import annotations

from pathlib import Path

from attrs import field, frozen

from routilux_core import InvalidOption


def _at_least_one(_settings: object, attribute: object, value: int) -> None:
    if value < 1:
        raise InvalidOption(getattr(attribute, "name", ""), value, "a whole number from 1 up")


@frozen(kw_only=True)
class JsonlSettings:
    """Options of the monitor `jsonl`."""

    path: Path = Path("routilux-facts.jsonl")
    """The file; lines are added to what is there. Its folder is made if need be."""
    facts: tuple[str, ...] = ()
    """The kinds of facts that are written, as `activation_failed`; all of them where none is named."""
    data: bool = True
    """Whether payloads and other values of users are written."""
    buffer: int = field(default=100, validator=_at_least_one)
    """So many facts are written at once, and all at the end of a job; 1 is for those who look on."""
