"""Recorder: a monitor that keeps every fact, to look at and to wait for."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, TypeVar

from routilux_core.facts import EventEmitted
from routilux_core.observers import Monitor

if TYPE_CHECKING:
    from collections.abc import Callable

    from routilux_core.fact import Fact
    from routilux_core.job import Job

Kind = TypeVar("Kind", bound="Fact")


class Recorder(Monitor):
    """Keeps the facts of the jobs that it watches, in order.

    >>> from routilux_core import Flow, routine
    >>> from routilux_core.testing import Recorder
    >>> @routine
    ... def double(value):
    ...     return {"value": 2 * value}
    >>> flow, recorder = Flow("flow"), Recorder()
    >>> _ = flow.add_routine(double(), "double")
    >>> _ = flow.execute("double", {"value": 4}, monitors=[recorder])
    >>> recorder.tags[-2:]
    ['activation_completed', 'job_completed']
    >>> recorder.emitted("double.output")
    [{'value': 8}]
    """

    def __init__(self) -> None:
        self._facts: list[tuple[str, Fact]] = []
        self._news = threading.Condition()

    def on_fact(self, job: Job, fact: Fact) -> None:
        """Keep the fact."""
        with self._news:
            self._facts.append((job.job_id, fact))
            self._news.notify_all()

    @property
    def facts(self) -> list[Fact]:
        """All facts so far, of all jobs."""
        with self._news:
            return [fact for _, fact in self._facts]

    @property
    def tags(self) -> list[str]:
        """The kinds of all facts so far, in words: `job_started` and so on."""
        return [fact.tag for fact in self.facts]

    def of(self, kind: type[Kind], job_id: str | None = None) -> list[Kind]:
        """Return the facts of that kind, of one job where it is named."""
        with self._news:
            return [fact for job, fact in self._facts if isinstance(fact, kind) and job_id in {None, job}]

    def emitted(self, source: str, job_id: str | None = None) -> list[dict[str, Any]]:
        """Return the payloads that went out from `source`, a `routine.event`, in order."""
        return [
            fact.data for fact in self.of(EventEmitted, job_id) if f"{fact.routine_id}.{fact.event}" == source
        ]

    def wait_for(
        self,
        kind: type[Kind],
        where: Callable[[Kind], object] | None = None,
        *,
        count: int = 1,
        timeout: float = 10.0,
    ) -> Kind:
        """Wait until there are `count` facts of that kind for which `where` holds; return the last of these.

        `TimeoutError` lists what was there instead.
        """
        with self._news:
            if self._news.wait_for(lambda: len(self._matching(kind, where)) >= count, timeout):
                return self._matching(kind, where)[count - 1]
            seen = ", ".join(fact.tag for _, fact in self._facts[-20:]) or "none"
        wanted = f"{count} facts {kind.tag!r}" if count > 1 else f"no fact {kind.tag!r}"
        raise TimeoutError(f"{wanted} within {timeout} s; the last facts: {seen}")

    def _matching(self, kind: type[Kind], where: Callable[[Kind], object] | None) -> list[Kind]:
        found = [fact for _, fact in self._facts if isinstance(fact, kind)]
        return found if where is None else [fact for fact in found if where(fact)]
