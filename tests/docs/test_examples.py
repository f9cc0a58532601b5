"""Every example is a whole program: it runs by itself, warns of nothing and prints something."""

import subprocess
import sys

import pytest

from tests.architecture.source import ROOT

EXAMPLES = sorted((ROOT / "docs" / "examples").rglob("*.py"))


def run(path, cwd):
    command = [sys.executable, "-W", "error", str(path)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=50, check=False)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs_by_itself(path, tmp_path):
    done = run(path, tmp_path)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip()


def test_the_first_flow_counts_the_words(tmp_path):
    done = run(ROOT / "docs" / "examples" / "first_flow.py", tmp_path)

    *counts, kept = done.stdout.splitlines()
    assert counts == ["word_count: completed, 23 words", "   6  the", "   3  owl", "   3  moon"]
    assert kept.endswith("in sqlite:///.routilux/jobs.db, which has 1 of this flow.")
    assert (tmp_path / ".routilux" / "jobs.db").exists()
