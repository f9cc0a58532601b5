"""Ctrl-C while `execute` runs, at many moments: real signals, in processes of their own."""

import json
import signal
import subprocess
import sys
import threading

import pytest

from routilux_core import Event, Flow, Job, JobManager, Routine, interrupt, routine, slot
from routilux_plugins.executors import sequential
from tests.architecture.source import ROOT
from tests.core.gate import WAIT


class Fan(Routine):
    output = Event("n")

    @slot
    def trigger(self, width):
        for n in range(width):
            self.emit("output", n=n)


class Last(Routine):
    def __init__(self, **options):
        super().__init__()
        self.define_slot("trigger", self.act, **options)

    def act(self, n):
        """Do nothing."""


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


@pytest.mark.parametrize("options", [{}, {"priority": 1}, {"concurrency": 1}])
def test_what_serves_a_job_may_be_broken_into_in_handlers_alone(options):
    """Each function of ours that the loop calls is marked. Control: `Serving._conclude` that is not."""
    called = set()

    def note(frame, event, _):
        if event == "call" and frame.f_back and frame.f_back.f_code is Job.serve.__code__:
            called.add(frame.f_code)

    flow = Flow()
    flow.add_routine(Fan(), "a")
    flow.add_routine(Last(**options), "b")
    flow.connect("a.output", "b.trigger")
    with JobManager(plugins=[sequential], discover=False) as manager:
        sys.setprofile(note)
        try:
            for width in (0, 1, 4):
                assert manager.execute(flow, "a", {"width": width}).status == "completed"
        finally:
            sys.setprofile(None)
    handlers = {Fan.trigger.__code__, Last.act.__code__}
    marked = interrupt._SHUT | interrupt._INNER  # noqa: SLF001 - there is no other way to ask
    assert called & marked
    found = {code.co_qualname for code in called - marked - handlers}
    assert found <= {"BoundSlot.arguments", "refuse_unfinished"}  # part of the call of a handler
