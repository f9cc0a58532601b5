"""Workplace: what the jobs of a manager share."""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary, ref

from routilux_core.clerk import Clerk
from routilux_core.clock import Clock, SystemClock
from routilux_core.convert import Converter
from routilux_core.current import CONTEXT
from routilux_core.discovery import Choice, load
from routilux_core.errors import DuplicateName, MissingComponent
from routilux_core.executors import Executors
from routilux_core.failing import Limits
from routilux_core.interrupt import INTERRUPTS
from routilux_core.job_errors import InsideJob, ManagerClosed
from routilux_core.loop import Loops
from routilux_core.monitors import Monitors
from routilux_core.settings import Settings, read_settings
from routilux_core.status import ExecutionStatus
from routilux_core.store_errors import InvalidStoreURL
from routilux_core.timers import Timers
from routilux_core.totals import Totals
from routilux_core.vocabulary import known_types

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from routilux_core.executor import Executor
    from routilux_core.flow import Flow
    from routilux_core.job import Job
    from routilux_core.keeping import Keeping
    from routilux_core.store import Store

log = logging.getLogger("routilux")


class Workplace(ABC):
    """What the jobs of a manager share: clock, timers, threads, executors, plugins."""

    def __init__(
        self,
        *,
        executor: str | Executor | None = None,
        store: str | Store | None = None,
        durability: str | None = None,
        plugins: Iterable[Any] = (),
        discover: bool | None = None,
        settings: Settings | Mapping[str, Any] | None = None,
        clock: Clock | None = None,
    ) -> None:
        named = executor if isinstance(executor, str) else None
        url = store if isinstance(store, str) else None
        self.settings = read_settings(
            settings, executor=named, store=url, durability=durability, discover=discover
        )
        self.clock: Clock = SystemClock() if clock is None else clock
        self.timers = Timers(self.clock)
        self.clerk = Clerk()
        self.interrupts = INTERRUPTS
        self._guarded = False
        self.loop = Loops(self.interrupts.check)
        self.limits = Limits(
            max_pending=self.settings.max_pending, max_activations=self.settings.max_activations
        )
        self.totals = Totals()
        self.ref = ref(self)
        """What others remember it by without keeping it."""
        self.converter = Converter(known_types)
        """What encodes payloads; plugins have taught it their types."""
        choice = Choice(
            discover=self.settings.discover,
            disabled=self.settings.disabled,
            requires=self.settings.requires,
        )
        self.monitors = Monitors(self.settings)
        """Those that are switched on by name, and how many facts were dropped."""
        loaded = load(plugins, choice, self.converter, self.monitors.switched_on)
        self.registry, self.hooks, self.plugins = loaded.registry, loaded.hooks, loaded.records
        self.monitors.note_all(self.hooks.watching)
        self._executors = Executors(self.registry, self.settings, executor)
        self._jobs: dict[str, Job] = {}
        self._paused: WeakValueDictionary[str, Job] = WeakValueDictionary()
        """Jobs that have left, for as long as somebody holds their state."""
        self._waiting: list[tuple[Job, Job]] = []
        self._lock = threading.Lock()
        self._closed = False
        self._told = False
        self._outer = threading.local()
        """What each thread that entered it had before."""
        self.keeping = self._opened(store)
        """How jobs are kept, where there is a store."""
        try:
            if self.settings.discover:
                self._executors.check(self.plugins)
                self.monitors.check(self.registry, self.plugins)
            if executor is not None:
                self.executor(executor)
            self._open()
        except BaseException:
            if self.keeping is not None:
                self.keeping.close()
            raise

    @abstractmethod
    def _open(self) -> None:
        """Begin, now that everything is at hand."""

    def _opened(self, store: str | Store | None) -> Keeping | None:
        url = self.settings.store
        if store is None and url is None:
            return None
        from routilux_core.keeping import Keeping  # noqa: PLC0415 - costly, and only for jobs that are kept
        from routilux_core.stores import checked_store, open_store  # noqa: PLC0415 - as above

        if store is not None and not isinstance(store, str):
            given = checked_store(store)
            return Keeping(given, self.settings, self.converter, self._jobs, owned=False)
        try:
            opened = open_store(url or "", self.registry, self.settings)
        except (InvalidStoreURL, MissingComponent) as error:
            raise self.settings.placed(error, "store") from None
        return Keeping(opened, self.settings, self.converter, self._jobs, owned=True)

    @property
    def running_jobs(self) -> list[Job]:
        """The jobs that are neither over nor paused."""
        return list(self._jobs.copy().values())

    def wait_for_all_jobs(self, timeout: float | None = None) -> bool:
        """Wait until no job runs but those whose handler calls this; False when `timeout` came first."""
        return self._wait(timeout, None)

    def wait_for_flow(self, flow: Flow, timeout: float | None = None) -> bool:
        """Wait for the jobs of one flow but those whose handler calls this."""
        return self._wait(timeout, flow)

    def _wait(self, timeout: float | None, flow: Flow | None) -> bool:
        until = None if timeout is None else monotonic() + timeout
        context = CONTEXT.get()
        own = set() if context is None else set(context.job.line())
        while True:
            jobs = [job for job in self.running_jobs if job not in own and flow in {None, job.flow}]
            if not jobs:
                return True
            for job in jobs:
                if not stands_still(job, until):
                    return False

    def executor(self, wanted: str | Executor | Flow) -> Executor:
        """Return the executor of that name, or the one for that flow, started."""
        return self._executors.find(wanted)

    def guard(self) -> None:
        """See to it that Ctrl-C does not break into the engine's work, if this is the main thread."""
        if not self._guarded:
            self._guarded = self.interrupts.guard()

    def admit(self, job: Job) -> None:
        """Take a job in, unless the manager is closed."""
        with self._lock:
            if self._closed:
                raise ManagerClosed(f"job {job.job_id!r}")
            known = self._jobs.get(job.job_id)
            if known not in {None, job} and known.is_here:
                raise DuplicateName("running job", job.job_id, "the job manager")
            self._jobs[job.job_id] = job
        if self.keeping is not None:
            self.keeping.renewal.begin()

    def has_resumed(self, job: Job) -> None:
        """Know a job as running that was paused."""
        self._paused.pop(job.data.job_id, None)

    def forget(self, job: Job) -> None:
        """Let a job go that is over or paused."""
        job_id = job.data.job_id
        for known in (self._jobs, self._paused):
            if known.get(job_id) is job:
                known.pop(job_id, None)
        if job.data.status is ExecutionStatus.PAUSED and job.is_here:
            self._paused[job_id] = job
        if job.data.stats:
            self.totals.take_over(job)

    @contextmanager
    def waits(self, outer: Job, inner: Job, *, blocking: bool = True) -> Iterator[None]:
        """Note that a handler of `outer` waits for `inner`, unless neither could ever go on.

        With `blocking` it does so in a way that its thread, or the event loop there, can do nothing else.
        """
        edge = (outer, inner)
        with self._lock:
            if inner in outer.line() or self._leads(inner, outer):
                reason = f"job {inner.job_id!r} cannot end before this handler has returned"
                raise InsideJob("waiting for a job", reason)
            self._waiting.append(edge)
        try:
            if blocking:
                with self.loop.blocking(), outer.executor.blocking():
                    yield
            else:
                yield
        finally:
            with self._lock:
                self._waiting.remove(edge)

    def _leads(self, start: Job, goal: Job) -> bool:
        seen, front = set(), [start]
        while front:
            job = front.pop()
            if job is goal:
                return True
            if job not in seen:
                seen.add(job)
                front += [inner for outer, inner in self._waiting if outer is job]
        return False


def stands_still(job: Job, until: float | None) -> bool:
    """Wait for the end of a job, or until it goes on elsewhere; False when the time came first."""
    try:
        return job.wait(time_left(until))
    except BaseException as error:
        if error is not job.detached:
            raise
        return True


def time_left(until: float | None) -> float | None:
    """Return the seconds until then; None for no limit."""
    return None if until is None else max(0.0, until - monotonic())
