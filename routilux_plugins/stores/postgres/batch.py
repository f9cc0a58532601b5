"""A batch of commits as the values of a statement."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from routilux_plugins.stores.postgres import statement
from routilux_plugins.stores.postgres.row import head_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from routilux_core import Commit


def short_form(batch: Sequence[Commit]) -> tuple[str, tuple[Any, ...]] | None:
    """Return the statement for one entry of one job, with its values, if the batch is no more than that."""
    if len(batch) != 1:
        return None
    [commit] = batch
    if len(commit.entries) != 1 or commit.snapshot or commit.handled:
        return None
    [entry] = commit.entries
    claim, head = commit.claim, head_row(commit.head)
    row = entry.first, entry.last, entry.content
    if commit.opens is not None:
        held = None if commit.release else claim.owner, claim.epoch, float(commit.opens)
        return statement.OPEN, (claim.job_id, *head, entry.last, *held, *row)
    fence = (claim.job_id, claim.owner, claim.epoch, entry.first - 1)
    return statement.STEP, (*head, entry.last, commit.release, *fence, *row)


def batch_row(batch: Sequence[Commit]) -> tuple[list[Any], ...]:
    """Return the lists that the function `write` takes.

    Jobs are in the order of their ids, in which everybody locks them.
    """
    commits = sorted(batch, key=lambda commit: commit.claim.job_id) if len(batch) > 1 else batch
    numbered = list(enumerate(commits, 1))
    return (
        *_columns((_job(commit) for commit in commits), 14),
        *_columns(
            (
                (place, one.first, one.last, one.content)
                for place, commit in numbered
                for one in commit.entries
            ),
            4,
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
    first, last = (entries[0].first, entries[-1].last) if entries else (None, None)
    chained = all(later.first == former.last + 1 for former, later in pairwise(entries))
    chain = (first, last, chained)
    fence = (claim.job_id, claim.owner, claim.epoch)
    return (*fence, *head_row(commit.head), *chain, commit.opens, commit.release)


def _columns(rows: Iterable[tuple[Any, ...]], width: int) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(width)]
