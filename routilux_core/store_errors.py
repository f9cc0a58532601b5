"""The errors of stores."""

from __future__ import annotations

from routilux_core.errors import RoutiluxError, choices


class StoreError(RoutiluxError, OSError):
    """A store that cannot do what it is asked for, and will not by waiting."""

    store: str
    reason: str

    def __str__(self) -> str:
        return f"store {self.store}: {self.reason}"


class StoreUnavailable(StoreError, ConnectionError):
    """A store that cannot be reached at this moment; it is tried again."""


class DamagedStore(StoreError):
    """Something that was kept and cannot be read any more."""

    place: str

    def __str__(self) -> str:
        return f"store {self.store}: {self.place} is damaged: {self.reason}; restore it from a backup"


class NewerStore(StoreError):
    """A store that a later version of Routilux has written."""

    found: int
    known: int

    def __str__(self) -> str:
        return (
            f"store {self.store} has schema {self.found}, and this version knows up to {self.known}; "
            "upgrade routilux-core"
        )


class InvalidStoreURL(RoutiluxError, ValueError):
    """A store's URL that cannot be understood."""

    url: str
    reason: str
    known: tuple[str, ...]

    def __str__(self) -> str:
        known = f"; there is: {choices(self.known)}" if self.known else ""
        return f"store {self.url!r}: {self.reason}{known}"


class ClaimRefused(RoutiluxError, RuntimeError):
    """A job that somebody else has, or that is over."""

    job_id: str
    reason: str

    def __str__(self) -> str:
        return f"job {self.job_id!r} was left alone: {self.reason}"


class ClaimLost(RoutiluxError, RuntimeError):
    """A job that another process has taken over; what this one still does for it is refused."""

    job_id: str

    def __str__(self) -> str:
        return (
            f"job {self.job_id!r} was taken over by another process and is detached here; "
            "load it from the store to see how it goes on"
        )
