"""What is wrong with a hook, or with another function of a plugin that nobody could call as it is meant."""

from __future__ import annotations

from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR
from typing import TYPE_CHECKING, Any

from routilux_core import hookspecs
from routilux_core.errors import hint
from routilux_core.markers import PROJECT

if TYPE_CHECKING:
    from collections.abc import Mapping

ASYNC = CO_COROUTINE | CO_ASYNC_GENERATOR
"""The flags of functions that do nothing when they are called; those of generators do nothing either, ..."""
ITERATED = frozenset({"check_flow"})
"""... but these hooks may be some, as what they return is iterated over."""
HOOKS = tuple(name for name, value in vars(hookspecs).items() if hasattr(value, f"{PROJECT}_spec"))


def idle(function: Any, flags: int = ASYNC | CO_GENERATOR) -> bool:
    """Tell whether calling it would do nothing, because it is async or has a yield."""
    runs = function if hasattr(function, "__code__") else getattr(function, "__call__", None)  # noqa: B004
    code = getattr(runs, "__code__", None)
    return bool(getattr(code, "co_flags", 0) & flags)


def fault_in(hook: str, function: Any, marks: Mapping[str, Any]) -> str | None:
    """Say what is wrong with a function that is marked as this hook; None where it can be called."""
    if hook not in HOOKS:
        if marks["optionalhook"]:
            return None
        return f"no hook is named {hook!r}; there is: {', '.join(HOOKS)}{hint(hook, HOOKS)}"
    if marks["hookwrapper"] or marks["wrapper"]:
        return f"its {hook!r} is a hook wrapper; hooks are plain functions here"
    if idle(function, ASYNC if hook in ITERATED else ASYNC | CO_GENERATOR):
        return (
            f"its {hook!r} is async or has a yield, so calling it would do nothing; "
            "hooks are plain functions here"
        )
    return None
