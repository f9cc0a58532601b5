"""A sheet: a file of one frame, replaced as a whole: a snapshot, or the document of a flow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routilux_core import DamagedStore
from routilux_plugins.stores.files.disk import replace
from routilux_plugins.stores.files.frame import pack, read_frame

if TYPE_CHECKING:
    from pathlib import Path

    from routilux_plugins.stores.files.frame import Frame, Meta


def write_sheet(path: Path, meta: Meta, content: bytes) -> None:
    """Put it on the disk, whole or not at all."""
    replace(path, [pack(meta, content, 0, 0)])


def read_sheet(store: str, path: Path) -> Frame:
    """Return what it says; `DamagedStore` if that is not what was written."""
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            frame = read_frame(file, 0, size, 0)
    except FileNotFoundError as error:
        raise DamagedStore(store, "it is not there", str(path)) from error
    if frame is None or frame.end != size:
        raise DamagedStore(store, "its checksum does not fit", f"{path} at offset 0")
    return frame
