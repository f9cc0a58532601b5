"""Ctrl-C while `execute` runs, at many moments: real signals, in processes of their own."""

import json
import signal
import subprocess
import sys
import threading

import pytest

from routilux_core import Flow, JobManager, routine
from routilux_plugins.executors import sequential
from tests.architecture.source import ROOT
from tests.core.gate import WAIT

ROUNDS = {
    "stuck": 8,
    "busy": 8,
    "engine": 30,
    "watched": 12,
    "generator": 12,
    "async": 8,
    "retry": 8,
    "nested": 12,
    "waiting": 4,
}


@pytest.mark.parametrize("scene", ROUNDS)
def test_an_interrupt_ends_the_job_at_a_safe_point(scene):
    """A hundred in all: each raises within 2 s, cancels the job, and leaves what it broke into pending.

    Control: without the guard around the engine's own work (`Interrupts.guard` that does nothing) the scene
    `engine` soon loses its one activation, or hangs.
    """
    done = subprocess.run(
        [sys.executable, "-m", "tests.core.interrupted", scene, str(ROUNDS[scene]), "7"],
        capture_output=True,
        text=True,
        timeout=2 * WAIT,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    *rounds, after, usual = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rounds) == ROUNDS[scene]
    for found in rounds:
        assert (found["raised"], found["status"]) == ("KeyboardInterrupt", "cancelled")
        assert found["late"] < 2
        assert found["running"] == 0
        assert found["pending"] == ["a"]
        assert found["errors"] == (1 if scene == "retry" else 0)
        assert found["inner"] == ([["cancelled", 1]] if scene in {"nested", "waiting"} else [])
    assert (after, usual) == ("failed", "as usual")


def test_a_job_run_by_another_thread_leaves_the_signal_alone():
    before = signal.getsignal(signal.SIGINT)

    @routine
    def look():
        return {"same": signal.getsignal(signal.SIGINT) is before}

    states = []
    with JobManager(plugins=[sequential], discover=False) as manager:
        flow = Flow()
        flow.add_routine(look(), "a")
        runner = threading.Thread(target=lambda: states.append(manager.execute(flow, "a")))
        runner.start()
        runner.join(WAIT)
    assert states[0].results == {"a.output": [{"same": True}]}
    assert signal.getsignal(signal.SIGINT) is before


def test_the_signal_is_given_back_when_the_manager_closes():
    before = signal.getsignal(signal.SIGINT)
    with JobManager(plugins=[sequential], discover=False) as manager:
        flow = Flow()

        @routine
        def nothing():
            return None

        flow.add_routine(nothing(), "a")
        manager.execute(flow, "a")
    assert signal.getsignal(signal.SIGINT) is before


def test_a_programs_own_handler_is_left_alone():
    def own(number, frame):
        """Not called."""

    before = signal.signal(signal.SIGINT, own)
    try:
        with JobManager(plugins=[sequential], discover=False) as manager:
            flow = Flow()

            @routine
            def look():
                return {"own": signal.getsignal(signal.SIGINT) is own}

            flow.add_routine(look(), "a")
            assert manager.execute(flow, "a").results == {"a.output": [{"own": True}]}
        assert signal.getsignal(signal.SIGINT) is own
    finally:
        signal.signal(signal.SIGINT, before)
