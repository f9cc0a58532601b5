"""`asyncio`: async handlers by the thousand on one event loop, the others beside them in a few threads.

A job that `execute_async` runs has its async handlers on the event loop of the caller, so they may use what
was made there: sessions, locks, queues. All other jobs share a loop in a thread of the executor's own.
"""

from __future__ import annotations

from routilux_core import Registrar, hookimpl
from routilux_plugins.executors.aio.executor import Asyncio, AsyncioSettings

__all__ = ["Asyncio", "AsyncioSettings"]


@hookimpl
def register_components(registrar: Registrar) -> None:
    """Offer the executor for flows whose handlers await something."""
    registrar.executor("asyncio", Asyncio, settings=AsyncioSettings)
