"""Surrounding: what a plugin puts around a handler, entered here or in another process."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from routilux_core.activation import Activation
from routilux_core.fact_view import VIEWS
from routilux_core.tolerance import Tolerance

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import ExitStack

    from routilux_core.job import Job

log = logging.getLogger("routilux.plugins")
HOOK = "around_activation"


class Around:
    """One plugin's `around_activation` for one job."""

    __slots__ = ("_function", "_job", "_stays", "_tolerance", "name")

    def __init__(self, name: str, function: Callable[[Job, Activation], Any], job: Job) -> None:
        self.name = name
        self._function = function
        self._job = job
        self._tolerance = Tolerance(name, HOOK, job.job_id)
        self._stays = False
        """Whether it was said that it does not go to other processes."""

    def surrounding(self, activation: Activation) -> Any:
        """Return the plugin's context manager for an activation, or None."""
        with self._tolerance:
            return self._function(self._job, VIEWS[Activation](activation))
        return None

    def __call__(self, stack: ExitStack, activation: Activation) -> None:
        """Enter it, to be left with `stack`."""
        surrounding = self.surrounding(activation)
        if surrounding is not None:
            enter(stack, surrounding, self._tolerance)

    def stays(self, error: Exception) -> None:
        """Say once that what surrounds handlers cannot go where they run."""
        if not self._stays:
            self._stays = True
            text = "plugin %r cannot follow the handlers of job %s to other processes: %s"
            log.warning(text, self.name, self._job.job_id, error)


def enter(stack: ExitStack, surrounding: Any, tolerance: Tolerance) -> None:
    """Enter a plugin's context manager, to be left with `stack`; it neither raises nor swallows anything."""
    with tolerance:
        leave = _Guarded(surrounding, tolerance)
        surrounding.__enter__()
        stack.push(leave.leave)


class _Guarded:
    """Leaves a plugin's context manager, without letting it swallow or raise anything."""

    def __init__(self, surrounding: Any, tolerance: Tolerance) -> None:
        self._surrounding = surrounding
        self._tolerance = tolerance

    def leave(self, *error: Any) -> None:
        with self._tolerance:
            try:
                self._surrounding.__exit__(*error)
            except Exception as failure:
                if failure is not error[1]:
                    raise
