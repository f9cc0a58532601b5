"""Connection: one to a server that may be there and say nothing."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

import psycopg

if TYPE_CHECKING:
    from collections.abc import Generator

    Waiting = Generator[Any, Any, Any]


class Silence(psycopg.OperationalError):
    """A server that was asked and does not answer."""


def connection_class(seconds: float) -> type[psycopg.Connection[Any]]:
    """Return the class of connections that wait for so many seconds to hear from their server.

    The system waits for ever, as long as the host is there. What a server does after that with what it was
    asked, nobody here hears.
    """

    class Connection(psycopg.Connection[Any]):
        def wait(self, gen: Waiting, *given: Any, **named: Any) -> Any:
            try:
                return super().wait(_heard(gen, seconds), *given, **named)
            except Silence:
                self.close()
                raise

    return Connection


def _heard(generator: Waiting, seconds: float) -> Waiting:
    """Do what the generator does, unless nothing comes for so long."""
    until = monotonic() + seconds
    try:
        wants = next(generator)
        while True:
            ready = yield wants
            if ready:
                until = monotonic() + seconds
            elif monotonic() > until:
                raise Silence(f"no answer for {seconds:g} seconds")
            wants = generator.send(ready)
    except StopIteration as end:
        return end.value
