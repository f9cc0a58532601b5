"""Home: an event loop that handlers run on, the application's or one of the executor's own."""

from __future__ import annotations

import threading
from contextvars import Context
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable


class Home:
    """The application's event loop, which runs in the thread that makes this."""

    own = False

    def __init__(self, loop: AbstractEventLoop) -> None:
        self.loop = loop
        self.thread_id = threading.get_ident()
        self._variables = Context()

    @property
    def here(self) -> bool:
        """True in the thread that the loop runs in."""
        return self.thread_id == threading.get_ident()

    def call(self, function: Callable[..., object], *given: object) -> bool:
        """Have `function` called on the loop, with no context variables; False when the loop is closed."""
        call = self.loop.call_soon if self.here else self.loop.call_soon_threadsafe
        try:
            call(function, *given, context=self._variables)
        except RuntimeError:
            return False
        return True


class OwnHome(Home):
    """An event loop of the executor's own, in a thread of its own."""

    own = True

    def __init__(self, number: int) -> None:
        import asyncio  # costly, so it is left to those who use it

        super().__init__(asyncio.new_event_loop())
        self.blocked = 0
        """How many of its handlers wait for a job in a way that blocks the loop."""
        self._leaving = asyncio.Event()
        name = f"routilux-asyncio-loop-{number}"
        self.thread = threading.Thread(target=self._run, name=name, daemon=True)
        self.thread.start()
        self.thread_id = self.thread.ident or 0

    def leave(self) -> None:
        """Cancel what runs, and end the thread as soon as that has ended."""
        self.call(self._leaving.set)

    def _run(self) -> None:
        import asyncio  # as above

        with asyncio.Runner(loop_factory=lambda: self.loop) as runner:
            runner.run(self._stay())

    async def _stay(self) -> None:
        from asyncio import all_tasks, current_task, sleep, wait  # as above

        await self._leaving.wait()
        await sleep(0)  # what has not begun begins, so that it gives its activation back
        while others := all_tasks() - {current_task()}:
            for task in others:
                if not task.cancelling():  # otherwise it is about to end, and may await something for that
                    task.cancel()
            await wait(others)
