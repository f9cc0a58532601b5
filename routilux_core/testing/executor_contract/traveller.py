"""Handlers that show what crossing into another process makes of them."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from typing import Any

from routilux_core.function import routine


@routine
def echo(value: Any) -> dict[str, Any]:
    """Give back what came."""
    return {"value": value}


@routine
def give_a_lock() -> dict[str, Any]:
    """Give something that is of use in one process only."""
    return {"value": threading.Lock()}


@routine
def process_number(n: int) -> dict[str, int]:
    """Tell where it runs."""
    return {"n": n, "process_id": os.getpid()}


@routine
def kill_worker(n: int, bad: int, times: int, tester: int, calls: str) -> dict[str, int]:
    """End the process that it runs in, for one number, the first `times` times it is called with that."""
    if n == bad:
        if os.getpid() == tester:
            raise RuntimeError("it runs in the process of the test, and would end that")
        with Path(calls).open("a+", encoding="utf-8") as file:
            file.write("x")
            file.flush()
            file.seek(0)
            called = len(file.read())
        if called <= times:
            os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
    return {"n": n}
