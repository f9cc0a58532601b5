"""Discovery: from installed packages and given objects to loaded plugins, each apart from the others."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Iterable
from inspect import signature
from time import perf_counter
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from attrs import frozen
from pluggy import PluginManager

from routilux_core import hookspecs
from routilux_core.errors import InvalidOption, PluginError, UnknownComponent, hint, said
from routilux_core.hook_fault import HOOKS, fault_in
from routilux_core.hooks import Hooks
from routilux_core.loading import Entry, Unusable, check, imported, installed, kind_of
from routilux_core.markers import PROJECT
from routilux_core.monitor_queue import MonitorQueue
from routilux_core.observers import Monitor
from routilux_core.plugin import Plugin, PluginStatus
from routilux_core.registrar import Registrar, owner_of
from routilux_core.registry import Registry
from routilux_core.remedy import Remedy

if TYPE_CHECKING:
    from routilux_core.component import Component
    from routilux_core.convert import Converter
    from routilux_core.distribution import Distribution

SLOW = 1.0
"""Seconds from which a plugin's import is worth a warning."""


class PluginWarning(UserWarning):
    """A plugin was left out, or hinders the others."""


@frozen(eq=False, repr=False)
class Plugins:
    """What a manager runs with."""

    registry: Registry
    hooks: Hooks
    records: tuple[Plugin, ...]
    """What became of each plugin."""


@frozen(kw_only=True, eq=False, repr=False)
class Choice:
    """Which installed plugins are loaded."""

    discover: bool = True
    """Whether all installed ones are, or only those that are chosen."""
    disabled: tuple[str, ...] = ()
    """Those that are not even imported, by name or by `package:name`."""
    requires: tuple[str, ...] = ()
    """Packages that ought to be installed; only mentioned where something is missing."""


def load(
    given: Iterable[Any],
    choice: Choice,
    converter: Converter,
    switched_on: Callable[[Registry], Iterable[tuple[str, Any]]],
) -> Plugins:
    """Load the installed plugins of the choice and the `given` ones: objects, or names of installed ones.

    `switched_on` makes the monitors that watch beside the given ones, of what these have registered.
    """
    if isinstance(given, str):
        raise InvalidOption("plugins", given, f"a list, as in [{given!r}]")
    if not isinstance(given, Iterable):
        raise InvalidOption("plugins", given, "a list of plugins, and of names of installed ones")
    given = tuple(given)
    boot = _Boot(converter)
    boot.installed(choice, {plugin for plugin in given if isinstance(plugin, str)})
    for plugin in given:
        if not isinstance(plugin, str):
            boot.given(plugin)
    boot.settle()
    for text in boot.warnings:
        warnings.warn(text, PluginWarning, stacklevel=3)
    records = tuple(boot.records)
    remedy = Remedy(plugins=records, requires=choice.requires, unsearched=not choice.discover)
    registry = Registry(boot.components, remedy)
    for name, monitor in switched_on(registry):
        boot.adopt(name, monitor)
    return Plugins(registry, Hooks(boot.plugins, boot.monitors), records)


