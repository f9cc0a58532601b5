"""Options of the monitor `tracker`."""

from __future__ import annotations

from attrs import frozen


@frozen(kw_only=True)
class TrackerSettings:
    """Options of the monitor `tracker`."""

    jobs: int = 1000
    """How many jobs that are over are remembered one by one; all of them count for their flow."""
