"""Registry: what is offered by name in a manager, by its plugins and by whoever registers more."""

from __future__ import annotations

import threading
import warnings
from typing import TYPE_CHECKING, Any

from routilux_core.component import KINDS, Component, a
from routilux_core.descendant import find_descendant
from routilux_core.errors import InvalidOption, MissingComponent, PluginError, UnknownComponent, hint
from routilux_core.flow import Flow
from routilux_core.registrar import entries
from routilux_core.remedy import Remedy
from routilux_core.routine import Routine

if TYPE_CHECKING:
    from collections.abc import Callable

    from routilux_core.description import Description
    from routilux_core.registrar import Index


class Registry:
    """Factories by kind and name: executors, stores, monitors, routines, flows and policies.

    Routine classes need not be registered: each is known as `module.qualname` once it is defined.

    >>> from routilux_core import JobManager, routine
    >>> @routine
    ... def double(value):
    ...     return {"value": 2 * value}
    >>> manager = JobManager()
    >>> manager.registry.register(double, "example.double")
    >>> manager.registry.create("example.double").config()
    {}
    """

    def __init__(self, components: Index, remedy: Remedy | None = None) -> None:
        self._components = dict(components)
        self._remedy = remedy or Remedy()
        self._lock = threading.Lock()
        self._warned: set[tuple[str, str]] = set()
        self._flows: dict[str, Flow] = {}

    def register(
        self,
        factory: Callable[..., Any],
        name: str | None = None,
        kind: str = "routine",
        *,
        settings: type | None = None,
        summary: str = "",
    ) -> None:
        """Offer a class or function by name; without one it is known by `module.qualname`."""
        _check_kind(kind)
        if name is None:
            name = f"{getattr(factory, '__module__', '')}.{getattr(factory, '__qualname__', '')}"
        component = Component(kind=kind, name=name, factory=factory, settings=settings, summary=summary)
        with self._lock:
            self._components = self._components | entries(component, self._components)

    def create(self, name: str, /, **config: Any) -> Routine:
        """Make the routine of that name with this configuration."""
        component = self.find("routine", name)
        return component.make(Routine, config)

    def flow(self, name: str) -> Flow:
        """Return the flow of that name: made when it is first asked for, the same one ever after."""
        component = self.find("flow", name)
        there = self._flows.get(component.name)
        if there is not None:
            return there
        made = component.make(Flow, {})  # not under the lock: it may ask for other flows
        if made.flow_id != component.name:
            reason = f"{component} came out as flow {made.flow_id!r}; give it the id {component.name!r}"
            raise PluginError(component.plugin or component.name, component.source, reason)
        with self._lock:
            return self._flows.setdefault(component.name, made)

    def names(self, kind: str = "routine") -> tuple[str, ...]:
        """Return the registered names of that kind, in order, without former names."""
        _check_kind(kind)
        found = self._components.items()
        return tuple(sorted(name for (of, name), one in found if of == kind and name not in one.aliases))

    def describe(self, name: str, kind: str = "routine") -> Description:
        """Return what is known of a component: summary, slots, events, configuration, package."""
        from routilux_core.description import describe  # noqa: PLC0415 - costly, and only for people who ask

        return describe(self.find(kind, name))

    def find(self, kind: str, name: str) -> Component:
        """Return the component; an unknown name is an error that lists the known ones and what to do."""
        _check_kind(kind)
        if not isinstance(name, str):
            raise InvalidOption(f"the name of {a(kind)}", name, "text")
        component = self._components.get((kind, name))
        if component is None:
            found = find_descendant(Routine, name, "the registry") if kind == "routine" else None
            if found is None:
                raise self._missing(kind, name)
            return Component(kind=kind, name=name, factory=found)
        if name in component.aliases and (kind, name) not in self._warned:
            self._warned.add((kind, name))
            text = f"{kind} {name!r} is now named {component.name!r}; use that name"
            warnings.warn(text, FutureWarning, stacklevel=3)
        return component

    def preferred(self, kind: str) -> str:
        """Return the name that is taken where nobody names one."""
        for component in self._components.values():
            if component.kind == kind and component.preferred:
                return component.name
        names = self.names(kind)
        if names:
            advice = f"none of them is preferred; choose one by name, with {kind}=... or in the settings"
        else:
            advice = self._remedy.advice(kind, "", near=False) or f"install a plugin that has {kind}s"
        raise MissingComponent("default", names, kind, advice)

    def _missing(self, kind: str, name: str) -> UnknownComponent:
        known = self.names(kind)
        others = [a(one.kind) for (_, known_as), one in self._components.items() if known_as == name]
        if others:
            raise MissingComponent(name, known, kind, f"{name!r} is {' and '.join(others)}")
        advice = self._remedy.advice(kind, name, near=bool(hint(name, known)))
        return MissingComponent(name, known, kind, advice) if advice else UnknownComponent(name, known, kind)


def _check_kind(kind: str) -> None:
    if kind not in KINDS:
        raise InvalidOption("the kind of a component", kind, f"one of {', '.join(KINDS)}")
