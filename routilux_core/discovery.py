"""Discovery: from installed distributions and given objects to loaded plugins, each apart from the others."""

from __future__ import annotations

import warnings
from difflib import get_close_matches
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, Any

from attrs import frozen
from pluggy import PluginManager

from routilux_core import hookspecs
from routilux_core.errors import InvalidOption, PluginError
from routilux_core.hooks import Hooks
from routilux_core.markers import PROJECT
from routilux_core.observers import Monitor
from routilux_core.registry import Component, Registrar, Registry

if TYPE_CHECKING:
    from collections.abc import Iterable
    from importlib.metadata import EntryPoint


class PluginWarning(UserWarning):
    """A plugin was left out."""


@frozen
class Plugins:
    """What a manager runs with."""

    registry: Registry
    hooks: Hooks
    failed: dict[str, str]
    """Why a plugin was left out, by its name."""


@cache
def _installed() -> tuple[EntryPoint, ...]:
    from importlib.metadata import entry_points  # noqa: PLC0415 - costly, and not needed before a manager is made

    return tuple(sorted(entry_points(group=PROJECT), key=lambda point: point.name))


def load(given: Iterable[Any], *, discover: bool) -> Plugins:
    """Load the installed plugins, if `discover`, and the `given` ones."""
    plugins = PluginManager(PROJECT)
    plugins.add_hookspecs(hookspecs)
    failed: dict[str, str] = {}
    monitors: list[tuple[str, Any]] = []
    components: dict[tuple[str, str], Component] = {}
    if discover:
        for point in _installed():
            try:
                _register(plugins, point.load(), point.name, components)
            except BaseException as error:  # noqa: BLE001 - a plugin may even call sys.exit
                _leave_out(point, error, failed)
    for plugin in given:
        name = _name(plugin)
        if isinstance(plugin, type):
            raise InvalidOption("plugins", plugin, f"objects, not classes; call it: {plugin.__name__}()")
        if isinstance(plugin, Monitor) or (callable(plugin) and not isinstance(plugin, ModuleType)):
            monitors.append((name, plugin))
        try:
            _register(plugins, plugin, name, components)
        except PluginError:
            raise
        except Exception as error:
            raise PluginError(name, f"{type(error).__name__}: {error}") from error
    return Plugins(Registry(components), Hooks(plugins, monitors), failed)


def _name(plugin: Any) -> str:
    named = getattr(plugin, "__qualname__", None) or getattr(plugin, "__name__", None)
    return str(named or type(plugin).__name__)


def _register(
    plugins: PluginManager, plugin: Any, name: str, components: dict[tuple[str, str], Component]
) -> None:
    unique = name if not plugins.has_plugin(name) else f"{name}-{id(plugin):x}"
    plugins.register(plugin, unique)
    try:
        _refuse_unknown_hooks(plugins, plugin, name)
        for implementation in plugins.hook.register_components.get_hookimpls():
            if implementation.plugin is plugin:
                fresh = dict(components)
                implementation.function(Registrar(name, fresh))
                components.update(fresh)
    except BaseException:
        plugins.unregister(plugin)
        raise


def _refuse_unknown_hooks(plugins: PluginManager, plugin: Any, name: str) -> None:
    known = tuple(hook for hook in vars(hookspecs) if plugins.parse_hookspec_opts(hookspecs, hook))
    for caller in plugins.get_hookcallers(plugin) or ():
        if not caller.has_spec() and not all(one.optionalhook for one in caller.get_hookimpls()):
            near = get_close_matches(caller.name, known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise PluginError(name, f"no hook is named {caller.name!r}; there is: {', '.join(known)}{hint}")


def _leave_out(point: EntryPoint, error: BaseException, failed: dict[str, str]) -> None:
    if isinstance(error, KeyboardInterrupt):
        raise error
    dist = point.dist
    source = "an unknown distribution" if dist is None else f"{dist.name} {dist.version}"
    failed[point.name] = f"{type(error).__name__}: {error}"
    text = f"plugin {point.name!r} of {source} ({point.value}) was left out: {failed[point.name]}"
    warnings.warn(text, PluginWarning, stacklevel=4)
