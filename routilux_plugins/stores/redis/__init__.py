"""`redis`: jobs in a Redis server, for processes of any number of hosts.

`redis://user:password@host:6379/0` is the server and the number of its database; `rediss://` is encrypted.
The server has to keep what it is told (`appendonly yes`), or the URL says `?volatile=true`. The time is the
server's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from routilux_core import Registrar, hookimpl
from routilux_plugins.stores.redis.settings import RedisSettings

if TYPE_CHECKING:
    from routilux_core import Store, StoreURL


def open_redis(url: StoreURL, settings: RedisSettings) -> Store:
    """Keep jobs in a Redis server."""
    from routilux_plugins.stores.redis.store import RedisStore

    return RedisStore(url, settings)


@hookimpl
def register_components(registrar: Registrar) -> None:
    """Offer the store for many hosts."""
    registrar.store("redis", open_redis, settings=RedisSettings, synonyms=("rediss",))
