"""Feed: what a job tells, as an iterator that goes on while the job does; for threads and for event loops."""

from __future__ import annotations

import threading
from collections import deque
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Generic, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Item = TypeVar("Item")


class Feed(Generic[Item]):
    """Gives what was put in, in order, and ends when it is closed and empty."""

    def __init__(self) -> None:
        self._items: deque[Item] = deque()
        self._lock = threading.Lock()
        self._wakers: list[Callable[[], object]] = []
        self._closed = False

    def put(self, items: Iterable[Item]) -> None:
        """Add to it."""
        with self._lock:
            self._items.extend(items)
        self._wake()

    def close(self) -> None:
        """Let it end after what is in it."""
        with self._lock:
            self._closed = True
        self._wake()

    def _wake(self) -> None:
        with self._lock:
            wakers, self._wakers = self._wakers, []
        for waker in wakers:
            with suppress(RuntimeError):  # its event loop may be gone, and whoever waited there with it
                waker()

    def _take(self, waker: Callable[[], object]) -> tuple[bool, list[Item]]:
        """Return whether it is over, and the next item if there is one; else have `waker` called."""
        with self._lock:
            if self._items:
                return False, [self._items.popleft()]
            if not self._closed:
                self._wakers.append(waker)
            return self._closed, []

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Item:
        while True:
            something = threading.Event()
            over, items = self._take(something.set)
            if items:
                return items[0]
            if over:
                raise StopIteration
            something.wait()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Item:
        import asyncio  # noqa: PLC0415 - costly, and needed only where something is async

        loop = asyncio.get_running_loop()
        while True:
            something = asyncio.Event()
            ring = partial(loop.call_soon_threadsafe, something.set)
            over, items = self._take(ring)
            if items:
                return items[0]
            if over:
                raise StopAsyncIteration
            try:
                await something.wait()
            finally:
                with self._lock, suppress(ValueError):
                    self._wakers.remove(ring)
