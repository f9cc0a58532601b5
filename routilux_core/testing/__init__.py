"""What authors of routines, executors and monitors test with.

In a conftest.py, `pytest_plugins = ["routilux_core.testing"]` gives the fixtures `manager` and `recorder`.

A conftest.py may import from here before it names the plugin, so pytest is told: PYTEST_DONT_REWRITE.
"""

from routilux_core.testing.clock import ManualClock
from routilux_core.testing.executor_contract import ExecutorContract
from routilux_core.testing.monitor_contract import MonitorContract
from routilux_core.testing.recorder import Recorder
from routilux_core.testing.routine_contract import RoutineContract
from routilux_core.testing.slot_run import SlotRun, run_slot
from routilux_core.testing.store_contract import StoreContract

__all__ = [
    "ExecutorContract",
    "ManualClock",
    "MonitorContract",
    "Recorder",
    "RoutineContract",
    "SlotRun",
    "StoreContract",
    "run_slot",
]

pytest_plugins = ("routilux_core.testing.fixtures",)
