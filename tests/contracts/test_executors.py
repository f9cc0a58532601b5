"""The executors of ours keep the contract."""

from routilux_core.testing import ExecutorContract
from routilux_plugins.executors.aio.executor import Asyncio
from routilux_plugins.executors.aio.settings import AsyncioSettings
from routilux_plugins.executors.pooled import Pooled, PooledSettings
from routilux_plugins.executors.process.executor import Process
from routilux_plugins.executors.process.settings import ProcessSettings
from routilux_plugins.executors.sequential import Sequential
from routilux_plugins.executors.threaded import Threaded, ThreadedSettings


class TestSequential(ExecutorContract):
    def executor(self, workers):
        return Sequential()


class TestThreaded(ExecutorContract):
    def executor(self, workers):
        return Threaded(ThreadedSettings(max_workers=workers))


class TestPooled(ExecutorContract):
    def executor(self, workers):
        return Pooled(PooledSettings(max_workers=workers))


class TestProcess(ExecutorContract):
    def executor(self, workers):
        return Process(ProcessSettings(max_workers=workers))


class TestAsyncio(ExecutorContract):
    def executor(self, workers):
        return Asyncio(AsyncioSettings(max_workers=workers))
