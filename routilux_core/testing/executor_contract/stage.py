"""Stage: what all tests of an executor stand on."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar
from unittest import SkipTest

from routilux_core.testing.executor_contract.workshop import Workshop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from routilux_core.executor import Executor, Traits


class Stage:
    """The executor under test, and the manager that most tests share, since making workers may take long."""

    workers: ClassVar[int] = 4
    """How many workers the executor is made with, where a test does not need another number."""
    patience: ClassVar[float] = 20.0
    """Seconds after which a test gives up. What works takes nearly nothing of it."""
    _shared: ClassVar[Workshop | None] = None

    def executor(self, workers: int) -> Executor:
        """Make the executor, anew at each call, with so many workers if it can be told."""
        raise NotImplementedError(
            f"{type(self).__name__} needs `executor(self, workers)`: a method that makes an Executor"
        )

    @property
    def workshop(self) -> Workshop:
        """The workshop that the tests of a class share."""
        kind = type(self)
        if "_shared" not in vars(kind) or kind._shared is None:
            kind._shared = Workshop(self.executor(self.workers), self.patience)
        return kind._shared

    @property
    def traits(self) -> Traits:
        """What the executor can do."""
        return self.workshop.executor.traits

    @property
    def room(self) -> int:
        """How many handlers of one job run at once."""
        return self.workers if self.traits.concurrent else 1

    @contextmanager
    def new_workshop(self, workers: int | None = None) -> Iterator[Workshop]:
        """Make a workshop for one test."""
        made = Workshop(self.executor(self.workers if workers is None else workers), self.patience)
        try:
            yield made
        finally:
            made.close()

    def needs_this_process(self) -> None:
        """Skip a test whose handlers ask more of their job than those in another process can."""
        if self.traits.crosses_process:
            raise SkipTest("its handlers run in other processes, where only the job's data is at hand")

    def needs_processes(self) -> None:
        """Skip a test of what only other processes make of a handler."""
        if not self.traits.crosses_process:
            raise SkipTest("its handlers run in this process")

    def needs_concurrency(self) -> None:
        """Skip a test in which several handlers of a job run at once."""
        if not self.traits.concurrent:
            raise SkipTest("it runs one activation of a job at a time")

    def teardown_method(self) -> None:
        """End what a test has left running."""
        if self._shared is not None:
            self._shared.clear()

    @classmethod
    def teardown_class(cls) -> None:
        """End the workshop that the tests have shared."""
        if cls._shared is not None:
            cls._shared.close()
            cls._shared = None
