"""Distribution: the installed package that something came from, read only when somebody asks."""

from __future__ import annotations

import re
import sys
from collections import Counter
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from importlib.metadata import Distribution as Metadata

OURS = "routilux-core"
"""The name of the package that this is installed with."""
_NAME = r"[A-Za-z0-9._-]+"
_EXTRA = r"extra\s*==\s*['\"]([^'\"]+)['\"]"


class Distribution:
    """An installed package. Its metadata is read once, when one of its properties is asked for."""

    def __init__(self, metadata: Metadata) -> None:
        self._metadata = metadata

    @cached_property
    def name(self) -> str:
        """Its name, as `pip` knows it."""
        return self._head("Name") or "an unnamed distribution"

    @cached_property
    def version(self) -> str:
        """Its version; empty where its metadata are damaged."""
        return self._head("Version")

    @cached_property
    def requirements(self) -> tuple[tuple[str, str], ...]:
        """The packages that it requires, each with the extra that brings it, or with nothing."""
        found = []
        for line in self._lines("Requires-Dist"):
            name, extra = re.match(_NAME, line), re.search(_EXTRA, line)
            if name:
                found.append((name[0], extra[1] if extra else ""))
        return tuple(found)

    @cached_property
    def extras(self) -> tuple[str, ...]:
        """Its extras."""
        return tuple(self._lines("Provides-Extra"))

    def remedy(self, module: str) -> str:
        """Say what to do about a module that it imports and that is not there."""
        wanted = normal(module.partition(".")[0])
        found = {extra: name for name, extra in self.requirements if normal(name) == wanted}
        if not found:  # several packages may share a module's first name, as those of opentelemetry do
            of_family = [one for one in self.requirements if normal(one[0]).startswith(f"{wanted}-")]
            found = {extra: name for name, extra in of_family}
        if found:  # by the extra that brings the least besides
            brought = Counter(extra for _, extra in self.requirements)
            extra = min(found, key=lambda one: (one != "", brought[one]))
            return f"pip install '{self.name}[{extra}]'" if extra else f"pip install {found[extra]}"
        missing = missing_of(name for name, extra in self.requirements if not extra)
        if missing:
            return f"pip install {' '.join(missing)}"
        return "install the package that provides it"

    def _head(self, key: str) -> str:
        return next(iter(self._lines(key)), "")

    def _lines(self, key: str) -> list[str]:
        try:
            return [str(line) for line in self._metadata.metadata.get_all(key) or ()]
        except Exception:  # noqa: BLE001 - damaged metadata must not hide the error that asks for them
            return []

    def __str__(self) -> str:
        return f"{self.name} {self.version}".rstrip()

    def __repr__(self) -> str:
        return f"<Distribution {self}>"


def normal(name: str) -> str:
    """Return a package's name as it compares."""
    return re.sub(r"[-_.]+", "-", name).lower()


def missing_of(names: Iterable[str]) -> list[str]:
    """Return those of the named packages that are not installed."""
    return [name for name in names if find_distribution(name) is None]


def find_distribution(name: str) -> Distribution | None:
    """Return the installed package of that name."""
    from importlib import metadata  # noqa: PLC0415 - costly, and needed only to explain something

    try:
        return Distribution(metadata.distribution(name))
    except (metadata.PackageNotFoundError, ValueError):
        return None


def provider_of(module: str) -> Distribution | None:
    """Return the installed package that a module belongs to, told by its metadata; nothing is imported."""
    names = _providers(tuple(sys.path)).get(module.partition(".")[0])
    return find_distribution(names[0]) if names else None


@lru_cache(maxsize=4)
def _providers(_path: tuple[str, ...]) -> Mapping[str, list[str]]:
    from importlib.metadata import packages_distributions  # noqa: PLC0415 - as above

    try:
        return packages_distributions()
    except Exception:  # noqa: BLE001 - one damaged distribution must not hide the error that asks
        return {}
