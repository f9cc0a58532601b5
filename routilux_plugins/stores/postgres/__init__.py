"""`postgres`: jobs in a PostgreSQL database, for processes of any number of hosts.

`postgresql://user:password@host:5432/database` is the database. Its tables are made on first use, in a
schema of their own. The time is the server's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from routilux_core import Registrar, hookimpl
from routilux_plugins.stores.postgres.settings import PostgresSettings

if TYPE_CHECKING:
    from routilux_core import Store, StoreURL


def open_postgres(url: StoreURL, settings: PostgresSettings) -> Store:
    """Keep jobs in a PostgreSQL database."""
    from routilux_plugins.stores.postgres.store import Postgres

    return Postgres(url, settings)


@hookimpl
def register_components(registrar: Registrar) -> None:
    """Offer the store for many hosts."""
    registrar.store("postgresql", open_postgres, settings=PostgresSettings, synonyms=("postgres",))
