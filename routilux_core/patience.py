"""Patience: asking a store again while it does not answer, for as long as outages are waited out."""

from __future__ import annotations

import threading
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

from routilux_core.committer import FIRST, LONGEST
from routilux_core.desk import HELD
from routilux_core.interrupt import INTERRUPTS
from routilux_core.store_errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")


class Patience:
    """Asks until there is an answer, the patience is at its end, or the manager closes."""

    def __init__(self, seconds: float) -> None:
        self._patience = seconds
        self.closing = threading.Event()
        """Set where nobody waits for an outage any more."""

    def patiently(self, ask: Callable[..., Result], *given: Any) -> Result:
        """Ask the store, and ask it again while it does not answer, for as long as outages are waited out."""
        began, pause = monotonic(), FIRST
        while True:
            try:
                return ask(*given)
            except StoreUnavailable:
                if monotonic() - began + pause > self._patience or self.closing.wait(pause):
                    raise
                pause = min(2 * pause, LONGEST)
                if not HELD.turns:
                    INTERRUPTS.check()

    def once(self, ask: Callable[..., object], *given: Any, known: type[Exception]) -> None:
        """Ask the store patiently for what it does once; `known` is what it says of what is done already."""
        again = False

        def attempt() -> None:
            nonlocal again
            try:
                ask(*given)
            except StoreUnavailable:
                again = True
                raise
            except known:
                if not again:  # it came through, and its answer did not
                    raise

        self.patiently(attempt)
