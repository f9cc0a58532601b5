"""Monitor, and how facts reach monitors: in order, one failing apart from the others."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol
from weakref import WeakSet

from routilux_core.apply import APPLY
from routilux_core.errors import InvalidOption, PluginError, hint
from routilux_core.fact import Fact
from routilux_core.fact_view import VIEWS
from routilux_core.facts import JobCancelled, JobCompleted, JobPaused, JobStopped
from routilux_core.hook_call import MARK, own_call
from routilux_core.hook_fault import idle

if TYPE_CHECKING:
    from routilux_core.job import Job

log = logging.getLogger("routilux.monitor")
Watch = Callable[["Job", Any], object]
Left = Callable[["Job", BaseException], object]
Watches = dict[type[Fact], list[Watch]]

KINDS: dict[str, type[Fact]] = {f"on_{kind.tag}": kind for kind in APPLY}
"""The methods of a Monitor, and the facts that they are called for."""
METHODS = ("on_fact", *sorted(KINDS))
_CHECKED: WeakSet[type] = WeakSet()
"""The classes of monitors whose methods are as they should be."""
ENDS = frozenset({JobCompleted, JobStopped, JobCancelled, JobPaused})
"""The facts after which a job has no more to tell for now."""


class Monitor:
    """Watches jobs. Override `on_fact` for everything, or a method per kind: `on_job_started` and so on.

    Each is called as `method(job, fact)`. Any other method named `on_...` is refused: nothing would call it.
    What is not overridden costs nothing. A fact cannot be changed, and what it holds is a copy, made when it
    is asked for.

    >>> class Counter(Monitor):
    ...     done = 0
    ...     def on_activation_completed(self, job, fact):
    ...         self.done += 1
    """

    reads_only: ClassVar[bool] = False
    """Whether it promises to change nothing that it is given: it gets the facts themselves, which is faster.

    The contract kit for monitors looks at that too.
    """

    def watches(self) -> Watches:
        """Return what is to be called for which kind of fact."""
        found: dict[type[Fact], list[Watch]] = {}
        everything: Any = getattr(self, "on_fact", None)
        if hasattr(everything, MARK):
            everything = own_call(type(self).__qualname__, "on_fact", everything)
        for name, kind in KINDS.items():
            calls = [call for call in (everything, getattr(self, name, None)) if call is not None]
            if calls:
                found[kind] = calls
        return found


def watches_of(monitor: Any) -> Watches:
    """Return what `monitor`, a Monitor or a function of (job, fact), wants to be called for."""
    if isinstance(monitor, Monitor):
        _check_methods(type(monitor))
        return monitor.watches()
    if not callable(monitor):
        raise InvalidOption("a monitor", monitor, "a Monitor, or a function of (job, fact)")
    if idle(monitor):
        wanted = "a plain function; it is async or has a yield, so calling it would do nothing"
        raise InvalidOption("a monitor", monitor, wanted)
    return {kind: [monitor] for kind in APPLY}


def _check_methods(kind: type) -> None:
    """Refuse methods of a Monitor that nobody would call, or in vain; each class is looked over once."""
    if kind in _CHECKED:
        return
    for name in dir(kind):
        if name.startswith("on_"):
            if name not in METHODS:
                reason = f"no fact calls {name!r}; there is: {', '.join(METHODS)}{hint(name, METHODS)}"
                raise PluginError(kind.__qualname__, "", reason)
            if idle(getattr(kind, name)):
                reason = f"its {name!r} is async or has a yield, so calling it would do nothing"
                raise PluginError(kind.__qualname__, "", f"{reason}; a monitor has plain methods")
    _CHECKED.add(kind)


class Line(Protocol):
    """Where facts wait for a monitor that jobs do not wait for."""

    def put(self, watching: Watching, job: Job, news: Sequence[Fact]) -> None:
        """Let facts be told some time, in order; return at once."""

    def put_left(self, watching: Watching, job: Job, error: BaseException) -> None:
        """Let it be told after them that the job runs here no more; return at once."""


class Watching:
    """One monitor's watching: of all jobs, or of one."""

    __slots__ = ("dropped", "left", "line", "name", "once", "open", "reads_only", "watches")

    def __init__(
        self,
        name: str,
        watches: Watches,
        left: Left | None = None,
        line: Line | None = None,
        *,
        reads_only: bool,
        once: bool,
    ) -> None:
        self.name = name
        self.watches = watches
        self.left = left
        """What is called where a job runs here no more though it has not ended."""
        self.line = line
        self.reads_only = reads_only
        """Whether it is shown the facts themselves."""
        self.once = once
        """Whether it is of one job alone, with which its line may end."""
        self.open = False
        """Whether it keeps its line open: from its first fact on, until the job has no more to tell."""
        self.dropped = False
        """True when the monitor has raised, so that it is told nothing more of the job."""

    def of_job(self) -> Watching:
        """Return one for a single job."""
        return Watching(
            self.name, self.watches, self.left, self.line, reads_only=self.reads_only, once=self.once
        )

    def tell(self, job: Job, fact: Fact) -> None:
        """Show the fact to the monitor; if it raises, it is dropped for that job."""
        kind = type(fact)
        calls = self.watches.get(kind)
        if calls is None or self.dropped:
            return
        seen = fact if self.reads_only else VIEWS[kind](fact)
        try:
            for call in calls:
                call(job, seen)
        except BaseException:
            self.dropped = True
            text = "monitor %r raised at %s of job %s and is dropped for this job"
            log.exception(text, self.name, kind.__name__, job.job_id)

    def tell_left(self, job: Job, error: BaseException) -> None:
        """Let the monitor know that the job runs here no more, unless it was dropped for that job."""
        if self.left is None or self.dropped:
            return
        try:
            self.left(job, error)
        except BaseException:
            log.exception("monitor %r raised in job_left for job %s", self.name, job.job_id)


class Observers:
    """The monitors of one job."""

    __slots__ = ("_leaving", "_lines", "_watching")

    def __init__(self) -> None:
        self._watching: tuple[Watching, ...] = ()
        """Those that the job waits for."""
        self._lines: tuple[tuple[Watching, Line, set[type[Fact]] | None], ...] = ()
        """The others, where their facts wait, and which do; None for all."""
        self._leaving: tuple[Watching, ...] = ()
        """Those that are to know where the job leaves."""

    def __bool__(self) -> bool:
        """Whether any wants facts."""
        return bool(self._watching or self._lines)

    def add(self, watching: Watching) -> None:
        """Let one more watch."""
        own = watching.of_job() if watching.watches else watching
        if own.left is not None or own.once:
            self._leaving = (*self._leaving, own)
        if not own.watches:
            return
        if own.line is None:
            self._watching = (*self._watching, own)
        else:
            kinds = None if len(own.watches) == len(APPLY) else {*own.watches, *(ENDS if own.once else ())}
            self._lines = (*self._lines, (own, own.line, kinds))

    def show(self, job: Job, news: list[Fact]) -> None:
        """Give the facts to all monitors, in order; one that raises is dropped for this job."""
        watching = self._watching
        if watching:
            for fact in news:
                for one in watching:
                    one.tell(job, fact)
        for own, line, kinds in self._lines:
            wanted = news if kinds is None else [fact for fact in news if type(fact) in kinds]
            if wanted and not own.dropped:
                line.put(own, job, wanted)

    def show_left(self, job: Job, error: BaseException) -> None:
        """Let all know that the job runs here no more, after all facts."""
        for own in self._leaving:
            if own.line is None:
                own.tell_left(job, error)
            else:
                own.line.put_left(own, job, error)
