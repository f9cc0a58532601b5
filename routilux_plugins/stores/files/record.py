"""Record: what is known of one job without reading its log."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from attrs import define, field

from routilux_core import Claim, ExecutionStatus, Head
from routilux_plugins.stores.files.log import HEADER

if TYPE_CHECKING:
    from routilux_plugins.stores.files.frame import Meta

_SHOWN = 40


@define(eq=False)
class Record:
    """One job, as the frames of its log have made it up to `size`."""

    job_id: str
    head: Head
    last: int = 0
    """The number of the last fact."""
    epoch: int = 0
    owner: str | None = None
    until: float = 0.0
    """When the claim ends."""
    snapshot: int = 0
    """Where the frame stands that came with the last snapshot; 0 if there is none."""
    waiting: dict[str, int] = field(factory=dict)
    """The ids of requests, and where their frames stand."""
    asked: int = 0
    """Where the frame of the last request stands; each knows the one before."""
    size: int = HEADER
    known: set[str] | None = None
    """The ids of all requests that ever came, once somebody wanted them."""
    _name: str = ""

    @property
    def name(self) -> str:
        """The name of its files."""
        self._name = self._name or file_name(self.job_id)
        return self._name

    @property
    def age(self) -> tuple[float, str]:
        """What jobs are ordered by."""
        return self.head.created_at, self.job_id

    @property
    def alive(self) -> bool:
        """Whether it is not over, or somebody has it."""
        return self.owner is not None or not self.head.status.final

    @property
    def claim(self) -> Claim | None:
        """The present claim, though its time may have run out."""
        return None if self.owner is None else Claim(self.job_id, self.owner, self.epoch)

    def holder(self, now: float) -> str | None:
        """Return who has a claim that has not ended."""
        return self.owner if self.until > now else None

    def apply(self, meta: Meta, at: int, end: int) -> None:
        """Take in what a frame says that stands there."""
        self.last = meta["last"]
        if "head" in meta:
            self.head = read_head(meta["head"])
        elif "time" in meta:
            self.head = _moved(self.head, meta["time"])
        if "claim" in meta:
            self.owner, self.epoch, self.until = meta["claim"]
        if "snapshot" in meta:
            self.snapshot = at
        if "request" in meta:
            self.waiting[meta["request"][0]] = self.asked = at
            if self.known is not None:
                self.known.add(meta["request"][0])
        for request_id in meta.get("handled", ()):
            self.waiting.pop(request_id, None)
        self.size = end

    def state(self) -> list[Any]:
        """Return it as plain data, for the index."""
        plain = [
            self.last,
            self.epoch,
            self.owner,
            self.until,
            self.snapshot,
            self.waiting,
            self.asked,
            self.size,
        ]
        return [self.job_id, write_head(self.head), *plain]

    def sought(self) -> list[Any]:
        """Return what others look for it by, which steps alone do not change."""
        job_id, head, _, *plain, _ = self.state()
        return [job_id, *head[:4], head[5], *plain[:4], dict(self.waiting), *plain[5:]]

    @classmethod
    def of(cls, state: list[Any]) -> Record:
        """Return the record that is these plain data."""
        job_id, head, *plain = state
        return cls(job_id, read_head(head), *plain)


def write_head(head: Head) -> list[Any]:
    """Return a head as plain data."""
    times = head.created_at, head.updated_at
    return [head.flow_id, head.fingerprint, head.status.value, *times, head.note]


def read_head(plain: list[Any]) -> Head:
    """Return the head that is these plain data."""
    flow_id, fingerprint, status, created_at, updated_at, note = plain
    return Head(
        flow_id=flow_id,
        fingerprint=fingerprint,
        status=ExecutionStatus(status),
        created_at=created_at,
        updated_at=updated_at,
        note=note,
    )


def _moved(head: Head, updated_at: float) -> Head:
    """Return a head with another time; every step comes here, and `evolve` would cost as much as the rest."""
    return Head(
        flow_id=head.flow_id,
        fingerprint=head.fingerprint,
        status=head.status,
        created_at=head.created_at,
        updated_at=updated_at,
        note=head.note,
    )


def file_name(*ids: str) -> str:
    """Return a name for a file: a hash of the ids, after as much as can be read of the first one."""
    digest = sha256("\0".join(ids).encode("utf-8", "surrogatepass")).hexdigest()
    return f"{re.sub('[^a-z0-9]', '_', ids[0][:_SHOWN].lower())}-{digest[:32]}"
