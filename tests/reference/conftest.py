"""What the examples share."""

import pytest

EXECUTORS = ["sequential"]
"""The examples that ask for concurrency run on each of these. `pooled` belongs here once it exists."""


@pytest.fixture(params=EXECUTORS)
def executor_name(request):
    """Name an executor for `execution_strategy`."""
    return request.param
