"""What the tests of executors have in common: they count threads, so nobody else's may be there."""

import pytest

from routilux_core import get_job_manager


@pytest.fixture(autouse=True, scope="package")
def _no_threads_of_others():
    """End what other tests left to the manager of the process."""
    get_job_manager().shutdown()
