"""Post: an event from outside, into a running, a paused and an ended job."""

import pytest

from routilux_core import (
    Event,
    Flow,
    InvalidTransition,
    Routine,
    UnknownJob,
    UnknownRoutine,
    UnknownSlot,
    batch,
    get_execution_context,
    routine,
    slot,
)
from tests.core.gate import WAIT, Gate


@routine
def keep(n):
    return {"n": n}


class Waiting(Routine):
    def __init__(self, gate):
        super().__init__()
        self.gate = gate
        self.define_slot("trigger", self.gate.pass_through)
        self.define_slot("other", self.take)
        self.define_event("out")

    def take(self, n):
        context = get_execution_context()
        self.emit("out", n=n, key=context.idempotency_key)


def waiting(gate):
    flow = Flow("flow")
    flow.add_routine(Waiting(gate), "a")
    flow.add_routine(keep(), "b")
    return flow


def test_a_running_job_takes_it_at_once(manager):
    with Gate() as gate:
        flow = waiting(gate)
        state = flow.start("a")
        gate.wait()
        job = manager.get_job(state.job_id)
        job.post("b", n=1)
        job.post("a", "other", n=2)
        manager.post(state.job_id, "b", n=3)
        assert [task.routine_id for task in state.pending_tasks] == ["a", "b", "a", "b"]
        gate.open()
        assert flow.wait_for_completion(WAIT)
    assert state.results["b.output"] == [{"n": 1}, {"n": 3}]
    assert state.results["a.out"][0]["n"] == 2


def test_each_post_has_an_idempotency_key_of_its_own(manager):
    with Gate() as gate:
        flow = waiting(gate)
        state = flow.start("a")
        gate.wait()
        for _ in range(2):
            manager.post(state.job_id, "a", "other", n=1)
        gate.open()
        assert flow.wait_for_completion(WAIT)
    first, second = (payload["key"] for payload in state.results["a.out"])
    assert first != second


def test_a_paused_job_takes_it_up_when_it_is_resumed(manager):
    with Gate() as gate:
        flow = waiting(gate)
        state = flow.start("a")
        gate.wait()
        job = manager.get_job(state.job_id)
        flow.pause(state, timeout=0.001)
        gate.open()
        assert flow.wait_for_completion(WAIT)
        assert state.status == "paused"
        job.post("b", n=1)
        assert [task.data for task in state.pending_tasks] == [{"n": 1}]
        assert state.results == {}
        flow.resume(state)
        assert flow.wait_for_completion(WAIT)
    assert state.results == {"b.output": [{"n": 1}]}


def test_a_final_job_refuses_it(manager):
    with Gate() as gate:
        flow = waiting(gate)
        state = flow.start("a")
        gate.wait()
        job = manager.get_job(state.job_id)
        gate.open()
        assert job.wait(WAIT)
    before = len(state.facts)
    with pytest.raises(InvalidTransition, match="completed"):
        job.post("b", n=1)
    assert len(state.facts) == before
    assert state.pending_tasks == []


def test_a_handler_may_post_to_its_own_job(manager):
    @routine
    def post():
        get_execution_context().job.post("b", n=5)

    flow = Flow()
    flow.add_routine(post(), "a")
    flow.add_routine(keep(), "b")
    assert flow.execute("a").results == {"b.output": [{"n": 5}]}


def test_unknown_targets_are_refused_with_what_there_is(manager):
    with Gate() as gate:
        state = waiting(gate).start("a")
        gate.wait()
        job = manager.get_job(state.job_id)
        with pytest.raises(UnknownRoutine, match="a, b"):
            job.post("c")
        with pytest.raises(UnknownSlot, match="other"):
            job.post("a", "othr")
        assert len(state.pending_tasks) == 1


def test_a_posted_event_passes_policy_and_merging(manager):
    seen = []

    class Gathering(Routine):
        def __init__(self):
            super().__init__()
            self.define_slot("trigger", self.act, when=batch(2))

        def act(self, n):
            seen.append(n)

    with Gate() as gate:
        flow = waiting(gate)
        flow.add_routine(Gathering(), "c")
        state = flow.start("a")
        gate.wait()
        for n in range(3):
            manager.post(state.job_id, "c", n=n)
        gate.open()
        assert flow.wait_for_completion(WAIT)
    assert seen == [[0, 1], [2]]


def test_a_paused_job_is_reached_by_its_id(manager):
    """By post, resume and cancel, for as long as somebody holds its state."""
    flow = Flow("greeting")
    flow.add_routine(Asker(), "ask")
    state = flow.execute("ask", {"text": "who"})

    manager.post(state.job_id, "ask", "answer", text="me")
    manager.resume(state.job_id)

    assert flow.wait_for_completion(20.0)
    assert state.status == "completed"
    assert state.results["ask.output"] == [{"text": "me"}]
    with pytest.raises(UnknownJob, match="running or paused"):
        manager.cancel(state.job_id)


class Asker(Routine):
    """Pauses its job until it is answered."""

    output = Event("text")

    @slot
    def trigger(self, text: str) -> None:
        context = self.get_execution_context()
        assert context is not None
        context.flow.pause(context.job_state, reason=text)

    @slot
    def answer(self, text: str) -> None:
        self.emit("output", text=text)
