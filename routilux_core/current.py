"""What runs here and now: the context of the running handler, and the way to a manager.

Flow, Routine and JobState reach a manager through `current_manager` without importing one.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from routilux_core.context import ExecutionContext
    from routilux_core.manager import JobManager

CONTEXT: ContextVar[ExecutionContext | None] = ContextVar("routilux_context", default=None)
MANAGER: ContextVar[JobManager | None] = ContextVar("routilux_manager", default=None)

_fallback: list[Callable[[], JobManager]] = []


def provide_manager(make: Callable[[], JobManager]) -> None:
    """Name the function that gives the process-wide manager."""
    _fallback[:] = [make]


def get_execution_context() -> ExecutionContext | None:
    """Return the context of the handler that runs here, or None outside a job."""
    return CONTEXT.get()


def current_manager() -> JobManager:
    """Return the running job's manager, else the innermost `with JobManager(...)`, else the process's own."""
    context = CONTEXT.get()
    if context is not None:
        return context.manager
    return MANAGER.get() or _fallback[0]()


@contextmanager
def outside_jobs() -> Iterator[JobManager]:
    """Let what follows happen as outside of any job, with the manager of this one."""
    manager = current_manager()
    inside, managed = CONTEXT.set(None), MANAGER.set(manager)
    try:
        yield manager
    finally:
        MANAGER.reset(managed)
        CONTEXT.reset(inside)
