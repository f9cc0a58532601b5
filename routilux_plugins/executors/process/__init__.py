"""`process`: handlers that keep a processor busy run in worker processes.

The workers are started when there is work for them, up to `max_workers`, and stay for the next. Small
activations travel many at a time. A worker that dies is replaced, and what it had is run again.
"""

from __future__ import annotations

from routilux_core import Registrar, hookimpl
from routilux_plugins.executors.process.executor import Process, ProcessSettings

__all__ = ["Process", "ProcessSettings"]


@hookimpl
def register_components(registrar: Registrar) -> None:
    """Offer the executor for handlers that compute."""
    registrar.executor("process", Process, settings=ProcessSettings)
