"""Hooks: what plugins do, bound once to tuples, so that running a job calls no plugin manager."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from routilux_core.errors import PluginError, said, shown
from routilux_core.job_errors import VetoedJob
from routilux_core.observers import Monitor, Observers, watches_of
from routilux_core.validation import Problem

if TYPE_CHECKING:
    from contextlib import ExitStack

    from pluggy import HookImpl, PluginManager

    from routilux_core.activation import Activation
    from routilux_core.flow import Flow
    from routilux_core.job import Job
    from routilux_core.manager import JobManager

log = logging.getLogger("routilux.plugins")
Bound = tuple[str, Callable[..., Any]]


def _bind(implementation: HookImpl, names: tuple[str, ...]) -> Bound:
    """Return the plugin's name and a function that takes all arguments in order."""
    function = implementation.function
    if implementation.argnames == names:
        return implementation.plugin_name, function
    wanted = [names.index(name) for name in implementation.argnames]
    return implementation.plugin_name, lambda *given: function(*(given[index] for index in wanted))


class Hooks:
    """The hooks of one manager."""

    def __init__(self, plugins: PluginManager, monitors: Iterable[tuple[str, Any]]) -> None:
        def bound(name: str, *names: str) -> tuple[Bound, ...]:
            found = getattr(plugins.hook, name).get_hookimpls()
            return tuple(_bind(implementation, names) for implementation in reversed(found))

        self._check_flow = bound("check_flow", "flow")
        self._starting = bound("job_starting", "job")
        self._hold = bound("hold", "job", "activation")
        self._around = bound("around_activation", "job", "activation")
        self._closing = bound("manager_closing", "manager")
        watching = [
            (name, watches_of(function))
            for name, function in bound("on_fact", "job", "fact")
            if not isinstance(
                getattr(function, "__self__", None), Monitor
            )  # it is among the monitors already
        ]
        watching += [(name, watches_of(monitor)) for name, monitor in monitors]
        self._watching = tuple(watching)
        self.involved = any((self._starting, self._hold, self._around, self._watching))
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

    def starting(self, job: Job) -> None:
        """Let plugins veto `job`."""
        for name, function in self._starting:
            try:
                function(job)
            except Exception as error:
                raise VetoedJob(name, said(error)) from error

    def observers(self) -> Observers:
        """Return the monitors of one job."""
        observers = Observers()
        for name, watches in self._watching:
            observers.add(name, watches)
        return observers

    def hold(self, job: Job) -> Callable[[Activation], bool] | None:
        """Return what says whether an activation of `job` is held back; None when no plugin would."""
        hold = self._hold
        if not hold:
            return None

        def held(activation: Activation) -> bool:
            if activation.id in job.passed:
                job.passed.discard(activation.id)  # type: ignore[attr-defined]  # a set where something holds
                return False
            for name, function in hold:
                try:
                    if function(job, activation):
                        return True
                except Exception:
                    log.exception("plugin %r raised in hold for job %s", name, job.job_id)
            return False

        return held

    def around(self, job: Job) -> tuple[Callable[[ExitStack, Activation], None], ...]:
        """Return what surrounds each handler of `job`."""
        if not self._around:
            return ()

        def entering(name: str, function: Callable[..., Any]) -> Callable[[ExitStack, Activation], None]:
            def enter(stack: ExitStack, activation: Activation) -> None:
                try:
                    surrounding = function(job, activation)
                    if surrounding is not None:
                        leave = _Guarded(name, surrounding)
                        surrounding.__enter__()
                        stack.push(leave.leave)
                except Exception:
                    log.exception("plugin %r raised in around_activation for job %s", name, job.job_id)

            return enter

        return tuple(entering(name, function) for name, function in self._around)

    def closing(self, manager: JobManager) -> None:
        """Tell plugins that `manager` shuts down."""
        for name, function in self._closing:
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


class _Guarded:
    """Leaves a plugin's context manager, without letting it swallow or raise anything."""

    def __init__(self, name: str, surrounding: Any) -> None:
        self._name = name
        self._surrounding = surrounding

    def leave(self, *error: Any) -> None:
        try:
            self._surrounding.__exit__(*error)
        except Exception as failure:
            if failure is not error[1]:
                log.exception("plugin %r raised on leaving around_activation", self._name)
