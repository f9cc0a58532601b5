"""The Executor contract: where and when activations run.

Ready work lives in the job alone. An executor is told by `lane.wake(n)` that there is some. In a thread of
this process it lets `job.serve()` do the rest. Elsewhere it asks for work with `job.take()`, runs it where it
likes and gives the outcome to `job.finish`. So pause, priority, fairness among slots and limits are right on
every executor, and a pool is ten lines.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, ClassVar

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from contextlib import AbstractContextManager
    from contextvars import Context

    from routilux_core.activation import Activation
    from routilux_core.job import Job


@frozen(kw_only=True)
class Traits:
    """What an executor can do; the contract tests go by it."""

    concurrent: bool = True
    """Runs several activations of a job at once."""
    crosses_process: bool = False
    """Runs handlers in other processes."""
    interrupts: bool = False
    """Can end a running handler."""
    runs_async: bool = False
    """Runs `async def` handlers on a loop of its own."""


class Lane(ABC):
    """An executor's side of one job."""

    @abstractmethod
    def wake(self, count: int) -> None:
        """Hear that about `count` activations are ready. Called from any thread and often: return at once."""

    def void(self, activation: Activation) -> None:  # noqa: B027 - a thread cannot be ended
        """Hear that nobody waits for `activation` any more: its time is up, or its job is over.

        End it where that can be done; its outcome is refused anyway. Return at once.
        """

    def finalize(self, _coroutine: Coroutine[Any, Any, None], _variables: Context) -> bool:
        """Run, where async handlers run, what closes an async generator; False leaves it to the manager."""
        return False

    def needs_caller(self) -> bool:
        """Tell whether the job's handlers run on the thread that calls, so that it must not wait for them."""
        return False

    def close(self) -> None:  # noqa: B027 - most lanes have nothing to close
        """Hear that the job is over or paused: it has no more work."""


class Executor(ABC):
    """Runs the activations of jobs; one object serves all jobs of a manager."""

    traits: ClassVar[Traits] = Traits()

    def start(self) -> None:  # noqa: B027 - many have nothing to start
        """Make ready to run; called once, before the first `open`."""

    @abstractmethod
    def open(self, job: Job) -> Lane:
        """Return the lane through which `job` tells of its work."""

    def drive(self, job: Job) -> None:
        """Do what `execute` waits in: here, tell the lane of the work and wait."""
        job.wake()
        job.wait()

    async def drive_async(self, job: Job) -> None:
        """Do what `execute_async` awaits: here, tell the lane of the work and await the job."""
        job.wake()
        await job

    def blocking(self) -> AbstractContextManager[object]:
        """Enter what a handler's thread is in while the handler waits for a job; another may work instead."""
        return nullcontext()

    def cancel(self, job: Job) -> None:  # noqa: B027 - a thread cannot be ended
        """End what is in flight of `job`, where that can be done; its outcomes are refused anyway."""

    @abstractmethod
    def stop(self, timeout: float | None = None) -> None:
        """End for good: on return nothing of it runs, unless `timeout` came first. May be called again."""
