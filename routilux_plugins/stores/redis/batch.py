"""A batch of commits as the arguments of the script that writes it."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from routilux_plugins.stores.redis.row import head_row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from routilux_core import Commit, Entry


def batch_row(batch: Sequence[Commit]) -> list[Any]:
    """Return the arguments, job after job."""
    row: list[Any] = []
    for commit in batch:
        claim, entries, snapshot = commit.claim, commit.entries, commit.snapshot
        chained = all(later.first == former.last + 1 for former, later in pairwise(entries))
        counts = len(entries), int(snapshot is not None), len(commit.handled), int(chained)
        opens = "-" if commit.opens is None else repr(float(commit.opens))
        shape = " ".join(map(str, (*counts, int(commit.release), opens)))
        row += (claim.job_id, claim.owner, claim.epoch, *head_row(claim.job_id, commit.head), shape)
        row += entry_row(entries)
        if snapshot is not None:
            row += (snapshot.number, snapshot.content)
        row += commit.handled
    return row


def entry_row(entries: Sequence[Entry]) -> list[Any]:
    """Return the arguments of entries."""
    return [value for entry in entries for value in (entry.first, entry.last, entry.content)]
