"""StoredJob: a job as a store has it, made again from its snapshot and what came after."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from attrs import define, frozen

from routilux_core.convert import Converter
from routilux_core.damage import named
from routilux_core.entry_reader import EntryReader
from routilux_core.fact import Fact
from routilux_core.facts import ActivationCompleted, ActivationFailed, ActivationSkipped, JobForked, JobMoved
from routilux_core.job_data import JobData
from routilux_core.snapshot_document import read_snapshot
from routilux_core.store import Head, Store

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from routilux_core.store import Entry

PAGE = 200
"""So many entries are asked for at once."""
SHORT = 5_000
"""A history of so many facts is read as a whole: it takes no time, and nobody has to come back for it."""
DONE = {ActivationCompleted, ActivationFailed, ActivationSkipped}


@define(eq=False, repr=False)
class StoredJob:
    """What was read of one job."""

    data: JobData
    history: list[Fact]
    origins: dict[int, int]
    """For each activation that is not done, the number of the fact that made it."""
    head: Head | None = None
    epoch: int = 0
    weight: tuple[int, int] = (0, 0)
    """The bytes of what came after its last snapshot, and of that."""
    archive: Callable[[], StoredJob] | None = None
    """Reads the job as it was before that history, with its logs, if they were left out."""


@frozen(eq=False, repr=False)
class StoredJobs:
    """Reads the jobs of one store; what is wrong with one of them is a `StoreError` that names it."""

    store: Store
    converter: Converter
    lines_of: Callable[[Head, str], tuple[str, ...]]
    """From a job, and the name of a version that it has or had, to the fingerprint of the flow."""

    def read(self, job_id: str) -> StoredJob:
        """Return a job; what came before its last snapshot is left out, unless it is short."""
        kept = self.store.load(job_id)
        head, snapshot = kept.head, kept.snapshot
        with named(f"of job {job_id!r}"):
            if snapshot is None:
                found = self._replayed(job_id, head, kept.entries)
            elif snapshot.number <= SHORT:
                found = self._replayed(job_id, head, entries_of(self.store, job_id))
            else:
                lines_of = partial(self.lines_of, head)
                data, origins = read_snapshot(snapshot.content, self.converter, lines_of)
                found = self._continued(StoredJob(data, [], origins), head, kept.entries)
                found.archive = partial(self._past, job_id, head, snapshot.number)
        found.head, found.epoch = head, kept.epoch
        tail = sum(len(entry.content) for entry in kept.entries)
        found.weight = tail, 0 if snapshot is None else len(snapshot.content)
        return found

    def _past(self, job_id: str, head: Head, last: int) -> StoredJob:
        with named(f"of job {job_id!r}"):
            return self._replayed(job_id, head, entries_of(self.store, job_id, last))

    def _replayed(self, job_id: str, head: Head, entries: Iterable[Entry]) -> StoredJob:
        return self._continued(
            StoredJob(JobData(job_id, head.flow_id, job_id, 0.0, 0.0), [], {}), head, entries
        )

    def _continued(self, job: StoredJob, head: Head, entries: Iterable[Entry]) -> StoredJob:
        data, history, origins = job.data, job.history, job.origins
        reader = EntryReader(self.converter, data, partial(self.lines_of, head))
        for entry in entries:
            if not data.number:  # a job that was moved begins anywhere
                data.number = entry.first - 1
            for fact in reader.replay(entry.content, entry.first, entry.last):
                history.append(fact)
                trace(fact, origins)
        return job


def entries_of(store: Store, job_id: str, last: int | None = None) -> Iterator[Entry]:
    """Give the entries of a job from the first one on, up to that fact, a page at a time."""
    after = 0
    while page := store.history(job_id, after, PAGE):
        for entry in page:
            if last is not None and entry.first > last:
                return
            yield entry
        after = page[-1].last


def trace(fact: Fact, origins: dict[int, int]) -> None:
    """Note which activations a fact makes, and which one is done by it."""
    if type(fact) in DONE:
        origins.pop(fact.activation.id, None)  # type: ignore[attr-defined]
    elif hasattr(fact, "activations"):
        for activation in fact.activations:
            origins[activation.id] = fact.number
    elif isinstance(fact, (JobForked, JobMoved)):
        whole = fact.whole if isinstance(fact, JobMoved) else fact.legacy
        for number in whole["activations"]:
            origins[number] = fact.number
