"""Registrar: what a plugin's `register_components` fills."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from routilux_core.component import Component
from routilux_core.errors import DuplicateName, InvalidOption

if TYPE_CHECKING:
    from routilux_core.distribution import Distribution

Index = Mapping[tuple[str, str], Component]
"""Components by kind and name, under each of their names."""
Factory = Callable[..., Any]


def entries(component: Component, taken: Index) -> dict[tuple[str, str], Component]:
    """Return the component under each of its names, none of which may be taken."""
    found: dict[tuple[str, str], Component] = {}
    for name in (component.name, *component.aliases, *component.synonyms):
        key = component.kind, name
        owner = taken.get(key) or found.get(key)
        if owner is not None:
            raise DuplicateName(component.kind, name, owner_of(owner))
        found[key] = component
    return found


def owner_of(component: Component) -> str:
    """Say who offers the component."""
    source = "" if component.package is None else f" of {component.package}"
    return f"plugin {component.plugin!r}{source}" if component.plugin else "the registry"


class Registrar:
    """What a plugin offers, by name. A factory is a class or a function.

    Where it takes options, name an attrs class as `settings`: users then give the options by name, they are
    checked against that class, and the factory is called with one object of it. `aliases` are names that the
    component had before; they work with a warning. `synonyms` are as good as the name. `summary` is one
    sentence; without it the first line of the factory's docstring is taken.
    """

    def __init__(self, plugin: str, package: Distribution | None, taken: Index) -> None:
        self._plugin = plugin
        self._package = package
        self._taken = taken
        self.offered: dict[tuple[str, str], Component] = {}

    def executor(
        self,
        name: str,
        factory: Factory,
        *,
        settings: type | None = None,
        aliases: Iterable[str] = (),
        synonyms: Iterable[str] = (),
        summary: str | None = None,
        preferred: bool = False,
    ) -> None:
        """Offer an executor; `preferred` makes it the one that runs where none is named."""
        self._add("executor", name, factory, settings, aliases, synonyms, summary, preferred=preferred)

    def store(
        self,
        name: str,
        factory: Factory,
        *,
        settings: type | None = None,
        aliases: Iterable[str] = (),
        synonyms: Iterable[str] = (),
        summary: str | None = None,
    ) -> None:
        """Offer a store; its name is the scheme of the URLs that choose it."""
        self._add("store", name, factory, settings, aliases, synonyms, summary)

    def monitor(
        self,
        name: str,
        factory: Factory,
        *,
        settings: type | None = None,
        aliases: Iterable[str] = (),
        synonyms: Iterable[str] = (),
        summary: str | None = None,
    ) -> None:
        """Offer a monitor, which users switch on by name; the factory returns a Monitor or a function."""
        self._add("monitor", name, factory, settings, aliases, synonyms, summary)

    def routine(
        self,
        name: str,
        factory: Factory,
        *,
        settings: type | None = None,
        aliases: Iterable[str] = (),
        synonyms: Iterable[str] = (),
        summary: str | None = None,
    ) -> None:
        """Offer a routine; its name is `package.routine`."""
        if not all(str(name).partition(".")):
            raise InvalidOption("the name of a routine", name, f"package.routine, like 'shop.{name}'")
        self._add("routine", name, factory, settings, aliases, synonyms, summary)

    def flow(
        self,
        name: str,
        factory: Factory,
        *,
        aliases: Iterable[str] = (),
        synonyms: Iterable[str] = (),
        summary: str | None = None,
    ) -> None:
        """Offer a flow for `manager.start_job(name, ...)`; the flow that it makes has its name as id."""
        self._add("flow", name, factory, None, aliases, synonyms, summary)

    def policy(
        self,
        name: str,
        factory: Factory,
        *,
        settings: type | None = None,
        aliases: Iterable[str] = (),
        synonyms: Iterable[str] = (),
        summary: str | None = None,
    ) -> None:
        """Offer an activation policy."""
        self._add("policy", name, factory, settings, aliases, synonyms, summary)

    def _add(
        self,
        kind: str,
        name: str,
        factory: Factory,
        settings: type | None,
        aliases: Iterable[str],
        synonyms: Iterable[str],
        summary: str | None,
        *,
        preferred: bool = False,
    ) -> None:
        component = Component(
            kind=kind,
            name=name,
            factory=factory,
            plugin=self._plugin,
            package=self._package,
            settings=settings,
            summary=summary or "",
            preferred=preferred,
            aliases=tuple(aliases),
            synonyms=tuple(synonyms),
        )
        self.offered |= entries(component, ChainMap(self.offered, dict(self._taken)))
