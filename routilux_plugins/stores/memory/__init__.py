"""`memory`: jobs in the memory of this process, for tests and for trying out; they end with the process.

`memory://` is a store of its own. `memory://name` is the same one for all who name it in this process, as
long as one of them has it.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from routilux_core import Registrar, hookimpl

if TYPE_CHECKING:
    from routilux_core import Store, StoreURL
    from routilux_plugins.stores.memory.shelf import Shelf

_shelves: WeakValueDictionary[str, Shelf] = WeakValueDictionary()
_lock = threading.Lock()


def open_memory(url: StoreURL) -> Store:
    """Keep jobs in the memory of this process."""
    from routilux_plugins.stores.memory.shelf import Shelf
    from routilux_plugins.stores.memory.store import Memory

    name = url.place
    with _lock:
        shelf = Shelf()
        return Memory(_shelves.setdefault(name, shelf) if name else shelf, name)


@hookimpl
def register_components(registrar: Registrar) -> None:
    """Offer the store for tests."""
    registrar.store("memory", open_memory)
