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


def begin(folder, *arguments, **variables):
    """Start the example in a folder."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("ROUTILUX")}
    return subprocess.Popen(
        [sys.executable, "-W", "error", str(SCRIPT), *arguments],
        cwd=folder,
        env=clean | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def printed(program):
    """Return what it has printed."""
    stdout, stderr = program.communicate(timeout=50)
    assert (program.returncode, stderr) == (0, "")
    return stdout


def test_it_runs_on_the_default(tmp_path):
    assert printed(begin(tmp_path)) == f"{LINES}on sequential\n"


@pytest.mark.parametrize("name", EXECUTORS)
def test_the_environment_or_a_file_chooses(tmp_path, name):
    (tmp_path / "file").mkdir()
    (tmp_path / "file" / "routilux.toml").write_text(f'executor = "{name}"\n', encoding="utf-8")
    programs = begin(tmp_path, ROUTILUX_EXECUTOR=name), begin(tmp_path / "file")
    assert [printed(one) for one in programs] == [f"{LINES}on {name}\n"] * 2


@pytest.mark.parametrize("option", ["--executor", "--strategy"])
def test_the_call_and_the_flow_choose_whatever_the_environment_says(tmp_path, option):
    expected = "".join(f"{LINES}on {name}\n" for name in EXECUTORS)
    assert printed(begin(tmp_path, option, *EXECUTORS, ROUTILUX_EXECUTOR="threaded")) == expected
