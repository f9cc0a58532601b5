"""The kit finds what it is for: it passes for a simple pool, and fails for the same pool with a bug."""

import os
import subprocess
import sys

import pytest

from routilux_core.testing import ExecutorContract
from tests.architecture.source import ROOT
from tests.contracts import planted_executors as planted


class TestPool(ExecutorContract):
    """The control of the controls: without a bug, everything passes."""

    def executor(self, workers):
        return planted.Pool(workers)


def contract(bugged, seconds):
    class Contract(ExecutorContract):
        patience = seconds

        def executor(self, workers):
            return bugged(workers)

    return Contract()


@pytest.mark.parametrize(
    ("bugged", "test", "error", "text"),
    [
        (planted.LosesOne, "ten_thousand_activations_are_all_completed", AssertionError, "has not ended"),
        (planted.LosesEffects, "ten_thousand_activations_are_all_completed", AssertionError, "are missing"),
        (planted.DoesTwice, "ten_thousand_activations_are_all_completed", AssertionError, "more than once"),
        (planted.CallsTwice, "each_activation_is_run_once", AssertionError, "more than once"),
        (
            planted.StartsAfterStop,
            "nothing_runs_after_a_shutdown",
            AssertionError,
            "called after the shutdown",
        ),
        (
            planted.MixesContexts,
            "handlers_of_two_jobs_see_their_own",
            AssertionError,
            "of one routine saw|keys",
        ),
        (planted.KeepsFailedEffects, "a_failed_attempt_has_no_effects", AssertionError, "it has emitted"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_planted_bug_is_found(bugged, test, error, text):
    # Only what is lost has to be waited for, and nothing of it comes.
    tested = contract(bugged, 2.0 if "not ended" in text else ExecutorContract.patience)
    try:
        with pytest.raises(error, match=text):
            getattr(tested, f"test_{test}")()
    finally:
        tested.teardown_class()


def test_pytest_reports_it(tmp_path):
    """A whole run, as an author has it: some tests fail, and the run says so."""
    (tmp_path / "test_it.py").write_text(
        "from routilux_core.testing import ExecutorContract\n"
        "from tests.contracts.planted_executors import KeepsFailedEffects\n"
        "class TestIt(ExecutorContract):\n"
        "    def executor(self, workers):\n"
        "        return KeepsFailedEffects(workers)\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-k", "failed or attempt or awaited", str(tmp_path)]
    environment = {**os.environ, "PYTEST_ADDOPTS": ""}
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, cwd=ROOT, timeout=50, env=environment
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "FAILED" in done.stdout
    assert "test_a_failed_attempt_has_no_effects" in done.stdout
    assert " passed" in done.stdout


def test_a_contract_without_an_executor_says_what_to_do():
    with pytest.raises(NotImplementedError, match="ExecutorContract needs `executor"):
        ExecutorContract().test_execute_returns_when_the_job_is_over()
