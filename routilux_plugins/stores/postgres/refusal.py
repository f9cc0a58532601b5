"""What an error of PostgreSQL means to those who use the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import errors

from routilux_core import DamagedStore, InvalidName, StoreError, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterable

ASTRAY = "RX001"
"""The code by which `write` says that entries do not go on where the last one ended."""
READ_ONLY = "25006"
PASSING = ("08", READ_ONLY, "40", "53", "55", "57")
"""What the codes of errors begin with that may pass: connections, a server that is about to be another's
replica, conflicts, want of something, locks, a server that stops."""
LASTING = (
    "authentication failed",
    "no password supplied",
    "does not exist",
    "no pg_hba.conf entry",
    "permission denied",
    "not permitted to log in",
    "does not support SSL",
    "certificate",
    "sslmode",
)
"""What is said of a connection that will not be had by waiting. Such an error has no code."""


def refusal(error: psycopg.Error, store: str, values: Iterable[Any] = ()) -> Exception:
    """Return the error of ours that tells the same."""
    code = error.sqlstate or ""
    unfit = _longest(values)
    if isinstance(error, errors.ProgramLimitExceeded) or (
        isinstance(error, psycopg.DataError) and "\0" in unfit
    ):
        return InvalidName("id", unfit)
    if code in {errors.DataCorrupted.sqlstate, errors.IndexCorrupted.sqlstate}:
        return DamagedStore(store, said(error), "the database")
    if reason := _lasting(error):
        return StoreError(store, reason)
    unsent = not code and isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError))
    advice = "; name a server that takes writes, if this one will not soon" if code == READ_ONLY else ""
    kind = StoreUnavailable if unsent or code.startswith(PASSING) else StoreError
    return kind(store, said(error) + advice)


def _lasting(error: psycopg.Error) -> str:
    """Return the reason, where there is something to be said besides what PostgreSQL says."""
    if error.sqlstate == ASTRAY:
        last, job_id = error.diag.message_detail, error.diag.message_hint
        return f"entries of job {job_id!r} do not go on after fact {last}"
    if isinstance(error, errors.DiskFull):
        return "its disk is full; make room, and nothing that was kept is lost"
    if isinstance(error, errors.InsufficientPrivilege):
        return f"{said(error)}; give this user the right to, or name a schema by ?schema="
    if isinstance(error, (errors.UndefinedTable, errors.UndefinedFunction, errors.InvalidSchemaName)):
        return f"its tables are gone: {said(error)}; open it again to make new ones"
    return ""


def unreachable(error: psycopg.Error, store: str, password: str) -> StoreError:
    """Return the error of ours that tells why there is no connection."""
    text = said(error)
    if password:
        text = text.replace(password, "********")
    if any(one in text for one in LASTING):
        return StoreError(store, f"{text}; check the URL and the rights of its user")
    return StoreUnavailable(store, text)


def said(error: psycopg.Error) -> str:
    """Return in one line what PostgreSQL said."""
    return " ".join((error.diag.message_primary or str(error)).split()) or type(error).__name__


def _longest(values: Iterable[Any]) -> str:
    """Return the text that is most likely the wrong one: one with a NUL, or the longest."""
    texts = [one for value in values for one in (value if isinstance(value, list) else [value])]
    found = sorted((one for one in texts if isinstance(one, str)), key=lambda one: ("\0" in one, len(one)))
    return found[-1] if found else ""
