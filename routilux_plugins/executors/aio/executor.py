"""The executor `asyncio`: which loop a job's async handlers run on, and the end of all of them."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from contextvars import copy_context
from time import monotonic
from typing import TYPE_CHECKING, ClassVar
from weakref import WeakKeyDictionary

from routilux_core import Executor, Lane, ManagerClosed, Traits, get_execution_context
from routilux_plugins.executors.aio.home import Home, OwnHome
from routilux_plugins.executors.aio.lane import AioLane
from routilux_plugins.executors.aio.pool import Pool
from routilux_plugins.executors.aio.settings import AsyncioSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from routilux_core import Job


class Asyncio(Executor):
    """Runs async handlers as tasks of an event loop, and the others in threads."""

    traits: ClassVar[Traits] = Traits(runs_async=True)

    def __init__(self, settings: AsyncioSettings | None = None) -> None:
        settings = settings or AsyncioSettings()
        self._most = settings.max_tasks or 1_000
        self.pool = Pool(settings.max_workers or 0)
        self.stopped = False
        self._lock = threading.Lock()
        """Guards what follows."""
        self._own: list[OwnHome] = []
        self._abroad: WeakKeyDictionary[Job, Home] = WeakKeyDictionary()
        """Jobs that began on a loop of the application."""
        self._lanes: set[AioLane] = set()

    def open(self, job: Job) -> Lane:
        """Return the job's lane, on the loop of the application if it began there and that still runs."""
        with self._lock:
            if self.stopped:
                raise ManagerClosed("executor 'asyncio'")
            if not self.pool.most:
                self.pool.most = job.manager.settings.max_workers or min(32, (os.cpu_count() or 1) + 4)
            home = self._abroad.get(job)
            if home is not None and not home.loop.is_running():
                home = None
            lane = AioLane(self, job, home, job.flow.max_workers or self._most)
            self._lanes.add(lane)
        return lane

    async def drive_async(self, job: Job) -> None:
        """Run the job's async handlers on the loop of the caller, with its context variables."""
        home, lane = self._home_of_caller(), job.lane
        if home is not None and isinstance(lane, AioLane):
            lane.move(home, copy_context())
            if not home.own:
                self._abroad[job] = home
        await super().drive_async(job)

    @contextmanager
    def blocking(self) -> Iterator[None]:
        """Let another loop, or another thread, work for those whom this one keeps waiting."""
        with self._lock:
            here = next((home for home in self._own if home.here), None)
            if here is not None:
                here.blocked += 1
        try:
            with self.pool.waiting():
                yield
        finally:
            if here is not None:
                with self._lock:
                    here.blocked -= 1

    def stop(self, timeout: float | None = None) -> None:
        """Cancel all tasks, and end the threads, those in a handler after it."""
        until = None if timeout is None else monotonic() + timeout
        with self._lock:
            self.stopped = True
            homes = [(lane, lane.home) for lane in self._lanes]
            own = list(self._own)
        abroad = [
            (lane, home, threading.Event()) for lane, home in homes if home is not None and not home.own
        ]
        for lane, home, ended in abroad:
            home.call(lane.end, ended)
        for mine in own:
            mine.leave()
        self.pool.stop(until)
        for mine in own:
            if not mine.here:
                mine.thread.join(_left(until))
        for _, home, ended in abroad:
            if not home.here and home.loop.is_running():
                ended.wait(_left(until))

    # -- for its lanes ---------------------------------------------------------------------------------

    def forget(self, lane: AioLane) -> None:
        """Let a lane go that is closed and has no tasks."""
        with self._lock:
            self._lanes.discard(lane)

    def settle(self, lane: AioLane) -> Home | None:
        """Give a lane one of the executor's own loops, unless it has one that it can call."""
        with self._lock:
            if self.stopped:
                return None
            if lane.home is None or not (lane.home.own or lane.home.loop.is_running()):
                lane.home = self._free_home(lane)
            return lane.home

    # -- which loop ------------------------------------------------------------------------------------

    def _free_home(self, lane: AioLane) -> OwnHome:
        """Return a loop that none of those blocks who may wait for the job; the lock is held."""
        lanes = [job.lane for job in lane.job.line()]
        above = [one.home for one in lanes if isinstance(one, AioLane)]
        for home in self._own:
            if not home.blocked and home.thread_id != lane.opener and home not in above:
                return home
        self._own.append(OwnHome(len(self._own) + 1))
        return self._own[-1]

    def _home_of_caller(self) -> Home | None:
        """Return the running loop, unless it is there for handlers of other executors alone."""
        from asyncio import get_running_loop  # costly, so it is left to those who use it

        loop, context = get_running_loop(), get_execution_context()
        mine = next((home for home in self._own if home.loop is loop), None)
        if mine is not None:
            return mine
        if context is None:
            return Home(loop)
        lane = context.job.lane
        home = lane.home if isinstance(lane, AioLane) else None
        return home if home is not None and home.loop is loop else None


def _left(until: float | None) -> float | None:
    return None if until is None else max(0.0, until - monotonic())
