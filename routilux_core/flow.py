"""Flow: routines and the connections between them, and how a job of them is to be run."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any, Self

from routilux_core.current import current_manager
from routilux_core.errors import InvalidOption
from routilux_core.flow_document import OPTIONS, PATH, SCHEMA, flow_body, read_flow
from routilux_core.graph import Graph
from routilux_core.picture import dot, mermaid
from routilux_core.schema import load, save_text, write

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from os import PathLike

    from routilux_core.executor import Executor
    from routilux_core.state import JobState
    from routilux_core.validation import Problem


class Flow(Graph):
    """A graph of routines. It never changes while it runs, so one flow serves any number of jobs at once.

    >>> from routilux_core import routine
    >>> @routine
    ... def shout(text):
    ...     return {"text": text.upper()}
    >>> flow = Flow("greeting")
    >>> flow.add_routine(shout(), "shout")
    'shout'
    >>> flow.execute("shout", {"text": "hello"}).status == "completed"
    True
    """

    def __init__(
        self,
        flow_id: str | None = None,
        execution_strategy: str | None = None,
        max_workers: int | None = None,
        execution_timeout: float | None = None,
    ) -> None:
        super().__init__(flow_id)
        self.execution_strategy = execution_strategy
        self.max_workers = _checked_workers(max_workers)
        self.execution_timeout = checked_timeout("execution_timeout", execution_timeout)

    def set_execution_strategy(self, name: str, max_workers: int | None = None) -> None:
        """Choose the executor by its plugin's name, and how many activations may run at once."""
        workers = self.max_workers if max_workers is None else _checked_workers(max_workers)
        self.execution_strategy, self.max_workers = name, workers
        self.forget_plan()

    # -- documents -------------------------------------------------------------------------------------

    def serialize(self) -> dict[str, Any]:
        """Return the flow as a document: a dict that JSON can express.

        It holds the classes of the routines by name, their configuration, the connections, and nothing of
        any job. `NotRebuildable` names a routine that could not be made again from it.
        """
        return SCHEMA.envelope(flow_body(self))

    def deserialize(self, data: Mapping[str, Any]) -> Self:
        """Become the flow of a document; if anything in it is wrong, nothing has changed.

        Classes of routines are looked up among those that this process has defined and those that plugins
        have registered. Nothing is imported.
        """
        made = read_flow(SCHEMA.open(data), Flow)
        self.become(made)
        for name in OPTIONS:
            setattr(self, name, getattr(made, name))
        return self

    def save(self, path: str | PathLike[str]) -> None:
        """Write the document into a file, as JSON, whole or not at all."""
        save_text(path, write(self.serialize(), indent=2) + "\n")

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Return the flow that a file holds."""
        return load(path, PATH, cls().deserialize)

    def validate(self) -> list[Problem]:
        """Return everything that looks wrong, at once; an empty list is good news."""
        return current_manager().validate(self)

    def to_mermaid(self) -> str:
        """Return a picture of the flow as Mermaid text."""
        return mermaid(self)

    def to_dot(self) -> str:
        """Return a picture of the flow as DOT text."""
        return dot(self)

    # -- running ---------------------------------------------------------------------------------------

    def start(
        self,
        entry_routine_id: str,
        entry_params: dict[str, Any] | None = None,
        timeout: float | None = None,
        job_state: JobState | None = None,
        *,
        entry_slot: str = "trigger",
        executor: str | Executor | None = None,
        monitors: Iterable[Any] = (),
        metadata: dict[str, Any] | None = None,
    ) -> JobState:
        """Start a job and return its state at once, status `running`."""
        return current_manager().start_job(
            self,
            entry_routine_id,
            entry_params,
            timeout,
            job_state,
            entry_slot=entry_slot,
            executor=executor,
            monitors=monitors,
            metadata=metadata,
        )

    def execute(
        self,
        entry_routine_id: str,
        entry_params: dict[str, Any] | None = None,
        timeout: float | None = None,
        job_state: JobState | None = None,
        *,
        raise_on_error: bool = False,
        **options: Any,
    ) -> JobState:
        """Start a job, wait for its end or a pause, and return its state. `options` are those of `start`."""
        return current_manager().execute(
            self, entry_routine_id, entry_params, timeout, job_state, raise_on_error=raise_on_error, **options
        )

    async def execute_async(
        self,
        entry_routine_id: str,
        entry_params: dict[str, Any] | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - the limit is the job's, not the caller's
        job_state: JobState | None = None,
        *,
        raise_on_error: bool = False,
        **options: Any,
    ) -> JobState:
        """Do what `execute` does, without blocking the event loop."""
        return await current_manager().execute_async(
            self, entry_routine_id, entry_params, timeout, job_state, raise_on_error=raise_on_error, **options
        )

    def pause(
        self,
        job_state: JobState,
        reason: str = "",
        checkpoint: Any = None,
        timeout: float | None = None,
    ) -> None:
        """Let nothing more start, and wait until no handler of the job runs; from its handler, only ask."""
        current_manager().pause_state(self, job_state, reason, checkpoint, timeout)

    def resume(self, job_state: JobState, *, accept_changes: bool = False) -> JobState:
        """Let a paused job go on and return its state, the same object, at once."""
        return current_manager().resume_state(self, job_state, accept_changes=accept_changes)

    def cancel(self, job_state: JobState, reason: str = "") -> None:
        """End a job; what its running handlers still do is refused."""
        current_manager().cancel_state(self, job_state, reason)

    def fork(self, job_state: JobState, start: bool = True) -> JobState:
        """Make a new job from what an ended or paused one had not done, its failed activations included."""
        return current_manager().fork_state(self, job_state, start=start)

    def wait_for_completion(self, timeout: float | None = None) -> bool:
        """Wait for every job of this flow in this process; False when `timeout` came first."""
        return current_manager().wait_for_flow(self, timeout)

    def __repr__(self) -> str:
        return f"<Flow {self.flow_id!r} routines={tuple(self.routines)!r}>"


def _checked_workers(value: object) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidOption("max_workers", value, "a whole number from 1 up")
    return value


def checked_timeout(name: str, value: object) -> float | None:
    """Return `value` if it is a time limit that can be reached, or None."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < inf:
        raise InvalidOption(name, value, "a number of seconds above 0")
    return value
