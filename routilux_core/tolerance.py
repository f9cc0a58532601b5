"""Tolerance: a plugin's hook may raise without harm, and the log says so once for each job."""

from __future__ import annotations

import logging
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

log = logging.getLogger("routilux.plugins")


class Tolerance:
    """Swallows what one hook of a plugin raises in one job, and logs the first of it with the plugin's name.

    It may be entered from several threads at once.
    """

    __slots__ = ("_hook", "_job_id", "_name", "_times")

    def __init__(self, name: str, hook: str, job_id: str) -> None:
        self._name = name
        self._hook = hook
        self._job_id = job_id
        self._times = count()
        """How often it has raised; of several threads that ask at once, one is the first."""

    def __enter__(self) -> None:
        """Begin to call the hook."""

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> bool:
        if not isinstance(error, Exception):
            return False
        if next(self._times) == 0:
            text = "plugin %r raised in %s for job %s; should it raise again, that is not logged"
            log.error(text, self._name, self._hook, self._job_id, exc_info=error)
        return True
