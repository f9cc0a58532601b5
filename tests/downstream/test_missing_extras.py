"""Plugins whose libraries are not installed say which extra brings them."""

import pytest

pytestmark = pytest.mark.slow

OPEN = """
import sys

from routilux_core import JobManager, Settings
from routilux_core.errors import RoutiluxError
from routilux_core.stores import open_store

with JobManager() as manager:
    try:
        open_store(sys.argv[1], manager.registry, Settings())
    except RoutiluxError as error:
        print(error)
"""


@pytest.mark.parametrize(
    ("url", "extra"),
    [
        ("postgresql://ann:hush@127.0.0.1/jobs", "postgres"),
        ("redis://:hush@127.0.0.1/0", "redis"),
        ("rediss://:hush@127.0.0.1/0", "redis"),
    ],
)
def test_a_missing_library_is_said_with_what_brings_it(environment, url, extra):
    said = environment.run(OPEN, url)

    assert f"pip install 'routilux-core[{extra}]'" in said
    assert "hush" not in said


WATCH = """
import sys

from routilux_core import JobManager
from routilux_core.errors import RoutiluxError

try:
    JobManager(settings={"monitors": [sys.argv[1]]})
except RoutiluxError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("name", "extra"), [("progress", "cli"), ("prometheus", "prometheus"), ("opentelemetry", "opentelemetry")]
)
def test_a_monitor_says_so_too(environment, name, extra):
    said = environment.run(WATCH, name)

    assert f"monitor '{name}' needs the module" in said
    assert f"pip install 'routilux-core[{extra}]'" in said


@pytest.mark.parametrize("name", ["tracker", "logging", "jsonl", "breakpoints"])
def test_the_other_monitors_need_none(environment, name):
    assert environment.run(WATCH, name) == ""
