"""Settings: what a manager may be told, typed and checked, and who told it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from math import inf
from re import sub
from typing import Any, get_type_hints

from attrs import evolve, field, fields, frozen

from routilux_core.errors import InvalidOption, RoutiluxError, choices, shown
from routilux_core.selection import OTHERS, SELECTED, selected
from routilux_core.setting_source import ARGUMENT, DEFAULT, Origins, origins
from routilux_core.settings_file import hidden_by
from routilux_core.typed import typed

DURABILITIES = ("sync", "batch", "exit")
MASK = "********"
HIDDEN = ("api_key", "apikey", "credential", "passw", "secret", "token")
"""What has such a word in its name is not shown."""
LOGIN = r"(://[^/@\s]*:)[^/@\s]*@"
"""The user of a URL, and the password, which is not shown."""


def _count(low: int) -> Any:
    def check(_settings: object, attribute: Any, value: object) -> None:
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < low):
            optional = ", or None" if attribute.default is None else ""
            raise InvalidOption(attribute.name, value, f"a whole number from {low} up{optional}")

    return check


def _seconds(_settings: object, attribute: Any, value: object) -> None:
    if value is not None and (
        isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < inf
    ):
        raise InvalidOption(attribute.name, value, "seconds, above 0")


def _durability(_settings: object, attribute: Any, value: object) -> None:
    if value not in DURABILITIES:
        raise InvalidOption(attribute.name, value, f"one of: {choices(DURABILITIES)}")


@frozen(kw_only=True)
class Settings:
    """How a manager runs its jobs.

    Given as an object it is taken as it is. Otherwise each value comes from the first of these that has it: a
    dict given as argument, the environment (`ROUTILUX_MAX_READY`), `routilux.toml` or the table
    `[tool.routilux]` of `pyproject.toml` in the working folder, the defaults below.

    >>> Settings(max_ready=10).explain().splitlines()[2]
    'max_ready        10      argument'
    """

    executor: str | None = None
    """The executor where neither call nor flow names one; None takes the preferred plugin."""
    history: int | None = field(default=None, validator=_count(0))
    """How many facts of each job stay in memory: None for all, 0 for none."""
    max_ready: int = field(default=1000, validator=_count(1))
    """A generator is asked for its next item only while the job has fewer ready activations."""
    max_pending: int | None = field(default=None, validator=_count(1))
    """More pending activations than these fail the job."""
    max_activations: int | None = field(default=None, validator=_count(1))
    """More activations than these in all fail the job, naming the loop."""
    max_workers: int | None = field(default=None, validator=_count(1))
    """How many workers the executors of a manager share where they share any; None lets them choose."""
    discover: bool = True
    """Whether installed plugins are looked for."""
    disabled: tuple[str, ...] = ()
    """Installed plugins that are left out, by name, before anything of them is imported."""
    requires: tuple[str, ...] = ()
    """Distributions that the flows of this folder need. What is not installed is named where it is missed."""
    store: str | None = None
    """The URL of the store that keeps the jobs; None for no store."""
    durability: str = field(default="sync", validator=_durability)
    """When what happens is in the store: `sync`, `batch` or `exit`."""
    claim_seconds: float = field(default=15.0, validator=_seconds)
    """How long a job stays with its manager when that is not heard of any more."""
    scan_seconds: float | None = field(default=5.0, validator=_seconds)
    """Seconds between two looks for jobs that nobody has any more; None for never."""
    max_jobs: int | None = field(default=None, validator=_count(1))
    """How many jobs a manager has at most when it takes up what nobody has; None for all."""
    outage_seconds: float = field(default=300.0, validator=_seconds)
    """How long a store that does not answer is waited for."""
    executors: Mapping[str, Mapping[str, Any]] = field(factory=dict)
    """Options of executors, by name."""
    stores: Mapping[str, Mapping[str, Any]] = field(factory=dict)
    """Options of stores, by name."""
    monitors: Mapping[str, Mapping[str, Any]] = field(factory=dict)
    """Monitors that are on: a list of names, or tables of options by name; `enabled` in one may be false."""
    _origins: Origins = field(factory=Origins, init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        for name, (kind, default) in _declared().items():
            value = getattr(self, name)
            if name == SELECTED:
                value = {key: one for key, one in selected(value).items() if key != OTHERS}
            if value is not default:
                object.__setattr__(self, name, typed(value, kind, name))

    def source(self, option: str) -> str | None:
        """Return the variable or the line that gave the option, or None where it was none of these."""
        source = self._origins.of(option)
        return None if source is ARGUMENT else source

    def placed(self, error: RoutiluxError, option: str) -> RoutiluxError:
        """Return the error with the variable or the line that gave the option, where it was one of these."""
        return self._origins.placed(error, option)

    def explain(self) -> str:
        """Return a table of all settings, with the value of each and the place where it was given."""
        rows = []
        for name, (_, default) in _declared().items():
            given = getattr(self, name)
            by_hand = DEFAULT if given in (default, {}) else ARGUMENT
            for path, value in _leaves(name, given):
                rows.append((path, _shown(path, value), self._origins.of(path) or by_hand))
        widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
        lines = [f"{name:{widths[0]}}  {value:{widths[1]}}  {source}" for name, value, source in rows]
        file = self._origins.file
        other = None if file is None else hidden_by(file)
        if file is not None and other is not None:
            lines.append(f"{other} is not used: {file.path} is there")
        return "\n".join(lines)


@cache
def _declared() -> dict[str, tuple[Any, Any]]:
    """Return the type and the default of each setting."""
    hints = get_type_hints(Settings)
    return {one.name: (hints[one.name], one.default) for one in fields(Settings) if one.init}


def _shown(path: str, value: Any) -> str:
    """Write a value, but no secret."""
    if any(word in path.lower() for word in HIDDEN):
        return MASK
    return sub(LOGIN, rf"\1{MASK}@", shown(value))


def _leaves(path: str, value: Any) -> list[tuple[str, Any]]:
    """Return the values of a table with their paths; a value or an empty table for itself."""
    if not isinstance(value, Mapping) or not value:
        return [(path, value)]
    return [leaf for key, inner in value.items() for leaf in _leaves(f"{path}.{key}", inner)]


def read_settings(given: Settings | Mapping[str, Any] | None, **arguments: Any) -> Settings:
    """Return the settings of a manager; `arguments` that are not None come before everything else."""
    named = {name: value for name, value in arguments.items() if value is not None}
    if isinstance(given, Settings):
        return evolve(given, **named) if named else given
    if given is not None and not isinstance(given, Mapping):
        raise InvalidOption("settings", given, "Settings, or a dict of them")
    found = origins({**(given or {}), **named})
    try:
        settings: Settings = typed(found.values, Settings, "")
    except InvalidOption as error:
        raise found.placed(error, error.option) from error
    object.__setattr__(settings, "_origins", found)
    return settings
