"""RedisStore: the store, method by method."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routilux_core import (
    Claim,
    ClaimRefused,
    DamagedStore,
    DuplicateName,
    Entry,
    ExecutionStatus,
    Kept,
    Listed,
    Request,
    Snapshot,
    Store,
    StoreError,
    UnknownJob,
)
from routilux_plugins.stores.redis.batch import batch_row, entry_row
from routilux_plugins.stores.redis.listing import job_page, over
from routilux_plugins.stores.redis.row import (
    head_row,
    read_entry,
    read_head,
    read_requests,
    read_snapshot,
    to_text,
)
from routilux_plugins.stores.redis.server import Server
from routilux_plugins.stores.redis.settings import RedisSettings

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from routilux_core import Commit, Head, StoreURL

PORTION = 1000
"""So many entries are read in one go."""


class RedisStore(Store):
    """Keeps jobs in a Redis server. Its clock is that of the server."""

    def __init__(self, url: StoreURL, settings: RedisSettings | None = None) -> None:
        self.server = Server(url, settings or RedisSettings())

    # -- claims ----------------------------------------------------------------------------------------

    def submit(
        self, job_id: str, head: Head, entries: Sequence[Entry], snapshot: Snapshot | None = None
    ) -> None:
        """Take in a new job."""
        last = entries[-1].last if entries else snapshot.number if snapshot else 0
        kept = (1, snapshot.number, snapshot.content) if snapshot else (0, 0, b"")
        about = head_row(job_id, head)
        if not self.server.run("add", job_id, *about, last, *kept, *entry_row(entries)):
            raise DuplicateName("job", job_id, f"store {self.server.name}")

    def claim(self, job_id: str, owner: str, seconds: float, dead: Collection[str] = ()) -> Claim:
        """Claim a job that nobody else has."""
        answer, *more = self.server.run("claim", job_id, owner, seconds, *dead)
        _refuse(job_id, answer, *more)
        return Claim(job_id, owner, more[0])

    def claim_next(
        self,
        owner: str,
        seconds: float,
        limit: int,
        flows: Collection[str] | None = None,
        dead: Collection[str] = (),
    ) -> list[Claim]:
        """Claim the oldest jobs that nobody has."""
        chosen = (-1,) if flows is None else (len(flows), *flows)
        found = self.server.run("claim_next", owner, seconds, limit, *chosen, *dead)
        return [Claim(to_text(job_id), owner, epoch) for job_id, epoch in found]

    def renew(self, claims: Collection[Claim], seconds: float) -> set[str]:
        """Let claims last."""
        return {to_text(job_id) for job_id in self.server.run("renew", seconds, *_columns(claims))}

    def release(self, claims: Collection[Claim]) -> None:
        """Give claims up."""
        self.server.run("release", *_columns(claims))

    def owners(self) -> set[str]:
        """Return who has a job."""
        return {to_text(owner) for owner in self.server.run("owners")}

    # -- writing ---------------------------------------------------------------------------------------

    def commit(self, batch: Sequence[Commit]) -> set[str]:
        """Write for many jobs in one script."""
        answer, *found = self.server.run("commit", *batch_row(batch))
        if answer == b"astray":
            job_id, last = map(to_text, found)
            raise StoreError(self.server.name, f"entries of job {job_id!r} do not go on after fact {last}")
        return {to_text(job_id) for job_id in found}

    def request(self, job_id: str, kind: str, content: bytes, request_id: str) -> None:
        """Leave a request."""
        answer = self.server.run("request", job_id, request_id, kind, content)
        if answer not in {b"taken", b"known"}:
            _refuse(job_id, *([answer] if answer == b"unknown" else [b"final", answer]))

    def requests(self, owner: str) -> list[Request]:
        """Return what waits for an owner."""
        found = []
        for job_id, flat in self.server.run("requests", owner):
            fields = dict(zip(flat[::2], flat[1::2], strict=True))
            found += read_requests(to_text(job_id), fields)
        return found

    def waiting_requests(self, job_id: str) -> list[Request]:
        """Return what waits for a job."""
        with self.server.client() as client, client.pipeline() as pipeline:
            pipeline.exists(self.server.key("job", job_id))
            pipeline.hgetall(self.server.key("requests", job_id))
            there, fields = pipeline.execute()
        if not there:
            raise UnknownJob(job_id, ())
        return read_requests(job_id, fields)

    # -- reading ---------------------------------------------------------------------------------------

    def load(self, job_id: str) -> Kept:
        """Return a job's snapshot and what came after.

        What a job's fields say is of one moment, and the entries up to its last fact never change.
        """
        with self.server.client() as client:
            fields = client.hgetall(self.server.key("job", job_id))
        if not fields:
            raise UnknownJob(job_id, ())
        if b"last" not in fields or b"about" not in fields:
            raise DamagedStore(self.server.name, "a part of it is not there", f"job {job_id!r}")
        snapshot, last = read_snapshot(fields), int(fields[b"last"])
        after = snapshot.number if snapshot else 0
        entries: list[Entry] = []
        while after < last:
            page = self._entries(job_id, after, last, PORTION)
            if not page:  # it was deleted in between
                raise UnknownJob(job_id, ())
            entries += page
            after = page[-1].last
        epoch = int(fields[b"epoch"])
        return Kept(head=read_head(fields), snapshot=snapshot, entries=tuple(entries), epoch=epoch)

    def history(self, job_id: str, after: int = 0, limit: int = 100) -> list[Entry]:
        """Return a page of entries."""
        with self.server.client() as client:
            there = client.exists(self.server.key("job", job_id))
        if not there:
            raise UnknownJob(job_id, ())
        return self._entries(job_id, after, None, limit)

    def _entries(self, job_id: str, after: int, last: int | None, limit: int) -> list[Entry]:
        if limit < 1:
            return []
        with self.server.client() as client:
            key, end = self.server.key("entries", job_id), "+" if last is None else str(last)
            return [read_entry(one) for one in client.xrange(key, str(after + 1), end, limit)]

    def jobs(
        self,
        flow_id: str | None = None,
        status: Collection[ExecutionStatus] | None = None,
        before: tuple[float, str] | None = None,
        limit: int = 100,
    ) -> list[Listed]:
        """Return a page of jobs."""
        return job_page(self.server, flow_id, status, before, limit)

    # -- flows and the end -----------------------------------------------------------------------------

    def save_flow(self, flow_id: str, fingerprint: str, document: bytes) -> None:
        """Keep a document."""
        self.server.run("save_flow", flow_id, fingerprint, document)

    def load_flow(self, flow_id: str, fingerprint: str) -> bytes | None:
        """Return a document."""
        found: bytes | None = self.server.run("load_flow", flow_id, fingerprint)
        return found

    def delete(self, job_id: str) -> None:
        """Forget a job."""
        _refuse(job_id, *self.server.run("delete", job_id))

    def prune(self, before: float, saved_before: float) -> int:
        """Forget what is over for long."""
        pruned: int = sum(self.server.run("prune", repr(before), *page) for page in over(self.server))
        self.server.run("prune_flows", repr(saved_before))
        return pruned

    def close(self) -> None:
        """Close the connections."""
        self.server.close()


def _columns(claims: Collection[Claim]) -> list[str | int]:
    return [value for claim in claims for value in (claim.job_id, claim.owner, claim.epoch)]


def _refuse(job_id: str, answer: bytes, what: bytes | int = b"") -> None:
    """Raise what a script says of a job that it left alone."""
    if answer == b"unknown":
        raise UnknownJob(job_id, ())
    if answer == b"final" and isinstance(what, bytes):
        raise ClaimRefused(job_id, f"it is {to_text(what)}")
    if answer == b"held" and isinstance(what, bytes):
        raise ClaimRefused(job_id, f"{to_text(what)!r} has it")
