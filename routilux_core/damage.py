"""Damage: what a store has and nobody can read, as errors that say whose it is."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from routilux_core.document_errors import InvalidDocument, NewerSchema, shorten_line
from routilux_core.errors import RoutiluxError
from routilux_core.store_errors import DamagedStore, NewerStore

if TYPE_CHECKING:
    from collections.abc import Iterator

MISFITS = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)
"""What is raised where plain data are not of the shape that they were written in."""


def misfit(number: int, error: Exception) -> InvalidDocument:
    """Return the error that says which fact made no sense."""
    reason = f"it fits no job ({type(error).__name__}: {shorten_line(str(error))})"
    return InvalidDocument(f"fact {number}", reason)


@contextmanager
def fitting(number: int) -> Iterator[None]:
    """Read a fact of that number; what is not of its shape is an `InvalidDocument`."""
    try:
        yield
    except RoutiluxError:
        raise
    except MISFITS as error:
        raise misfit(number, error) from error


@contextmanager
def named(whose: str) -> Iterator[None]:
    """Read what a store has of something; what is wrong with that is a `StoreError` that names it."""
    try:
        yield
    except NewerSchema as error:
        raise NewerStore(whose, str(error), error.number, error.newest) from error
    except InvalidDocument as error:
        raise DamagedStore(whose, error.reason, error.path) from error
