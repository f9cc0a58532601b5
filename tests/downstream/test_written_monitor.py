"""The how-to, followed to the letter: a monitor of a few lines, as a package, switched on with one line."""

import re
import subprocess
import sys

import pytest

from tests.architecture.source import ROOT

pytestmark = pytest.mark.slow

PAGE = (ROOT / "docs" / "how-to" / "write-a-monitor.md").read_text("utf-8")

PROGRAM = """
import json
from routilux_core import Flow, JobManager, routine

@routine
def wait(n):
    sum(range(n))

flow = Flow("waiting")
flow.add_routine(wait(), "wait")
with JobManager() as manager:
    for n in (10, 1_000_000, 10):
        flow.execute("wait", {"n": n})
    found = {name: [monitor.name, monitor.seconds] for name, monitor in manager.monitors.items()}
    loaded = [one for one in manager.plugins if one.name == "slowest"]
    plugin = [[one.distribution, one.version, str(one.status)] for one in loaded]
print(json.dumps({"monitors": found, "plugin": plugin}))
"""


def blocks(language):
    return re.findall(rf"(?s)```{language}\n(.*?)```", PAGE)


@pytest.fixture(scope="module")
def installed(environment, tmp_path_factory):
    """The package of the page, built and installed as it says."""
    folder = tmp_path_factory.mktemp("routilux-slowest")
    (folder / "slowest.py").write_text(blocks("python")[0])
    (project,) = [text for text in blocks("toml") if "[build-system]" in text]
    (folder / "pyproject.toml").write_text(project)
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist")]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    environment.install(*(folder / "dist").glob("*.whl"))
    return environment


def test_it_has_less_than_15_lines():
    lines = [line for line in blocks("python")[0].splitlines() if line.strip()]

    assert len(lines) < 15, len(lines)


def test_a_variable_switches_it_on(installed):
    said = installed.tell(PROGRAM, ROUTILUX_MONITORS="slowest")

    assert said["plugin"] == [["routilux-slowest", "1.0", "loaded"]]
    name, seconds = said["monitors"]["slowest"]
    assert name == "wait.trigger"
    assert seconds > 0.001


def test_a_line_in_a_file_switches_it_on(installed, tmp_path):
    (line,) = [text for text in blocks("toml") if text.startswith("monitors")]
    (tmp_path / "routilux.toml").write_text(line)

    assert list(installed.tell(PROGRAM, folder=tmp_path)["monitors"]) == ["slowest"]


def test_without_that_line_it_is_off(installed, tmp_path):
    """The control."""
    assert installed.tell(PROGRAM, folder=tmp_path)["monitors"] == {}


def test_its_tests_on_the_page_are_those_of_the_contract():
    assert any("class TestSlowest(MonitorContract):" in block for block in blocks("python"))
