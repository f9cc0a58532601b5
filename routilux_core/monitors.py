"""The monitors of a manager: those that settings switch on, and those that jobs name or bring along."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from time import monotonic
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from routilux_core.component import ENABLED, QUEUE
from routilux_core.errors import InvalidOption, MissingComponent, PluginError, UnknownComponent
from routilux_core.hooks import JOB_HOOKS, Bound, left_hook, own_hook
from routilux_core.monitor_queue import MonitorQueue, bare, watching_of
from routilux_core.observers import watches_of
from routilux_core.plugin import PluginStatus
from routilux_core.typed import typed

if TYPE_CHECKING:
    from routilux_core.component import Component
    from routilux_core.job import Job
    from routilux_core.observers import Watching
    from routilux_core.plugin import Plugin
    from routilux_core.registry import Registry
    from routilux_core.settings import Settings


class Monitors(Mapping[str, Any]):
    """The monitors of a manager by name: those that are switched on, and those that a job has named.

    >>> from routilux_core import JobManager
    >>> with JobManager(settings={"monitors": ["tracker"]}) as manager:
    ...     list(manager.monitors)
    ['tracker']
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        """Held while one is made, so that it is made once."""
        self._made: dict[str, Any] = {}
        """By name, each in its queue where it has one."""
        self._on: tuple[str, ...] = ()
        """Those that watch every job."""
        self._queues: WeakKeyDictionary[MonitorQueue, str] = WeakKeyDictionary()
        """All queues of monitors, also of those that were given as objects."""

    def __getitem__(self, name: str) -> Any:
        return bare(self._made[name])

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._made))

    def __len__(self) -> int:
        return len(self._made)

    @property
    def dropped(self) -> Mapping[str, int]:
        """How many facts each monitor with a queue was not shown, by its name."""
        counts: dict[str, int] = {}
        for queue, name in list(self._queues.items()):
            counts[name] = counts.get(name, 0) + queue.dropped
        return counts

    # -- as a manager begins -----------------------------------------------------------------------------

    def switched_on(self, registry: Registry) -> list[tuple[str, Any]]:
        """Return the monitors that the settings switch on, made with their options."""
        on = [
            self._found(name, registry)
            for name, options in self._settings.monitors.items()
            if typed(options.get(ENABLED, True), bool, f"monitors.{name}.{ENABLED}")
        ]
        for component in on:  # only now: none is made where another one has wrong options
            self._named(component)
        self._on = tuple(self._made)
        return list(self._made.items())

    def check(self, registry: Registry, plugins: Iterable[Plugin]) -> None:
        """Refuse options that a monitor does not take, and those of monitors that no plugin has.

        One that is off may be missing because its plugin is.
        """
        failed = any(plugin.status is PluginStatus.FAILED for plugin in plugins)
        excused = UnknownComponent if failed else MissingComponent
        for name in self._settings.monitors:
            try:
                self._checked(registry.find("monitor", name))
            except excused:
                continue
            except UnknownComponent as error:
                raise self._settings.placed(error, f"monitors.{name}") from error

    def _checked(self, component: Component) -> tuple[str, dict[str, Any], int | None]:
        """Return what the options are options of, those of its own, and how long its queue is."""
        where, options = component.options(self._settings.monitors)
        try:
            typed(options.pop(ENABLED, True), bool, f"{where}.{ENABLED}")
            size = typed(options.pop(QUEUE, None), int | None, f"{where}.{QUEUE}")
            component.arguments(options, where)
        except InvalidOption as error:
            raise self._settings.placed(error, where) from error
        return where, options, size

    def _found(self, name: str, registry: Registry) -> Component:
        """Return what is registered by a name, its options looked at."""
        try:
            component = registry.find("monitor", name)
        except UnknownComponent as error:
            source = self._settings.source(f"monitors.{name}")
            if source is None:
                raise
            advice = "; ".join(filter(None, (f"{source} names it", getattr(error, "advice", ""))))
            raise MissingComponent(error.name, error.known, error.kind, advice) from error
        self._checked(component)
        return component

    def _named(self, component: Component) -> tuple[str, Any]:
        """Return the first name of a monitor, and the monitor, made when it is first asked for."""
        with self._lock:
            made = self._made.get(component.name)
            if made is None:
                made = self._made[component.name] = self._make(component)
        return component.name, made

    def _make(self, component: Component) -> Any:
        where, options, size = self._checked(component)
        try:
            made = component.make(object, options, where)
        except InvalidOption as error:
            raise self._settings.placed(error, where) from error
        try:
            watches_of(bare(made))
        except InvalidOption as error:
            reason = f"{component} came out as {type(made).__name__}; its factory has to return a Monitor"
            raise PluginError(component.plugin or component.name, component.source, reason) from error
        return made if size is None else MonitorQueue(bare(made), size)

    # -- as a job begins ---------------------------------------------------------------------------------

    def attach(self, job: Job, given: Iterable[Any]) -> dict[str, tuple[Bound, ...]]:
        """Let monitors watch one job: objects, and names of registered ones. Return their hooks."""
        hooks: dict[str, tuple[Bound, ...]] = dict.fromkeys(JOB_HOOKS, ())
        if isinstance(given, str) or not isinstance(given, Iterable):
            raise InvalidOption("monitors", given, "a list of monitors")
        there = [bare(monitor) for _, monitor in job.manager.hooks.monitors]
        for one in given:
            if isinstance(one, type):
                raise InvalidOption("monitors", one, f"objects, not classes; call it: {one.__name__}()")
            named = isinstance(one, str)
            found = self._named(self._found(one, job.manager.registry)) if named else (_name(one), one)
            name, monitor = found
            own = bare(monitor)
            if any(own is other for other in there):  # one object watches a job once
                continue
            there.append(own)
            job.attach(watching_of(name, monitor, left_hook(name, monitor), once=not named))
            if isinstance(monitor, MonitorQueue):
                self.note(name, monitor, keep=named)
            for hook, bound in hooks.items():
                hooks[hook] = (*bound, *own_hook(name, own, hook))
        return hooks

    # -- as a manager ends -------------------------------------------------------------------------------

    def note_all(self, watching: Iterable[Watching]) -> None:
        """Know of the queues of those that watch every job."""
        for one in watching:
            if isinstance(one.line, MonitorQueue):
                self.note(one.name, one.line, keep=True)

    def note(self, name: str, queue: MonitorQueue, *, keep: bool) -> None:
        """Know of a queue, and with `keep` let its thread stay until `close`."""
        if queue not in self._queues:
            self._queues[queue] = name
            if keep:
                queue.keep()

    def close(self, limit: float | None) -> tuple[Bound, ...]:
        """Let the monitors see what is left in their queues, as long as each has patience, and end these.

        Return how those hear of the end that no plugin manager knows.
        """
        begin = monotonic()
        for queue, name in list(self._queues.items()):
            left = max(0.0, queue.patience - (monotonic() - begin))
            queue.close(name, left if limit is None else min(left, limit))
        named = [name for name in self._made if name not in self._on]
        return tuple(bound for name in named for bound in own_hook(name, self[name], "manager_closing"))


def _name(monitor: Any) -> str:
    watcher = bare(monitor)
    return str(getattr(watcher, "__qualname__", type(watcher).__qualname__))
