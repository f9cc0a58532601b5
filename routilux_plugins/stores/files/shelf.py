"""Shelf: the logs of a folder's jobs, the last ones used held open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routilux_core import DamagedStore
from routilux_plugins.stores.files.log import Log, TornLog

if TYPE_CHECKING:
    from pathlib import Path

MOST_OPEN = 200
"""So many logs are kept open."""
LOG = ".log"


class Shelf:
    """Logs by the names of their files."""

    def __init__(self, store: str, folder: Path) -> None:
        self.store = store
        self.folder = folder
        self._open: dict[str, Log] = {}

    def path(self, name: str) -> Path:
        """Return where the log of that name stands."""
        return self.folder / (name + LOG)

    def log(self, name: str) -> Log:
        """Return the log of that name, open."""
        found = self._open.get(name)
        if found is not None:
            return found
        path = self.path(name)
        try:
            return self._keep(name, Log.open(self.store, path))
        except (FileNotFoundError, TornLog) as error:
            raise DamagedStore(self.store, "it is not there", str(path)) from error

    def make(self, name: str) -> Log:
        """Begin a log of that name; `FileExistsError` if there is one."""
        return self._keep(name, Log.make(self.store, self.path(name)))

    def remove(self, name: str) -> None:
        """Take a log away."""
        self.forget(name)
        self.path(name).unlink(missing_ok=True)

    def forget(self, name: str) -> None:
        """Have a log open no more: another process may have put another in its place."""
        log = self._open.pop(name, None)
        if log is not None:
            log.close()

    def forget_all(self) -> None:
        """Have none open."""
        for name in [*self._open]:
            self.forget(name)

    def _keep(self, name: str, log: Log) -> Log:
        self._open[name] = log
        if len(self._open) > MOST_OPEN:
            self.forget(next(iter(self._open)))
        return log
