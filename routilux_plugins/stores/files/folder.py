"""Folder: the place on the disk, and one transaction on it at a time."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from attrs import evolve

from routilux_core import DamagedStore, NewerStore, RoutiluxError, StoreError
from routilux_plugins.stores.files.disk import refuse, replace
from routilux_plugins.stores.files.index import Index
from routilux_plugins.stores.files.lock import FolderLock
from routilux_plugins.stores.files.repair import repair
from routilux_plugins.stores.files.shelf import Shelf
from routilux_plugins.stores.files.transaction import Transaction

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from routilux_plugins.stores.files.settings import FilesSettings

SCHEMA = 1
_FORMAT = b"routilux jobs\n"
_FIRST = {"lock", "present", "format.new"}
"""What whoever was killed as the first has left."""


class Folder:
    """Jobs and flows of one folder, for one thread of one process at a time."""

    def __init__(self, path: Path, settings: FilesSettings) -> None:
        self.name = str(path)
        self.jobs = path / "jobs"
        self.flows = path / "flows"
        self.full = settings.synchronous == "full"
        self._process = os.getpid()
        self._closed = False
        self._thread = threading.Lock()
        self.shelf = Shelf(self.name, self.jobs)
        try:
            _refuse_strangers(path)
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.lock = FolderLock(self.name, path, settings.timeout)
        except OSError as error:
            _explain(self.name, error)
        self.index = Index(self.name, path / "index", self.shelf)
        try:
            self._enter(path)
        except BaseException as error:
            self.index.forget()
            self.lock.close()
            if isinstance(error, OSError):
                _explain(self.name, error)
            raise

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Have the folder for oneself: what is written then is there whole, or not at all."""
        with self._thread:
            self._check()
            try:
                with self.lock.held():
                    self._follow()
                    transaction = Transaction(self)
                    try:
                        yield transaction
                        transaction.finish()
                    except BaseException:
                        transaction.undo()
                        raise
                    transaction.clean()
            except OSError as error:
                _explain(self.name, error)

    def close(self) -> None:
        """Let go of all files, when nobody is in the midst of something."""
        with self._thread:
            if self._closed:
                return
            self._closed = True
            self.index.forget()
            self.lock.close()

    def _enter(self, path: Path) -> None:
        with self.lock.held():
            _check_format(self.name, path / "format")
            for one in (self.jobs, self.flows):
                one.mkdir(mode=0o700, exist_ok=True)
            if self.lock.enter():
                self._repair()

    def _follow(self) -> None:
        stamp = self.lock.stamp()
        if not stamp.torn:
            with suppress(DamagedStore):
                self.index.follow(stamp)
                return
        self._repair()

    def _repair(self) -> None:
        stamp = self.lock.stamp()
        self.lock.set_stamp(evolve(stamp, torn=True))
        self.lock.set_stamp(repair(self.index, self.jobs, stamp.generation))

    def _check(self) -> None:
        if self._closed:
            raise StoreError(self.name, "it is closed; open it again")
        if self._process != os.getpid():
            raise StoreError(self.name, "it was opened by another process; open it again in this one")


def _refuse_strangers(path: Path) -> None:
    if path.exists() and not path.is_dir():
        raise StoreError(str(path), "it is no folder; choose another name")
    found = {one.name for one in path.iterdir()} if path.exists() else set()
    if "format" not in found and not found <= _FIRST:
        raise StoreError(str(path), "it holds files of another program; choose another folder")


def _check_format(store: str, path: Path) -> None:
    try:
        found = path.read_bytes()
    except FileNotFoundError:
        replace(path, [_FORMAT, b"%d\n" % SCHEMA])
        return
    number = found.removeprefix(_FORMAT).strip()
    if not found.startswith(_FORMAT) or not number.isdigit():
        raise DamagedStore(store, "it does not say what the folder is", str(path))
    if int(number) > SCHEMA:
        reason = f"it was written by a later version, with schema {int(number)}"
        raise NewerStore(store, reason, int(number), SCHEMA)


def _explain(store: str, error: OSError) -> None:
    if isinstance(error, RoutiluxError):
        raise error
    refuse(store, error)
