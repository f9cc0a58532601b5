"""`sqlite`: jobs in one file, with what the standard library brings.

`sqlite:///jobs.db` is a file of the working folder, `sqlite:////var/lib/jobs.db` an absolute one. Any number
of processes of one host may use it at once. A killed process harms nothing; what a loss of power may cost is
said by `?synchronous=`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from routilux_core import Registrar, hookimpl
from routilux_plugins.stores.sqlite.settings import SqliteSettings

if TYPE_CHECKING:
    from routilux_core import Store, StoreURL


def open_sqlite(url: StoreURL, settings: SqliteSettings) -> Store:
    """Keep jobs in a file of this host."""
    from routilux_plugins.stores.sqlite.store import Sqlite

    return Sqlite(url.path, settings)


@hookimpl
def register_components(registrar: Registrar) -> None:
    """Offer the store for one host."""
    registrar.store("sqlite", open_sqlite, settings=SqliteSettings)
