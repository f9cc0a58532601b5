"""What the examples share."""

from collections.abc import Iterator

import pytest

from routilux_core import JobManager
from routilux_plugins.executors import pooled, sequential

EXECUTORS = ["sequential", "pooled"]
"""The examples that ask for concurrency run on each of these."""


@pytest.fixture
def manager() -> Iterator[JobManager]:
    """A manager of the test's own, with both of them."""
    with JobManager(plugins=[sequential, pooled], discover=False) as made:
        yield made
        made.shutdown(wait=False)


@pytest.fixture(params=EXECUTORS)
def executor_name(request):
    """Name an executor for `execution_strategy`."""
    return request.param
