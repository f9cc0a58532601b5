"""`file`: jobs in a folder of small files, which need nothing but a disk.

`file:///jobs` is a folder of the working folder, `file:////var/lib/jobs` an absolute one. Any number of
processes of one host may use it at once. A killed process harms nothing; what a loss of power may cost is
said by `?synchronous=`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from routilux_core import Registrar, hookimpl
from routilux_plugins.stores.files.settings import FilesSettings

if TYPE_CHECKING:
    from routilux_core import Store, StoreURL


def open_files(url: StoreURL, settings: FilesSettings) -> Store:
    """Keep jobs in a folder of this host."""
    from routilux_plugins.stores.files.store import Files

    return Files(url.path, settings)


@hookimpl
def register_components(registrar: Registrar) -> None:
    """Offer the store that is a folder."""
    registrar.store("file", open_files, settings=FilesSettings)
