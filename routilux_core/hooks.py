"""Hooks: what plugins do, bound once to tuples, so that running a job calls no plugin manager."""

from __future__ import annotations

import logging
from collections.abc import Callable, Container, Iterable
from inspect import signature
from typing import TYPE_CHECKING, Any

from routilux_core.activation import Activation
from routilux_core.errors import PluginError, said, shown
from routilux_core.fact_view import VIEWS
from routilux_core.job_errors import VetoedJob
from routilux_core.markers import PROJECT
from routilux_core.monitor_queue import bare, watching_of
from routilux_core.observers import Monitor, Observers, Watching
from routilux_core.surrounding import Around
from routilux_core.validation import Problem

if TYPE_CHECKING:
    from pluggy import HookImpl, PluginManager

    from routilux_core.flow import Flow
    from routilux_core.job import Job
    from routilux_core.manager import JobManager
    from routilux_core.observers import Left

log = logging.getLogger("routilux.plugins")
Bound = tuple[str, Callable[..., Any]]


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
JOB_HOOKS = ("job_starting", "hold", "around_activation")
"""Those that are about single jobs, so that a monitor of one job may have them too."""
NO_HOOKS: dict[str, tuple[Bound, ...]] = dict.fromkeys(JOB_HOOKS, ())


def _in_order(function: Callable[..., Any], takes: tuple[str, ...], names: tuple[str, ...]) -> Any:
    """Return what takes all arguments of a hook in order, for a function that takes some by name."""
    if takes == names:
        return function
    wanted = [names.index(name) for name in takes]
    return lambda *given: function(*(given[index] for index in wanted))


def own_hook(name: str, monitor: Any, hook: str) -> tuple[Bound, ...]:
    """Return the hook of a monitor that no manager has taken in as a plugin, if it has it."""
    function: Any = getattr(monitor, hook, None)
    if not hasattr(function, f"{PROJECT}_impl"):
        return ()
    takes, names = tuple(signature(function).parameters), ARGUMENTS[hook]
    for unknown in set(takes) - set(names):
        raise PluginError(
            name, "", f"its {hook!r} takes {unknown!r}; a hook takes some of: {', '.join(names)}"
        )
    return ((name, _in_order(function, takes, names)),)


def left_hook(name: str, monitor: Any) -> Left | None:
    """Return the hook of a monitor, or of one with a queue, that hears of jobs that left."""
    return next((function for _, function in own_hook(name, bare(monitor), "job_left")), None)


class Hooks:
    """The hooks of one manager."""

    def __init__(self, plugins: PluginManager, monitors: Iterable[tuple[str, Any]]) -> None:
        def bound(name: str, without: Container[int] = ()) -> tuple[Bound, ...]:
            found: list[HookImpl] = getattr(plugins.hook, name).get_hookimpls()
            names = ARGUMENTS[name]
            return tuple(
                (one.plugin_name, _in_order(one.function, one.argnames, names))
                for one in reversed(found)
                if id(one.plugin) not in without
            )

        monitors = tuple(monitors)

        self._check_flow = bound("check_flow")
        self._starting, self._hold, self._around = map(bound, JOB_HOOKS)
        self._closing = bound("manager_closing")
        watching = [
            watching_of(name, function)
            for name, function in bound("on_fact")
            if not isinstance(
                getattr(function, "__self__", None), Monitor
            )  # it is among the monitors already
        ]
        watching += [watching_of(name, monitor, left_hook(name, monitor)) for name, monitor in monitors]
        told = {id(bare(monitor)) for _, monitor in monitors}
        watching += [
            Watching(name, {}, function, reads_only=True, once=False)
            for name, function in bound("job_left", without=told)
        ]
        self.watching = tuple(one for one in watching if one.watches or one.left is not None)
        self.involved = any((self._starting, self._hold, self._around, self.watching))
        """Whether any plugin has to do with single jobs."""

    def check_flow(self, flow: Flow) -> list[Problem]:
        """Ask all plugins what they think of `flow`."""
        found: list[Problem] = []
        for name, function in self._check_flow:
            try:
                found += _problems(function(flow))
            except Exception as error:
                raise PluginError(name, "", f"in check_flow: {said(error)}") from error
        return found

    def starting(self, job: Job, more: tuple[Bound, ...] = ()) -> None:
        """Let plugins veto `job`, and then its own monitors."""
        for name, function in (*self._starting, *more):
            try:
                function(job)
            except Exception as error:
                raise VetoedJob(name, said(error)) from error

    def observers(self) -> Observers:
        """Return the monitors of one job."""
        observers = Observers()
        for watching in self.watching:
            observers.add(watching)
        return observers

    def hold(self, job: Job, more: tuple[Bound, ...] = ()) -> Callable[[Activation], bool] | None:
        """Return what says whether an activation of `job` is held back; None when no plugin would."""
        hold = (*self._hold, *more)
        if not hold:
            return None

        def held(activation: Activation) -> bool:
            if activation.id in job.passed:
                job.passed.discard(activation.id)  # type: ignore[attr-defined]  # a set where something holds
                return False
            seen = VIEWS[Activation](activation)
            for name, function in hold:
                try:
                    if function(job, seen):
                        return True
                except Exception:
                    log.exception("plugin %r raised in hold for job %s", name, job.job_id)
            return False

        return held

    def around(self, job: Job, more: tuple[Bound, ...] = ()) -> tuple[Around, ...]:
        """Return what surrounds each handler of `job`; `more` are the hooks of its own monitors."""
        return tuple(Around(name, function, job) for name, function in (*self._around, *more))

    def closing(self, manager: JobManager, more: tuple[Bound, ...] = ()) -> None:
        """Tell plugins that `manager` shuts down, and then the monitors that only its jobs have named."""
        for name, function in (*self._closing, *more):
            try:
                function(manager)
            except Exception:
                log.exception("plugin %r raised in manager_closing", name)


def _problems(returned: Any) -> list[Problem]:
    found = [] if returned is None else list(returned)
    for one in found:
        if not isinstance(one, Problem):
            raise TypeError(f"{shown(one)} is no Problem")
    return found
