"""Loading: what an entry point names, imported, and precisely why it could not be."""

from __future__ import annotations

import re
import sys
from functools import lru_cache
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from attrs import frozen

from routilux_core.distribution import OURS, Distribution
from routilux_core.errors import PluginError, said, shown
from routilux_core.markers import PLUGIN_API, PROJECT

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

_VALUE = r"(?P<module>[\w.]+)\s*(:\s*(?P<attribute>[\w.]+)\s*)?(\[.*\]\s*)?"
_VERSION = r"(\d+)\.(\d+)"


class Unusable(Exception):
    """Why a plugin cannot be used, in words."""


@frozen(eq=False, repr=False)
class Entry:
    """An entry point of an installed package."""

    name: str
    value: str
    package: Distribution | None

    @property
    def address(self) -> str:
        """Its name together with its package's, which no other entry point has."""
        return f"{self.package.name if self.package else ''}:{self.name}"

    @property
    def source(self) -> str:
        """Where it comes from, for messages."""
        return f"{self.package or 'an unknown package'} ({self.value})"

    def failure(self, error: BaseException) -> PluginError:
        """Return the error that says why this plugin cannot be used."""
        if isinstance(error, PluginError):
            reason = error.reason
        elif isinstance(error, Unusable):
            reason = str(error)
        elif isinstance(error, SystemExit):
            reason = f"SystemExit: it called sys.exit({shown(error.code)})"
        else:
            reason = said(error)
        return PluginError(self.name, self.source, reason)


def installed() -> tuple[Entry, ...]:
    """Return the entry points of our group: our own first, so that nobody takes their names, then by name."""
    return _installed(tuple(sys.path))


@lru_cache(maxsize=4)
def _installed(_path: tuple[str, ...]) -> tuple[Entry, ...]:
    from importlib import metadata  # noqa: PLC0415 - costly, and not needed before a manager is made

    try:
        own = {(point.name, point.value) for point in metadata.distribution(OURS).entry_points}
    except metadata.PackageNotFoundError:
        own = set()
    found = [_entry(point) for point in metadata.entry_points(group=PROJECT)]
    return tuple(sorted(found, key=lambda entry: ((entry.name, entry.value) not in own, entry.name)))


def _entry(point: EntryPoint) -> Entry:
    package = None if point.dist is None else Distribution(point.dist)
    return Entry(point.name, point.value, package)


def imported(entry: Entry) -> Any:
    """Return what an entry point names."""
    match = re.fullmatch(_VALUE, entry.value.strip())
    if match is None:
        raise Unusable(f"its entry point is {entry.value!r}; it takes 'module' or 'module:name'")
    name = match["module"]
    try:
        found: Any = import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if missing.partition(".")[0] == name.partition(".")[0]:
            raise Unusable(f"there is no module {missing!r}; install the package again") from error
        remedy = entry.package.remedy(missing) if entry.package and missing else "install what it needs"
        raise Unusable(f"it needs the module {missing!r}, which is not installed; {remedy}") from error
    for attribute in filter(None, (match["attribute"] or "").split(".")):
        if not hasattr(found, attribute):
            raise Unusable(f"module {name!r} has no {match['attribute']!r}; mend its entry point")
        found = getattr(found, attribute)
    return found


def check(plugin: Any) -> None:
    """Refuse what no plugin can be, and what was made for another version of us."""
    if isinstance(plugin, type):
        raise Unusable(f"it is the class {plugin.__qualname__!r}; name an object of it")
    wanted = getattr(plugin, f"{PROJECT}_api", None)
    if wanted is None:
        return
    match = re.fullmatch(_VERSION, wanted) if isinstance(wanted, str) else None
    if match is None:
        raise Unusable(f"its {PROJECT}_api is {wanted!r}; it takes text like {PLUGIN_API!r}")
    ours = tuple(map(int, PLUGIN_API.split(".")))
    major, minor = int(match[1]), int(match[2])
    if major != ours[0] or minor > ours[1]:
        remedy = "install a newer routilux-core" if (major, minor) > ours else "install a newer version of it"
        raise Unusable(f"it needs plugin API {wanted}, and this is {PLUGIN_API}; {remedy}")


def kind_of(plugin: Any) -> str:
    """Say what was given as a plugin."""
    return "module" if isinstance(plugin, ModuleType) else type(plugin).__qualname__
