"""Stage: what all tests of a store stand on."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from routilux_core.errors import shown
from routilux_core.testing.store_contract.sample import open_job

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from routilux_core.store import Store

MOMENT = 0.05
"""Seconds of a claim whose end a test waits for."""
LOOK = 0.005


class Stage:
    """What tests wait with."""

    patience: ClassVar[float] = 20.0
    """Seconds after which a test gives up. What works takes nearly nothing of it."""

    def wait_for(self, holds: Callable[[], object], what: str) -> None:
        """Wait until it holds."""
        until = time.monotonic() + self.patience
        while not holds():
            if time.monotonic() > until:
                raise AssertionError(f"within {self.patience} s it did not happen that {what}")
            time.sleep(LOOK)

    def wait_for_end(self, store: Store, owner: str) -> None:
        """Wait until all claims of an owner have ended by the store's clock."""
        self.wait_for(lambda: owner not in store.owners(), f"the claims of {owner!r} end")

    def let_pass(self, store: Store, seconds: float) -> None:
        """Let so many seconds pass on the store's clock: until a claim has ended that was made now."""
        name = f"bystander-{time.monotonic_ns()}"
        open_job(store, name, name, seconds)
        self.wait_for_end(store, name)
        store.delete(name)


def same(found: Any, wanted: Any, what: str) -> None:
    """See that what was found is what the contract wants."""
    if found != wanted:
        raise AssertionError(f"{what}: it should be {shown(wanted)} and is {shown(found)}")


@contextmanager
def raises(kind: type[Exception] | tuple[type[Exception], ...], what: str) -> Iterator[list[str]]:
    """See that the block raises an error of that kind, and hand out its text."""
    text: list[str] = []
    try:
        yield text
    except kind as error:
        text.append(str(error))
        return
    kinds = kind if isinstance(kind, tuple) else (kind,)
    raise AssertionError(f"{what} should raise {' or '.join(one.__name__ for one in kinds)}")
