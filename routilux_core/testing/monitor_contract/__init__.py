"""MonitorContract: tests that every monitor should pass, whatever it does with what it sees."""

from routilux_core.testing.monitor_contract.contract import MonitorContract

__all__ = ["MonitorContract"]
