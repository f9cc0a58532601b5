"""Meeting: where handlers wait until the test lets them go on, in whatever thread or process they run."""

from __future__ import annotations

import socket
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

HOST = "127.0.0.1"
SOON = 0.1
"""Seconds within which something that must not come would have come."""
GLANCE = 0.01
"""Seconds between two looks whether it is over."""


class Meeting:
    """A place that handlers come to, as a `Guest` each, known by its address."""

    def __init__(self, patience: float) -> None:
        self._door = socket.create_server((HOST, 0), backlog=128)
        self._patience = patience
        self._guests: list[Guest] = []

    @property
    def address(self) -> int:
        """What handlers are told, so that they find it."""
        port: int = self._door.getsockname()[1]
        return port

    def guest(self) -> Guest:
        """Wait for the next handler that comes."""
        guest = self._next(self._patience)
        if guest is None:
            raise TimeoutError(f"no handler was called within {self._patience} s")
        return guest

    def guests(self, count: int) -> list[Guest]:
        """Wait for so many handlers, all of which stay."""
        return [self.guest() for _ in range(count)]

    def visitor(self) -> Guest | None:
        """Return a handler that has come by now, or None."""
        return self._next(SOON)

    def let_all_go(self, over: Callable[[], bool]) -> None:
        """Let everybody go who comes, until it is over or nobody comes any more.

        Nobody counts them: a worker that is ended may have to come again.
        """
        until = monotonic() + self._patience
        while not over() and monotonic() < until:
            guest = self._next(GLANCE)
            if guest is not None:
                guest.let_go()
                until = monotonic() + self._patience

    def latecomers(self, seconds: float = SOON) -> list[str]:
        """Return the words of the handlers that come in the next moment, where none should."""
        until, words = monotonic() + seconds, []
        while (left := until - monotonic()) > 0:
            guest = self._next(left)
            if guest is not None:
                words.append(guest.word)
        return words

    def close(self) -> None:
        """Send everybody away: who still waits gets an error."""
        self._door.close()
        for guest in self._guests:
            guest.close()

    def _next(self, seconds: float) -> Guest | None:
        self._door.settimeout(seconds)
        try:
            connection, _ = self._door.accept()
        except TimeoutError:
            return None
        guest = Guest(connection, self._patience)
        self._guests.append(guest)
        return guest

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Guest:
    """A handler that has come to a meeting."""

    def __init__(self, connection: socket.socket, patience: float) -> None:
        connection.settimeout(patience)
        self._connection = connection
        self._lines = connection.makefile("r", encoding="utf-8")
        self.word = self.hear() or ""
        """What it said when it came."""

    def let_go(self) -> None:
        """Let it go on; one that is gone already needs no leave."""
        with suppress(OSError):
            self._connection.sendall(b"go\n")

    def hear(self) -> str | None:
        """Wait for what it says next; None when it was ended, or is done."""
        try:
            return self._lines.readline().rstrip("\n") or None
        except ConnectionError:
            return None

    def dismiss(self) -> None:
        """Let it go on, and wait until it has nothing more to say."""
        self.let_go()
        while self.hear() is not None:
            pass

    def close(self) -> None:
        """Hear no more of it."""
        self._lines.close()
        self._connection.close()


class Visit:
    """A handler's side of it."""

    def __init__(self, address: int, word: str) -> None:
        self._connection = socket.create_connection((HOST, address))
        self.say(word)

    def stay(self) -> None:
        """Wait until the test lets it go."""
        if not self._connection.recv(16):
            raise ConnectionAbortedError("the meeting is over")

    def say(self, word: str) -> None:
        """Tell the test something."""
        self._connection.sendall(f"{word}\n".encode())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()


async def visit(address: int, word: str) -> None:
    """Come, and wait until the test lets it go, on an event loop."""
    import asyncio  # noqa: PLC0415 - costly, and needed only where something is async

    reader, writer = await asyncio.open_connection(HOST, address)
    try:
        writer.write(f"{word}\n".encode())
        if not await reader.read(16):
            raise ConnectionAbortedError("the meeting is over")
    finally:
        writer.close()
