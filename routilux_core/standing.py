"""Standing: what a commit is to the job that it is for."""

from __future__ import annotations

from enum import Enum


class Standing(Enum):
    """What a commit is to the job as a store has it."""

    NEW = "new"
    """To be written."""
    REPEATED = "repeated"
    """Written already; it came again because nobody could tell."""
    LOST = "lost"
    """Of a claim that is not the present one, for a job that is over, or new under an id that is taken."""
    ASTRAY = "astray"
    """Its entries do not go on where the job's last one ended."""
