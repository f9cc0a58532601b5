"""The example that runs on any executor gives equal results on each, however the executor is chosen."""

import os
import subprocess
import sys

import pytest

from tests.architecture.source import ROOT

SCRIPT = ROOT / "docs" / "examples" / "swap_executor.py"
EXECUTORS = ["sequential", "threaded", "pooled", "process", "asyncio"]
LINES = """\
   95 primes from 0 to 499
   73 primes from 500 to 999
   71 primes from 1000 to 1499
   64 primes from 1500 to 1999
   64 primes from 2000 to 2499
   63 primes from 2500 to 2999
   59 primes from 3000 to 3499
   61 primes from 3500 to 3999
  550 primes in all
"""


def printed(folder, *arguments, **variables):
    """Run the example in a folder of its own, and return what it has printed."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("ROUTILUX")}
    done = subprocess.run(
        [sys.executable, "-W", "error", str(SCRIPT), *arguments],
        cwd=folder,
        env=clean | variables,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_it_runs_on_the_default(tmp_path):
    assert printed(tmp_path) == f"{LINES}on sequential\n"


@pytest.mark.parametrize("name", EXECUTORS)
def test_the_environment_chooses(tmp_path, name):
    assert printed(tmp_path, ROUTILUX_EXECUTOR=name) == f"{LINES}on {name}\n"


@pytest.mark.parametrize("name", EXECUTORS)
def test_a_file_chooses(tmp_path, name):
    (tmp_path / "routilux.toml").write_text(f'executor = "{name}"\n', encoding="utf-8")
    assert printed(tmp_path) == f"{LINES}on {name}\n"


@pytest.mark.parametrize("option", ["--executor", "--strategy"])
def test_the_call_and_the_flow_choose_whatever_the_environment_says(tmp_path, option):
    expected = "".join(f"{LINES}on {name}\n" for name in EXECUTORS)
    assert printed(tmp_path, option, *EXECUTORS, ROUTILUX_EXECUTOR="threaded") == expected
