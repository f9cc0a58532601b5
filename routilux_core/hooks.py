"""Hooks: what plugins do, bound once to tuples, so that running a job calls no plugin manager."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from routilux_core.activation import Activation
from routilux_core.errors import PluginError, said, shown
from routilux_core.fact_view import VIEWS
from routilux_core.hook_call import MARK, in_order, own_call
from routilux_core.hook_fault import fault_in
from routilux_core.job_errors import VetoedJob
from routilux_core.monitor_queue import bare, watching_of
from routilux_core.observers import Monitor, Observers, Watching
from routilux_core.surrounding import Around
from routilux_core.tolerance import Tolerance
from routilux_core.validation import Problem

if TYPE_CHECKING:
    from pluggy import HookImpl, PluginManager

    from routilux_core.flow import Flow
    from routilux_core.job import Job
    from routilux_core.manager import JobManager
    from routilux_core.observers import Left

log = logging.getLogger("routilux.plugins")
Bound = tuple[str, Callable[..., Any]]

JOB_HOOKS = ("job_starting", "hold", "around_activation")
"""Those that are about single jobs, so that a monitor of one job may have them too."""
NO_HOOKS: dict[str, tuple[Bound, ...]] = dict.fromkeys(JOB_HOOKS, ())
_HOOKS_OF: WeakKeyDictionary[type, dict[str, str]] = WeakKeyDictionary()
"""Of classes of monitors: the hooks that they have, and the method that is each."""


def own_hook(name: str, monitor: Any, hook: str) -> tuple[Bound, ...]:
    """Return the hook of a monitor that no manager has taken in as a plugin, if it has it."""
    function: Any = getattr(monitor, _hooks_of(name, type(monitor)).get(hook, hook), None)
    if not hasattr(function, MARK):
        return ()
    return ((name, own_call(name, hook, function)),)


def _hooks_of(name: str, kind: type) -> dict[str, str]:
    """Return which methods of a class of monitors are which hooks; each class is looked over once."""
    found = _HOOKS_OF.get(kind)
    if found is None:
        found = {}
        for attribute in dir(kind):
            function = getattr(kind, attribute, None)
            marks = getattr(function, MARK, None)
            if marks is not None:
                hook = marks["specname"] or attribute
                fault = fault_in(hook, function, marks)
                if fault is not None:
                    raise PluginError(name, "", fault)
                found[hook] = attribute
        _HOOKS_OF[kind] = found
    return found


def left_hook(name: str, monitor: Any) -> Left | None:
    """Return the hook of a monitor, or of one with a queue, that hears of jobs that left."""
    return next((function for _, function in own_hook(name, bare(monitor), "job_left")), None)


class Hooks:
    """The hooks of one manager."""

    def __init__(self, plugins: PluginManager, monitors: Iterable[tuple[str, Any]]) -> None:
        self.monitors = tuple(monitors)
        """Those that watch every job, by name, each in its queue where it has one."""

        def bound(hook: str, besides: Callable[[object], bool] = lambda _: False) -> tuple[Bound, ...]:
            found: list[HookImpl] = getattr(plugins.hook, hook).get_hookimpls()
            return tuple(
                (one.plugin_name, in_order(hook, one.function, one.argnames))
                for one in reversed(found)
                if not besides(one.plugin)
            )

        def is_told(plugin: object) -> bool:
            return any(bare(monitor) is plugin for _, monitor in self.monitors)

        self._check_flow = bound("check_flow")
        self._starting, self._hold, self._around = map(bound, JOB_HOOKS)
        self._closing = bound("manager_closing")
        watching = [
            watching_of(name, function)
            for name, function in bound("on_fact", lambda plugin: isinstance(plugin, Monitor))
        ]
        watching += [watching_of(name, monitor, left_hook(name, monitor)) for name, monitor in self.monitors]
        watching += [
            Watching(name, {}, function, reads_only=True, once=False)
            for name, function in bound("job_left", is_told)
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
        hold = [(function, Tolerance(name, "hold", job.job_id)) for name, function in (*self._hold, *more)]
        if not hold:
            return None

        def held(activation: Activation) -> bool:
            if activation.id in job.passed:
                job.passed.discard(activation.id)  # type: ignore[attr-defined]  # a set where something holds
                return False
            for function, tolerance in hold:
                with tolerance:
                    if function(job, VIEWS[Activation](activation)):
                        return True
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
