"""Condition: where a job is to stand still."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from routilux_core import Activation, Fact, Job

    When = Callable[[Job, Any], object]

log = logging.getLogger("routilux.breakpoints")


class Condition:
    """One breakpoint: before a routine or a slot, or at a kind of fact, where its condition holds."""

    def __init__(self, *, before: str | None = None, on: str | None = None, when: When | None = None) -> None:
        self.before = before
        self.on = on
        self._when = when

    def meets_activation(self, job: Job, work: Activation) -> bool:
        """Tell whether the job is to stand before this work begins; the items of a generator do not count."""
        return (
            self.before is not None
            and self.before in {work.routine_id, work.target}
            and not work.items
            and self._holds(job, work)
        )

    def meets_fact(self, job: Job, fact: Fact) -> bool:
        """Tell whether the job is to stand at this fact."""
        return self.on == fact.tag and self._holds(job, fact)

    def _holds(self, job: Job, what: Any) -> bool:
        when = self._when
        if when is None:
            return True
        try:
            return bool(when(job, what))
        except Exception:
            self._when = _never
            log.exception("the condition of the breakpoint %s raised and is never asked again", self)
            return False

    def __str__(self) -> str:
        return f"before {self.before}" if self.on is None else f"at {self.on}"


def _never(_job: Job, _what: Any) -> bool:
    return False
