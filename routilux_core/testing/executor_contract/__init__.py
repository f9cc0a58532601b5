"""The ready tests of executors, one file for each subject; `ExecutorContract` is all of them."""

from routilux_core.testing.executor_contract.contract import ExecutorContract

__all__ = ["ExecutorContract"]
