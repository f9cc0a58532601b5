"""Plugin: what became of one plugin when a manager was made."""

from __future__ import annotations

from enum import StrEnum

from attrs import frozen

from routilux_core.distribution import Distribution


class PluginStatus(StrEnum):
    """What became of a plugin."""

    LOADED = "loaded"
    BLOCKED = "blocked"
    FAILED = "failed"


@frozen(kw_only=True)
class Plugin:
    """One plugin of a manager: where it came from and whether it works.

    >>> from routilux_core import JobManager
    >>> from routilux_core import JobManager
    >>> manager = JobManager()
    >>> [(plugin.name, str(plugin.status)) for plugin in manager.plugins if plugin.name == "sequential"]
    [('sequential', 'loaded')]
    """

    name: str
    """The name of its entry point, or of the object that was given."""
    value: str
    """What the entry point names, or the kind of the object that was given."""
    status: PluginStatus
    reason: str = ""
    """Why it is not loaded."""
    seconds: float = 0.0
    """How long it took to import and register."""
    package: Distribution | None = None

    @property
    def distribution(self) -> str | None:
        """The name of the package that it was installed with; None for an object that was given."""
        return None if self.package is None else self.package.name

    @property
    def version(self) -> str | None:
        """The version of that package."""
        return None if self.package is None else self.package.version
