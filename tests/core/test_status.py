"""The moves of a status: which are allowed, which raise, and that a refused one changes nothing."""

import pytest

from routilux_core import ErrorHandler, ExecutionStatus, Flow, InvalidTransition, JobState, routine
from routilux_core.status import MOVES
from tests.core.gate import WAIT, Gate

FINAL = ("completed", "failed", "cancelled")


class Stage:
    """A flow with a job in any status that is asked for."""

    def __init__(self):
        self.gate = Gate()

        @routine
        def wait():
            self.gate.pass_through()

        @routine
        def fail():
            raise OSError("no disk")

        @routine
        def nothing():
            return None

        self.flow = Flow("flow")
        for made in (wait, fail, nothing):
            self.flow.add_routine(made(), made.__name__)

    def state(self, status):
        return getattr(self, status)()

    def pending(self):
        return JobState("flow")

    def running(self):
        state = self.flow.start("wait")
        self.gate.wait()
        return state

    def pausing(self):
        state = self.running()
        self.flow.pause(state, timeout=0.001)
        return state

    def paused(self):
        state = self.pausing()
        self.gate.open()
        assert self.flow.wait_for_completion(WAIT)
        return state

    def completed(self):
        return self.flow.execute("nothing")

    def failed(self):
        return self.flow.execute("fail")

    def cancelled(self):
        state = JobState("flow")
        self.flow.cancel(state)
        return state


@pytest.fixture
def stage(manager):
    made = Stage()
    with made.gate:
        yield made


def act(stage, state, move):
    actions = {
        "pause": lambda: stage.flow.pause(state, timeout=0.001),
        "resume": lambda: stage.flow.resume(state),
        "cancel": lambda: stage.flow.cancel(state),
        "start": lambda: stage.flow.start("wait", job_state=state),
        "fork": lambda: stage.flow.fork(state, start=False),
    }
    return actions[move]()


def test_each_stage_is_what_it_says(stage):
    for status in ("pending", "completed", "failed", "cancelled", "pausing"):
        assert stage.state(status).status == status


@pytest.mark.parametrize(
    ("status", "move", "reached"),
    [
        ("pending", "start", {"running"}),
        ("pending", "cancel", {"cancelled"}),
        ("running", "pause", {"pausing"}),
        ("running", "cancel", {"cancelled"}),
        ("pausing", "resume", {"running"}),
        ("pausing", "cancel", {"cancelled"}),
        ("paused", "resume", {"running", "completed"}),
        ("paused", "cancel", {"cancelled"}),
    ],
)
def test_an_allowed_move_is_made(stage, status, move, reached):
    state = stage.state(status)
    act(stage, state, move)
    assert state.status in reached


@pytest.mark.parametrize(
    ("status", "move"),
    [
        ("running", "resume"),
        ("pausing", "pause"),
        ("paused", "pause"),
        ("cancelled", "cancel"),
    ],
)
def test_asking_for_what_already_holds_is_no_error(stage, status, move):
    state = stage.state(status)
    before = len(state.facts)
    act(stage, state, move)
    assert state.status == status
    assert len(state.facts) == before


@pytest.mark.parametrize(
    ("status", "move"),
    [
        ("pending", "pause"),
        ("running", "start"),
        ("running", "fork"),
        ("pausing", "start"),
        ("pausing", "fork"),
        ("paused", "start"),
        *[(final, move) for final in FINAL for move in ("pause", "resume", "start")],
        ("completed", "cancel"),
        ("failed", "cancel"),
    ],
)
def test_a_forbidden_move_raises_and_changes_nothing(stage, status, move):
    state = stage.state(status)
    before = list(state.facts)
    with pytest.raises(InvalidTransition, match=status) as caught:
        act(stage, state, move)
    assert isinstance(caught.value, RuntimeError)
    assert state.status == status
    assert state.facts == before


def test_a_running_job_fails(stage):
    stage.flow.set_error_handler(ErrorHandler("stop"))
    assert stage.failed().status == "failed"


def test_a_pausing_job_fails_when_its_handler_does(manager):
    with Gate() as gate:

        @routine
        def fail():
            gate.pass_through()
            raise OSError("no disk")

        flow = Flow()
        flow.add_routine(fail(), "a")
        state = flow.start("a")
        gate.wait()
        flow.pause(state, timeout=0.001)
        assert state.status == "pausing"
        gate.open()
        assert flow.wait_for_completion(WAIT)
    assert state.status == "failed"


def test_the_words_are_equal_to_their_text():
    assert ExecutionStatus.COMPLETED == "completed"
    assert str(ExecutionStatus.COMPLETED) == "completed"
    assert f"{ExecutionStatus.PAUSING}" == "pausing"


def test_the_table_of_moves_is_the_one_promised():
    assert {str(old): sorted(map(str, new)) for old, new in MOVES.items()} == {
        "pending": ["cancelled", "failed", "running"],
        "running": ["cancelled", "completed", "failed", "paused", "pausing"],
        "pausing": ["cancelled", "failed", "paused", "running"],
        "paused": ["cancelled", "failed", "running"],
        "completed": [],
        "failed": [],
        "cancelled": [],
    }


def test_final_says_whether_anything_may_still_change():
    assert {str(status) for status in ExecutionStatus if status.final} == set(FINAL)
