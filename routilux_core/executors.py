"""The executors of a manager: which one runs a flow, each made with its options when it is first used."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from routilux_core.errors import InvalidOption, MissingComponent, UnknownComponent
from routilux_core.executor import Executor
from routilux_core.flow import Flow
from routilux_core.job_errors import ManagerClosed
from routilux_core.plugin import PluginStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from routilux_core.component import Component
    from routilux_core.plugin import Plugin
    from routilux_core.registry import Registry
    from routilux_core.settings import Settings


class Executors:
    """Finds executors by name, and starts them."""

    def __init__(self, registry: Registry, settings: Settings, chosen: str | Executor | None) -> None:
        self._registry = registry
        self._settings = settings
        self._usual = chosen or settings.executor
        self._started: dict[str | int, Executor] = {}
        self._lock = threading.Lock()
        self._closed = False

    def check(self, plugins: Iterable[Plugin]) -> None:
        """Refuse options that an executor does not take, and those of executors that no plugin has.

        An executor may be missing because its plugin is. That is told where the executor is used, since a
        plugin that fails harms nobody else.
        """
        excused: tuple[type[Exception], ...] = (MissingComponent,)
        if any(plugin.status is PluginStatus.FAILED for plugin in plugins):
            excused = (UnknownComponent,)
        for name, options in self._settings.executors.items():
            try:
                component = self._registry.find("executor", name)
                component.arguments(options, f"executors.{name}")
            except excused:
                continue
            except (InvalidOption, UnknownComponent) as error:
                raise self._settings.placed(error, f"executors.{name}") from error

    def find(self, wanted: str | Executor | Flow) -> Executor:
        """Return the executor of that name, or the one for that flow, started."""
        choice: str | Executor
        if isinstance(wanted, Flow):
            named = wanted.execution_strategy or self._usual
            if named is None:
                named = self._usual = self._registry.preferred("executor")
            choice = named
        else:
            choice = wanted
        if not isinstance(choice, (str, Executor)):
            raise InvalidOption("executor", choice, "the name of an executor, or an Executor")
        key = choice if isinstance(choice, str) else id(choice)
        found = self._started.get(key)
        if found is not None:
            return found
        try:
            return self._start(choice, key)
        except UnknownComponent as error:
            source = self._settings.source("executor")
            if not isinstance(wanted, Flow) or wanted.execution_strategy or source is None:
                raise
            advice = "; ".join(filter(None, (f"{source} names it", getattr(error, "advice", ""))))
            raise MissingComponent(error.name, error.known, error.kind, advice) from error

    def _start(self, choice: str | Executor, key: str | int) -> Executor:
        with self._lock:
            if self._closed:
                raise ManagerClosed(f"executor {choice!r}")
            if isinstance(choice, Executor):
                return self._first(key, lambda: choice)
            component = self._registry.find("executor", choice)
            found = self._started[choice] = self._first(component.name, lambda: self._make(component))
        return found

    def _first(self, key: str | int, make: Callable[[], Executor]) -> Executor:
        """Return the executor of that key, made and started by the first that asks."""
        found = self._started.get(key)
        if found is None:
            found = make()
            found.start()
            self._started[key] = found
        return found

    def _make(self, component: Component) -> Executor:
        where, options = component.options(self._settings.executors)
        try:
            return component.make(Executor, options, where)  # type: ignore[type-abstract]  # of a subclass
        except InvalidOption as error:
            raise self._settings.placed(error, where) from error

    def close(self) -> Iterable[Executor]:
        """Start no more, and return those that were started."""
        with self._lock:
            self._closed = True
            started, self._started = self._started, {}
        return {id(one): one for one in started.values()}.values()
