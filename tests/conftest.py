"""What all tests share."""

from collections.abc import Iterator

import pytest

from routilux_core import JobManager
from routilux_core.testing.clock import ManualClock
from routilux_plugins.executors import sequential
from tests.servers.fixtures import postgres_server, postgres_url, redis_server, redis_url
from tests.side_by_side import (
    pytest_collection_modifyitems,
    pytest_runtest_makereport,
    pytest_terminal_summary,
    pytest_xdist_auto_num_workers,
    rest,
    tell,
)

__all__ = [
    "postgres_server",
    "postgres_url",
    "pytest_collection_modifyitems",
    "pytest_runtest_makereport",
    "pytest_terminal_summary",
    "pytest_xdist_auto_num_workers",
    "redis_server",
    "redis_url",
    "rest",
    "tell",
]


@pytest.fixture
def clock() -> ManualClock:
    """Time that passes when the test says so."""
    return ManualClock()


@pytest.fixture
def manager() -> Iterator[JobManager]:
    """A manager of the test's own, which flows use while the test runs."""
    with JobManager(plugins=[sequential], discover=False) as made:
        yield made
        made.shutdown(wait=False)


@pytest.fixture
def timed_manager(clock: ManualClock) -> Iterator[JobManager]:
    """A manager that lives by the test's clock."""
    with JobManager(plugins=[sequential], discover=False, clock=clock) as made:
        yield made
        made.shutdown(wait=False)
