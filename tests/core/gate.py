"""A place inside a handler where a test holds it, and the time that a test waits for what must come."""

from threading import Event, Semaphore

WAIT = 20.0
"""Seconds after which a test gives up; nothing that works takes nearly as long."""


class Gate:
    """Handlers call `pass_through`; the test waits until one is there, and opens the gate."""

    def __init__(self):
        self._there = Semaphore(0)
        self._open = Event()

    def pass_through(self):
        self._there.release()
        if not self._open.wait(WAIT):
            raise TimeoutError("the gate was not opened")

    def wait(self):
        if not self._there.acquire(timeout=WAIT):
            raise TimeoutError("nobody came to the gate")

    def open(self):
        self._open.set()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.open()
