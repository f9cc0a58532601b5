"""ExecutorContract: tests that every executor should pass."""

from __future__ import annotations

from routilux_core.testing.executor_contract.context import ContextTests
from routilux_core.testing.executor_contract.death import DeathTests
from routilux_core.testing.executor_contract.ending import EndingTests
from routilux_core.testing.executor_contract.failure import FailureTests
from routilux_core.testing.executor_contract.limit import LimitTests
from routilux_core.testing.executor_contract.result import ResultTests
from routilux_core.testing.executor_contract.steering import SteeringTests
from routilux_core.testing.executor_contract.time_limit import TimeLimitTests
from routilux_core.testing.executor_contract.travel import TravelTests
from routilux_core.testing.executor_contract.waiting import WaitingTests


class ExecutorContract(
    ResultTests,
    FailureTests,
    ContextTests,
    WaitingTests,
    SteeringTests,
    TimeLimitTests,
    LimitTests,
    TravelTests,
    DeathTests,
    EndingTests,
):
    """Ready tests of one executor, for pytest. Subclass it and say how the executor is made.

    ```
    class TestPool(ExecutorContract):
        def executor(self, workers):
            return Pool(workers)
    ```

    What an executor is asked for goes by its `traits`. A test of what it does not claim to do is skipped.
    """
