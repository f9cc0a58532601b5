"""How a hook is called: with those of its arguments that the function names."""

from __future__ import annotations

from inspect import signature
from typing import TYPE_CHECKING, Any

from routilux_core.errors import PluginError
from routilux_core.markers import PROJECT

if TYPE_CHECKING:
    from collections.abc import Callable

ARGUMENTS = {
    "check_flow": ("flow",),
    "job_starting": ("job",),
    "hold": ("job", "activation"),
    "around_activation": ("job", "activation"),
    "on_fact": ("job", "fact"),
    "job_left": ("job", "error"),
    "manager_closing": ("manager",),
}
"""What each hook is called with that is called while a manager runs."""
MARK = f"{PROJECT}_impl"
"""The attribute of functions that are marked with `hookimpl`."""


def in_order(hook: str, function: Callable[..., Any], takes: tuple[str, ...]) -> Callable[..., Any]:
    """Return what takes all arguments of a hook in order, for a function that takes some by name."""
    names = ARGUMENTS[hook]
    if takes == names:
        return function
    wanted = [names.index(name) for name in takes]
    return lambda *given: function(*(given[index] for index in wanted))


def own_call(name: str, hook: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return that for a function that no plugin manager has taken in; `name` is its plugin's."""
    found = signature(function).parameters.values()
    takes = tuple(
        one.name for one in found if one.default is one.empty and one.kind <= one.POSITIONAL_OR_KEYWORD
    )
    names = ARGUMENTS[hook]
    for unknown in set(takes) - set(names):
        reason = f"its {hook!r} takes {unknown!r}; a hook takes some of: {', '.join(names)}"
        raise PluginError(name, "", reason)
    return in_order(hook, function, takes)