class _Boot:
    """Takes plugins in, one after the other."""

    def __init__(self, converter: Converter) -> None:
        self.converter = converter
        self.plugins = PluginManager(PROJECT)
        self.plugins.add_hookspecs(hookspecs)
        self.monitors: list[tuple[str, Any]] = []
        self.components: dict[tuple[str, str], Component] = {}
        self.records: list[Plugin] = []
        self.warnings: list[str] = []
        self._taken: set[int] = set()

    def installed(self, choice: Choice, chosen: set[str]) -> None:
        """Load installed plugins. One that fails is left out, or an error if it was chosen by name."""
        if not (choice.discover or chosen):
            return
        entries = installed()
        names = [entry.name for entry in entries]
        addressed = any(":" in name for name in (*choice.disabled, *chosen))
        known = {*names, *(entry.address for entry in entries if addressed)}
        for name in chosen - known:
            raise UnknownComponent(name, tuple(dict.fromkeys(names)), "plugin")
        for name in choice.disabled:
            near = "" if name in known else hint(name, tuple(names))
            if near:
                self.warnings.append(f"no plugin is named {name!r}, which the settings switch off{near}")

        def among(entry: Entry, wanted: Iterable[str]) -> bool:
            return entry.name in wanted or (addressed and entry.address in wanted)

        blocked = [entry for entry in entries if among(entry, choice.disabled)]
        wanted = [entry for entry in entries if choice.discover or among(entry, chosen)]
        counts = Counter(entry.name for entry in wanted if entry not in blocked)
        for entry in wanted:
            picked = among(entry, chosen)
            if entry in blocked:
                reason = "it is switched off by the setting 'disabled'"
                if picked:
                    raise PluginError(entry.name, entry.source, f"{reason}, and chosen at once; do either")
                self._note(entry, PluginStatus.BLOCKED, reason)
            elif counts[entry.name] > 1:
                self._fail(entry, Unusable(_shared(entry, wanted)), 0.0, picked=picked)
            else:
                self._load(entry, picked=picked)

    def _load(self, entry: Entry, *, picked: bool) -> None:
        begin = perf_counter()
        try:
            plugin = imported(entry)
            self._take(plugin, entry.name, entry.package)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - a plugin may even call sys.exit
            self._fail(entry, error, perf_counter() - begin, picked=picked)
            return
        seconds = perf_counter() - begin
        self._note(entry, PluginStatus.LOADED, "", seconds)
        if seconds > SLOW:
            text = f"plugin {entry.name!r} of {entry.source} took {seconds:.1f} s to import"
            self.warnings.append(
                f"{text}; it should import what is heavy where it is used; to do without, switch it off"
            )

    def _fail(self, entry: Entry, error: BaseException, seconds: float, *, picked: bool) -> None:
        failure = entry.failure(error)
        if picked:
            raise failure from error
        self._note(entry, PluginStatus.FAILED, failure.reason, seconds)
        took = f" (after {seconds:.1f} s)" if seconds > SLOW else ""
        self.warnings.append(f"plugin {entry.name!r} of {entry.source} was left out: {failure.reason}{took}")

    def _note(self, entry: Entry, status: PluginStatus, reason: str, seconds: float = 0.0) -> None:
        record = Plugin(
            name=entry.name,
            value=entry.value,
            status=status,
            reason=reason,
            seconds=seconds,
            package=entry.package,
        )
        self.records.append(record)

    def given(self, plugin: Any) -> None:
        """Take in a plugin that was given as an object. What is wrong with it is an error."""
        if isinstance(plugin, type):
            raise InvalidOption("plugins", plugin, f"objects, not classes; call it: {plugin.__name__}()")
        bare = plugin.monitor if isinstance(plugin, MonitorQueue) else plugin
        named = getattr(bare, "__qualname__", None) or getattr(bare, "__name__", None)
        name = str(named or type(bare).__name__)
        begin = perf_counter()
        if not self.adopt(name, plugin):
            seconds = perf_counter() - begin
            status, value = PluginStatus.LOADED, kind_of(bare)
            self.records.append(Plugin(name=name, value=value, status=status, seconds=seconds))

    def adopt(self, name: str, plugin: Any) -> bool:
        """Register a plugin, or a monitor with its queue; tell whether it had been registered before."""
        try:
            if isinstance(plugin, MonitorQueue):
                return self._take(plugin.monitor, name, None, plugin)
            return self._take(plugin, name, None)
        except Exception as error:
            reason = str(error) if isinstance(error, Unusable) else said(error)
            raise PluginError(name, "", reason) from error

    def _take(
        self, plugin: Any, name: str, package: Distribution | None, queue: MonitorQueue | None = None
    ) -> bool:
        """Register a plugin as a whole or not at all; tell whether it had been registered before."""
        if id(plugin) in self._taken:
            return True
        check(plugin)
        watching = isinstance(plugin, Monitor) or (callable(plugin) and not isinstance(plugin, ModuleType))
        if isinstance(plugin, FunctionType):
            _check_watching(plugin)
        same = self.plugins.get_name(plugin)
        if same is not None:
            raise Unusable(
                f"it is equal to plugin {same!r}, and plugins are told apart by being equal; "
                "let the class compare by identity, with eq=False or without __eq__"
            )
        registrar = Registrar(name, package, self.components)
        try:
            self.plugins.register(plugin, self._free(name))
            self._check_hooks(plugin, watching=watching)
            for function in self._own("register_components", plugin):
                function(registrar)
            teaching = self._own("extend_converter", plugin)
            if teaching:
                with self.converter._tentative():
                    for function in teaching:
                        function(self.converter)
        except BaseException:
            if self.plugins.get_name(plugin) is not None:
                self.plugins.unregister(plugin)
            raise
        self.components |= registrar.offered
        self._taken.add(id(plugin))
        if watching:
            self.monitors.append((name, queue or plugin))
        return False

    def _free(self, name: str) -> str:
        """Return a name that nobody has yet: two monitors of one class are told apart by number."""
        found, number = name, 1
        while self.plugins.has_plugin(found):
            number += 1
            found = f"{name} {number}"
        return found

    def _own(self, hook: str, plugin: Any) -> list[Any]:
        implementations = getattr(self.plugins.hook, hook).get_hookimpls()
        return [one.function for one in implementations if one.plugin is plugin]

    def _check_hooks(self, plugin: Any, *, watching: bool) -> None:
        """Refuse hooks that do not exist, wrappers of hooks, and a plugin without any."""
        callers = self.plugins.get_hookcallers(plugin) or []
        for caller in callers:
            for one in caller.get_hookimpls():
                fault = fault_in(caller.name, one.function, one.opts) if one.plugin is plugin else None
                if fault is not None:
                    raise Unusable(fault)
        if not callers and not watching:
            forgotten = [name for name in HOOKS if callable(getattr(plugin, name, None))]
            remedy = f"mark {forgotten[0]!r} with @hookimpl" if forgotten else "mark its hooks with @hookimpl"
            raise Unusable(f"it has no hooks; {remedy}")

    def settle(self) -> None:
        """Say which of several is the preferred one."""
        for kind in ("executor", "store"):
            found = {one.name: one for one in self.components.values() if one.kind == kind and one.preferred}
            if len(found) > 1:
                first, *others = found.values()
                wishes = ", ".join(f"{one.name!r} of {owner_of(one)}" for one in others)
                text = f"{kind} {first.name!r} of {owner_of(first)} is preferred, and so would be {wishes}"
                self.warnings.append(
                    f"{text}; where none is named the first is used; name one in the settings"
                )


def _check_watching(function: FunctionType) -> None:
    """Refuse a function that nobody can call with a job and a fact: it may be meant to make the plugin."""
    try:
        signature(function).bind(None, None)
    except TypeError as error:
        raise Unusable(
            f"it is the function {function.__qualname__!r}, which does not take (job, fact) as a monitor "
            "does; name a module with hooks, or an object"
        ) from error


def _shared(entry: Entry, entries: Iterable[Entry]) -> str:
    others = [other for other in entries if other.name == entry.name and other is not entry]
    also = " and ".join(other.source for other in others)
    return (
        f"{also} has the same name, so neither is used; remove one of the packages, "
        f"or switch one off: {others[0].address!r}"
    )
