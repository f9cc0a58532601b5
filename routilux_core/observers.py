"""Monitor, and how facts reach monitors: in order, one failing apart from the others."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from routilux_core.apply import APPLY
from routilux_core.fact import Fact

if TYPE_CHECKING:
    from routilux_core.job import Job

log = logging.getLogger("routilux.monitor")
Watch = Callable[["Job", Any], object]
Watches = dict[type[Fact], list[Watch]]

KINDS: dict[str, type[Fact]] = {f"on_{kind.tag}": kind for kind in APPLY}
"""The methods of a Monitor, and the facts that they are called for."""


class Monitor:
    """Watches jobs. Override `on_fact` for everything, or a method per kind: `on_job_started` and so on.

    Each is called as `method(job, fact)`. What is not overridden costs nothing.

    >>> class Counter(Monitor):
    ...     done = 0
    ...     def on_activation_completed(self, job, fact):
    ...         self.done += 1
    """

    def watches(self) -> Watches:
        """Return what is to be called for which kind of fact."""
        found: dict[type[Fact], list[Watch]] = {}
        everything = getattr(self, "on_fact", None)
        for name, kind in KINDS.items():
            calls = [call for call in (everything, getattr(self, name, None)) if call is not None]
            if calls:
                found[kind] = calls
        return found


def watches_of(monitor: Any) -> Watches:
    """Return what `monitor`, a Monitor or a function of (job, fact), wants to be called for."""
    if isinstance(monitor, Monitor):
        return monitor.watches()
    return {kind: [monitor] for kind in APPLY}


class Observers:
    """The monitors of one job."""

    __slots__ = ("_watches",)

    def __init__(self) -> None:
        self._watches: list[tuple[str, dict[type[Fact], list[Watch]]]] = []

    def __bool__(self) -> bool:
        return bool(self._watches)

    def add(self, name: str, watches: Watches) -> None:
        """Let one more watch."""
        if watches:
            self._watches = [*self._watches, (name, watches)]

    def show(self, job: Job, news: list[Fact]) -> None:
        """Give the facts to all monitors, in order; one that raises is dropped for this job."""
        for fact in news:
            kind = type(fact)
            for entry in self._watches:
                name, watches = entry
                for call in watches.get(kind, ()):
                    try:
                        call(job, fact)
                    except Exception:
                        log.exception(
                            "monitor %r raised at %s of job %s and is dropped for this job",
                            name,
                            kind.__name__,
                            job.root,
                        )
                        self._watches = [other for other in self._watches if other is not entry]
                        break
