"""Owner: who has a job, by a name from which others on the same host can tell whether it is still there."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from routilux_core.identity import new_id

if TYPE_CHECKING:
    from collections.abc import Iterable

NOWHERE = "-"
"""The place of those who cannot be looked after."""
ENDED = "ended"
"""The start of a process that only waits for its parent to ask how it ended."""
PARTS = 4


def new_owner() -> str:
    """Return the name of a new owner: a place, a process there, its start, and what nobody else has."""
    process = os.getpid()
    return f"{_place()}/{process}/{_start(process)}/{new_id()[:12]}"


def dead(owners: Iterable[str]) -> set[str]:
    """Return those that are certainly gone: their process was at this place and is there no more."""
    return {owner for owner in owners if _gone(owner)}


def _gone(owner: str) -> bool:
    parts = owner.split("/")
    if len(parts) != PARTS or parts[0] == NOWHERE or parts[0] != _place() or not parts[1].isdecimal():
        return False
    process = int(parts[1])
    start = _start(process)
    return start != parts[2] if start and parts[2] else not _there(process)


@cache
def _place() -> str:
    """Name what process numbers belong to: this start of this host, and the namespace of its processes."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        space = Path("/proc/self/ns/pid").readlink().name
    except OSError:
        return NOWHERE
    return f"{boot[:13]}-{''.join(filter(str.isdecimal, space))}"


def _start(process: int) -> str:
    """Return when a process was started, in the host's own count; nothing if nobody can be seen there."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text("utf-8", "replace")
    except OSError:
        return ""
    fields = stat.rpartition(")")[2].split()
    return ENDED if fields[0] == "Z" else fields[19]


def _there(process: int) -> bool:
    """Tell whether there may be a process of that number, be it one that is hidden from this one."""
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):  # the number is none that a process can have
        return False
    except OSError:
        pass
    return True
