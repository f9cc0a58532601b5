"""`asyncio`: async handlers by the thousand on one event loop, the others beside them in a few threads.

A job that `execute_async` runs has its async handlers on the event loop of the caller, so they may use what
was made there: sessions, locks, queues. All other jobs share a loop in a thread of the executor's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from routilux_core import Registrar, hookimpl
from routilux_plugins.executors.aio.settings import AsyncioSettings

if TYPE_CHECKING:
    from routilux_core import Executor


def make_asyncio(settings: AsyncioSettings) -> Executor:
    """Return the executor, whose libraries are not loaded before."""
    from routilux_plugins.executors.aio.executor import Asyncio

    return Asyncio(settings)


@hookimpl
def register_components(registrar: Registrar) -> None:
    """Offer the executor for flows whose handlers await something."""
    registrar.executor("asyncio", make_asyncio, settings=AsyncioSettings)
