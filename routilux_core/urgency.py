"""Urgency: how soon something that happened wants to be in a store."""

from __future__ import annotations

from enum import IntEnum


class Urgency(IntEnum):
    """How soon a job wants to be written."""

    NONE = 0
    SOON = 1
    NOW = 2
