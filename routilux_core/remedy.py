"""Remedy: what to install or to mend where a name is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from routilux_core.distribution import OURS, find_distribution, missing_of, normal, provider_of
from routilux_core.errors import choices
from routilux_core.plugin import Plugin, PluginStatus

if TYPE_CHECKING:
    from collections.abc import Iterator

GENERAL = {"all", "dev"}
"""Extras of ours that are not named for what they bring."""


@frozen(kw_only=True, eq=False, repr=False)
class Remedy:
    """What a manager knows about plugins that it does not run with."""

    plugins: tuple[Plugin, ...] = ()
    requires: tuple[str, ...] = ()
    """The packages that the settings say are needed."""
    unsearched: bool = False
    """Whether installed plugins were not looked for."""

    def advice(self, kind: str, name: str, *, near: bool) -> str:
        """Say what can be done about a component that is not there; empty when nothing is known.

        `near` says that there is one of a similar name, so that nothing needs to be guessed.
        """
        return "; ".join(self._advice(kind, name, near=near))

    def _advice(self, kind: str, name: str, *, near: bool) -> Iterator[str]:
        prefix = name.partition(".")[0]
        left_out = tuple(plugin.name for plugin in self.plugins if plugin.status is not PluginStatus.LOADED)
        known = False
        for plugin in self.plugins:
            if plugin.status is not PluginStatus.LOADED and _named(plugin, {name, prefix}):
                known = True
                origin = "" if plugin.package is None else f" of {plugin.package}"
                yield f"plugin {plugin.name!r}{origin} was left out: {plugin.reason}"
        missing = missing_of(self.requires)
        if missing:
            known = True
            names = " ".join(missing)
            yield f"the settings require what is not installed here: {names}; pip install {names}"
        ours = find_distribution(OURS)
        if ours is not None and name in ours.extras and name not in GENERAL:
            known = True
            yield f"pip install '{OURS}[{name}]'"
        if near:
            return
        if self.unsearched:
            yield "installed plugins were not looked for (discover is off)"
        elif not known and left_out:
            yield f"it may be of a plugin that was left out: {choices(left_out)}"
        elif not known and kind in {"routine", "flow"} and "." in name:
            yield _about(prefix)


def _named(plugin: Plugin, names: set[str]) -> bool:
    """Tell whether a plugin's metadata have one of the names: its entry point, its package or its module."""
    own = {plugin.name, plugin.value.partition(":")[0].partition(".")[0]}
    if plugin.package is not None:
        own.add(plugin.package.name)
    return bool({normal(name) for name in own} & {normal(name) for name in names})


def _about(prefix: str) -> str:
    package = provider_of(prefix) or find_distribution(prefix)
    if package is None:
        return f"no installed plugin has names that begin with '{prefix}.'; install the package that has them"
    return f"{package} is installed; import the module that defines it, or look for its name there"
