"""Names to factories, filled by plugins while a manager boots and fixed from then on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import frozen

from routilux_core.errors import DuplicateName, UnknownComponent

KINDS = ("executor", "store", "routine", "flow", "policy")


@frozen(kw_only=True)
class Component:
    """Something that a plugin offers by name."""

    kind: str
    name: str
    factory: Callable[..., Any]
    plugin: str
    preferred: bool = False
    """Whether it is taken where nobody names one."""


class Registrar:
    """What a plugin's `register_components` fills."""

    def __init__(self, plugin: str, components: dict[tuple[str, str], Component]) -> None:
        self._plugin = plugin
        self._components = components

    def executor(
        self,
        name: str,
        factory: Callable[..., Any],
        *,
        aliases: tuple[str, ...] = (),
        preferred: bool = False,
    ) -> None:
        """Offer an executor; `preferred` makes it the one that runs where none is named."""
        for alias in (name, *aliases):
            self._add("executor", alias, factory, preferred=preferred and alias == name)

    def _add(self, kind: str, name: str, factory: Callable[..., Any], *, preferred: bool) -> None:
        taken = self._components.get((kind, name))
        if taken is not None:
            raise DuplicateName(kind, name, f"plugin {taken.plugin!r}")
        self._components[kind, name] = Component(
            kind=kind, name=name, factory=factory, plugin=self._plugin, preferred=preferred
        )


class Registry:
    """What the plugins of a manager offer, by kind and name."""

    def __init__(self, components: Mapping[tuple[str, str], Component]) -> None:
        self._components = dict(components)

    def names(self, kind: str) -> tuple[str, ...]:
        """Return the names of that kind, in order."""
        return tuple(sorted(name for found, name in self._components if found == kind))

    def find(self, kind: str, name: str) -> Component:
        """Return the component; `UnknownComponent` lists what there is."""
        component = self._components.get((kind, name))
        if component is None:
            raise UnknownComponent(name, self.names(kind), kind)
        return component

    def preferred(self, kind: str) -> str:
        """Return the name that is taken where nobody names one."""
        for component in self._components.values():
            if component.kind == kind and component.preferred:
                return component.name
        raise UnknownComponent("default", self.names(kind), kind)
