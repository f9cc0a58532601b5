"""Logging: the monitor that logs."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from routilux_core import InvalidOption, Monitor, hookimpl
from routilux_plugins.monitors.log.message import INFO, extra, message
from routilux_plugins.monitors.log.output import Output, close_output, open_output

if TYPE_CHECKING:
    from collections.abc import Callable

    from routilux_core import Fact, Job
    from routilux_plugins.monitors.log.settings import LoggingSettings

LOG = logging.getLogger("routilux.job")
LEVELS = {
    "off": logging.CRITICAL + 1,
    **{name.lower(): one for name, one in logging.getLevelNamesMapping().items()},
}


class Logging(Monitor):
    """Logs facts from a level up to the logger `routilux.job`, with the job's id in every record.

    Kinds of facts below that level are not watched, so at level `warning` it costs nothing.
    """

    reads_only: ClassVar[bool] = True

    def __init__(self, settings: LoggingSettings) -> None:
        self._level = LEVELS[settings.level]
        known = sorted(kind.tag for kind in super().watches())
        for tag in settings.levels:
            if tag not in known:
                raise InvalidOption(
                    f"levels.{tag}", settings.levels[tag], f"a kind of fact: {', '.join(known)}"
                )
        self._levels = {tag: LEVELS[level] for tag, level in settings.levels.items()}
        self._format = settings.format
        self._output: Output | None = None

    def watches(self) -> dict[type[Fact], list[Callable[[Job, Any], object]]]:
        """Watch the facts that are logged."""
        levels = {kind: self._level_of(kind.tag) for kind in super().watches()}
        return {
            kind: [partial(self._log, level)]
            for kind, level in levels.items()
            if self._level <= level <= logging.CRITICAL
        }

    def on_fact(self, job: Job, fact: Fact) -> None:
        """Stand for the calls of `watches`, one for each kind of fact."""

    def _level_of(self, tag: str) -> int:
        return self._levels.get(tag, logging.INFO if tag in INFO else logging.DEBUG)

    def _log(self, level: int, job: Job, fact: Fact) -> None:
        if LOG.isEnabledFor(level):
            LOG.log(level, "%s", message(job, fact), extra=extra(job, fact))

    @hookimpl
    def job_starting(self) -> None:
        """Begin to write, where it was told how."""
        if self._format is not None and self._output is None:
            self._output = open_output(self._format, self._level)

    @hookimpl
    def job_left(self, job: Job, error: BaseException) -> None:
        """Log that it goes on elsewhere."""
        if self._level <= logging.INFO and LOG.isEnabledFor(logging.INFO):
            reason = str(error)  # the error itself may hold the job by its traceback
            fields = {"job_id": job.job_id, "flow_id": job.flow.flow_id, "reason": reason}
            LOG.info("job %s of flow %s left: %s", job.job_id, job.flow.flow_id, reason, extra=fields)

    @hookimpl
    def manager_closing(self) -> None:
        """Write no more."""
        if self._output is not None:
            output, self._output = self._output, None
            close_output(output)
