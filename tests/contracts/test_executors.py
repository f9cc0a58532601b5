"""The executors of ours keep the contract."""

from routilux_core.testing import ExecutorContract
from routilux_plugins.executors.sequential import Sequential
from routilux_plugins.executors.threaded import Threaded, ThreadedSettings


class TestSequential(ExecutorContract):
    def executor(self, workers):
        return Sequential()


class TestThreaded(ExecutorContract):
    def executor(self, workers):
        return Threaded(ThreadedSettings(max_workers=workers))
