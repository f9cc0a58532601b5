"""Where a job's outputs go while it runs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from queue import Queue
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class OutputHandler(ABC):
    """Receives each output of a job, in order, as soon as it was sent."""

    @abstractmethod
    def handle(self, output: dict[str, Any]) -> None:
        """Take one output: `output_type`, `routine_id`, `data`, `timestamp`, `attempt`."""


class QueueOutputHandler(OutputHandler):
    """Puts each output into `.queue`."""

    def __init__(self, queue: Queue[dict[str, Any]] | None = None) -> None:
        self.queue: Queue[dict[str, Any]] = Queue() if queue is None else queue

    def handle(self, output: dict[str, Any]) -> None:
        """Put the output into the queue."""
        self.queue.put(output)


class CallbackOutputHandler(OutputHandler):
    """Calls a function with each output."""

    def __init__(self, function: Callable[[dict[str, Any]], object]) -> None:
        self.function = function

    def handle(self, output: dict[str, Any]) -> None:
        """Call the function."""
        self.function(output)


class NullOutputHandler(OutputHandler):
    """Lets each output go by; `JobState.output_log` keeps them all the same."""

    def handle(self, output: dict[str, Any]) -> None:
        """Do nothing."""
