"""What is asked of the disk: that it has something, and that a file is there whole or not at all."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

from routilux_core import StoreError

try:
    import fcntl
except ImportError:  # no locks either, which is said when a folder is opened
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

NEW = ".new"
"""How the name of a file ends that is not yet whole."""
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}


def sync(descriptor: int) -> None:
    """Wait until the disk has what was written."""
    full = getattr(fcntl, "F_FULLFSYNC", None)
    if full is None:
        os.fsync(descriptor)
    else:  # there fsync only hands it to the disk
        fcntl.fcntl(descriptor, full)


def sync_folder(path: Path) -> None:
    """Wait until the disk has the names of the files of a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        sync(descriptor)
    finally:
        os.close(descriptor)


def replace(path: Path, parts: Iterable[bytes]) -> None:
    """Put a file there that is private to its owner: whole, or not at all, whatever happens."""
    new = path.with_name(path.name + NEW)
    try:
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.writelines(parts)
            file.flush()
            sync(descriptor)
        new.replace(path)
    except BaseException:
        with suppress(OSError):
            new.unlink()
        raise
    sync_folder(path.parent)


def refuse(store: str, error: OSError) -> NoReturn:
    """Raise what an error of the disk means to those who use the store."""
    what = f"{error.strerror}: {error.filename}" if error.filename else str(error.strerror or error)
    if error.errno in _FULL:
        what = "the disk is full; make room, and nothing that was kept is lost"
    elif error.errno in _FORBIDDEN:
        what = f"{error.filename or 'it'} cannot be written; give this user the right to"
    raise StoreError(store, what) from error
