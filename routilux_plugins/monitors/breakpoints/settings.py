"""Options of the monitor `breakpoints`."""

from __future__ import annotations

from attrs import frozen


@frozen(kw_only=True)
class BreakpointsSettings:
    """Options of the monitor `breakpoints`."""

    before: tuple[str, ...] = ()
    """The routines, or slots as `routine.slot`, before which jobs stand still."""
    on: tuple[str, ...] = ()
    """The kinds of facts at which they do, as `activation_failed`."""
