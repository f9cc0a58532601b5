"""A batch of commits as the lists that the function `write` takes."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from routilux_plugins.stores.postgres.row import head_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from routilux_core import Commit


def batch_row(batch: Sequence[Commit]) -> tuple[list[Any], ...]:
    """Return the lists. Jobs are in the order of their ids, in which everybody locks them."""
    commits = sorted(batch, key=lambda commit: commit.claim.job_id) if len(batch) > 1 else batch
    numbered = list(enumerate(commits, 1))
    return (
        *_columns((_job(commit) for commit in commits), 12),
        *_columns(
            ((place, one.first, one.last, one.content) for place, commit in numbered for one in commit.entries), 4
        ),
        *_columns(
            (
                (place, commit.snapshot.number, commit.snapshot.content)
                for place, commit in numbered
                if commit.snapshot
            ),
            3,
        ),
        *_columns(((place, name) for place, commit in numbered for name in commit.handled), 2),
    )


def _job(commit: Commit) -> tuple[Any, ...]:
    entries, claim = commit.entries, commit.claim
    head = head_row(commit.head)
    if not entries:
        return (claim.job_id, claim.owner, claim.epoch, *head, None, None, True)
    chained = all(later.first == former.last + 1 for former, later in pairwise(entries))
    return (claim.job_id, claim.owner, claim.epoch, *head, entries[0].first, entries[-1].last, chained)


def _columns(rows: Iterable[tuple[Any, ...]], width: int) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(width)]
