"""`process`: handlers that keep a processor busy run in worker processes.

The workers are started when there is work for them, up to `max_workers`, and stay for the next. Small
activations travel many at a time. A worker that dies is replaced, and what it had is run again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from routilux_core import Registrar, hookimpl
from routilux_plugins.executors.process.settings import ProcessSettings

if TYPE_CHECKING:
    from routilux_core import Executor


def make_process(settings: ProcessSettings) -> Executor:
    """Return the executor, whose libraries are not loaded before."""
    from routilux_plugins.executors.process.executor import Process

    return Process(settings)


@hookimpl
def register_components(registrar: Registrar) -> None:
    """Offer the executor for handlers that compute."""
    registrar.executor("process", make_process, settings=ProcessSettings)
