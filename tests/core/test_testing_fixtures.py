"""The pytest plugin, as an author's own test suite has it."""

import os
import subprocess
import sys

CONFTEST = """
from routilux_core.testing import run_slot  # an import before the plugin is named must not warn

pytest_plugins = ["routilux_core.testing"]
"""
ROUTINES = """
from routilux_core import routine

@routine
def double(value):
    "Twice the value."
    return {"value": 2 * value}
"""
SUITE = """
import pytest
from routilux_core import Flow, JobCompleted, PluginError, hookimpl
from routilux_core.testing import RoutineContract
from doubling import double


@pytest.fixture
def flow():
    made = Flow("flow")
    made.add_routine(double(), "double")
    return made


def test_flows_run_in_the_manager(manager, recorder, flow):
    state = flow.start("double", {"value": 4})
    recorder.wait_for(JobCompleted)
    assert recorder.emitted("double.output") == [{"value": 8}]
    assert state.job_id not in [job.job_id for job in manager.running_jobs]


def test_each_test_has_its_own(manager, recorder):
    assert recorder.facts == []


def test_no_setting_comes_from_outside(manager):
    assert manager.settings.max_ready == 1000


class TestOptions:
    @pytest.fixture
    def manager_options(self):
        return {"discover": False, "plugins": [self]}

    @hookimpl
    def check_flow(self, flow):
        raise ZeroDivisionError

    def test_options_choose_the_plugins(self, manager, flow):
        assert manager.registry.names("executor") == ()
        with pytest.raises(PluginError):
            flow.validate()


class TestDouble(RoutineContract):
    routine = double
    examples = {"trigger": [{"value": 4}]}
"""


def suite(tmp_path, text):
    for name, content in {"conftest": CONFTEST, "doubling": ROUTINES, "test_suite": text}.items():
        (tmp_path / f"{name}.py").write_text(content)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-W",
        "error",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        ".",
    ]
    environment = {**os.environ, "ROUTILUX_MAX_READY": "7", "PYTEST_ADDOPTS": ""}
    return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, env=environment)


def test_an_authors_suite_passes(tmp_path):
    done = suite(tmp_path, SUITE)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "14 passed" in done.stdout


def test_an_authors_wrong_test_fails(tmp_path):
    """The control: what does not hold is a failure, and says why."""
    done = suite(tmp_path, SUITE.replace('{"value": 4}]', '{"value": None}]'))

    assert done.returncode == 1
    assert "TypeError: unsupported operand" in done.stdout


def test_the_core_imports_no_pytest():
    code = "import sys, routilux_core, routilux_core.testing; assert 'pytest' not in sys.modules"

    subprocess.run([sys.executable, "-c", code], check=True)
