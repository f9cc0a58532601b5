"""MonitorContract: tests that every monitor should pass."""

from __future__ import annotations

from routilux_core.testing.monitor_contract.ending import EndTests
from routilux_core.testing.monitor_contract.watching import WatchTests


class MonitorContract(WatchTests, EndTests):
    """Ready tests of one monitor, for pytest. Subclass it and give one fixture.

    `monitor` is a monitor, made anew for each test: an object, or a function of `(job, fact)`.

    ```
    class TestCounter(MonitorContract):
        @pytest.fixture
        def monitor(self):
            return Counter()
    ```
    """
