"""Fork: a new job from what another one had not done."""

import pytest

from routilux_core import Flow, FlowMismatch, Routine, get_execution_context, routine
from tests.core.gate import WAIT


class Keys:
    """A flow whose last step fails until it is told otherwise, and the keys that it saw."""

    def __init__(self):
        self.keys = []
        self.attempts = []
        self.works = False

        @routine
        def first(n):
            get_execution_context().job_state.update_shared_data("first", n)
            return {"n": n + 1}

        @routine
        def last(n):
            context = get_execution_context()
            self.keys.append(context.idempotency_key)
            self.attempts.append(context.attempt)
            if not self.works:
                raise OSError("no disk")
            return {"n": n + 1}

        self.flow = Flow("flow")
        self.flow.add_routine(first(), "first")
        self.flow.add_routine(last(), "last")
        self.flow.connect("first.output", "last.trigger")


@pytest.fixture
def stage(manager):
    return Keys()


def test_a_fork_runs_the_failed_activations_again(stage):
    failed = stage.flow.execute("first", {"n": 1})
    assert failed.status == "failed"
    stage.works = True
    fork = stage.flow.fork(failed)
    assert stage.flow.wait_for_completion(WAIT)
    assert fork.status == "completed"
    assert fork.results == {"last.output": [{"n": 3}]}
    assert fork.get_shared_data("first") == 1


def test_a_fork_leaves_its_origin_alone(stage):
    failed = stage.flow.execute("first", {"n": 1})
    before, pending = list(failed.facts), len(failed.pending_tasks)
    stage.works = True
    fork = stage.flow.fork(failed)
    assert stage.flow.wait_for_completion(WAIT)
    fork.append_to_shared_log("mine")
    fork.update_routine_state("first", {"mine": 1})
    assert failed.status == "failed"
    assert failed.facts == before
    assert len(failed.pending_tasks) == pending == 1
    assert failed.shared_log == []
    assert "mine" not in failed.get_routine_state("first")


def test_a_fork_says_where_it_comes_from(stage):
    failed = stage.flow.execute("first", {"n": 1}, metadata={"who": "me"})
    fork = stage.flow.fork(failed, start=False)
    assert fork.metadata == {"who": "me", "forked_from": failed.job_id}
    assert fork.job_id != failed.job_id
    assert fork.flow_id == "flow"


def test_a_fork_keeps_the_idempotency_keys_and_counts_attempts_anew(stage):
    failed = stage.flow.execute("first", {"n": 1})
    stage.flow.fork(failed)
    assert stage.flow.wait_for_completion(WAIT)
    again = stage.flow.fork(failed)
    assert stage.flow.wait_for_completion(WAIT)
    stage.flow.fork(again)
    assert stage.flow.wait_for_completion(WAIT)
    assert len(stage.keys) == 4
    assert len(set(stage.keys)) == 1
    assert stage.attempts == [1, 1, 1, 1]


def test_a_fork_may_be_started_later(stage):
    failed = stage.flow.execute("first", {"n": 1})
    fork = stage.flow.fork(failed, start=False)
    assert fork.status == "pending"
    assert [task.routine_id for task in fork.pending_tasks] == ["last"]
    assert len(stage.keys) == 1
    stage.works = True
    stage.flow.resume(fork)
    assert stage.flow.wait_for_completion(WAIT)
    assert fork.status == "completed"


def test_a_fork_that_was_not_started_can_be_forked(stage):
    failed = stage.flow.execute("first", {"n": 1})
    fork = stage.flow.fork(stage.flow.fork(failed, start=False), start=False)
    assert [task.routine_id for task in fork.pending_tasks] == ["last"]


def test_a_completed_job_gives_a_fork_with_nothing_to_do(stage):
    stage.works = True
    fork = stage.flow.fork(stage.flow.execute("first", {"n": 1}))
    assert stage.flow.wait_for_completion(WAIT)
    assert fork.status == "completed"
    assert fork.execution_history == []


def test_a_cancelled_job_can_be_forked_with_what_it_had_interrupted(manager):
    cancels = []

    class Cancelling(Routine):
        def __init__(self):
            super().__init__()
            self.define_slot("trigger", self.act)
            self.define_event("out")

        def act(self):
            if not cancels:
                cancels.append(1)
                get_execution_context().job.cancel()
            self.emit("out", n=1)

    flow = Flow()
    flow.add_routine(Cancelling(), "a")
    state = flow.execute("a")
    assert state.status == "cancelled"
    fork = flow.fork(state)
    assert flow.wait_for_completion(WAIT)
    assert fork.results == {"a.out": [{"n": 1}]}


def test_a_paused_job_can_be_forked_and_both_go_on(manager):
    @routine
    def pause():
        get_execution_context().job.pause()
        return {"n": 1}

    @routine
    def keep(n):
        return {"n": n}

    flow = Flow()
    flow.add_routine(pause(), "a")
    flow.add_routine(keep(), "b")
    flow.connect("a.output", "b.trigger")
    state = flow.execute("a")
    fork = flow.fork(state)
    flow.resume(state)
    assert flow.wait_for_completion(WAIT)
    assert state.results == fork.results == {"b.output": [{"n": 1}]}


def test_what_gathered_in_slots_is_the_forks_own(manager):
    seen = []

    class Gathering(Routine):
        def __init__(self):
            super().__init__()
            self.define_slot("trigger", self.act, merge_strategy="append")

        def act(self, n):
            seen.append(n)
            if len(n) == 2:
                get_execution_context().job.pause()

    @routine
    def three():
        yield from range(3)

    flow = Flow()
    flow.add_routine(three(), "a")
    flow.add_routine(Gathering(), "b")
    flow.connect("a.output", "b.trigger", param_mapping={"result": "n"})
    state = flow.execute("a")
    assert state.status == "paused"
    before = len(seen)
    flow.fork(state)
    assert flow.wait_for_completion(WAIT)
    first = seen[before:]
    flow.resume(state)
    assert flow.wait_for_completion(WAIT)
    assert seen[before + len(first) :] == first


def test_a_state_of_another_flow_cannot_be_forked(stage):
    failed = stage.flow.execute("first", {"n": 1})
    with pytest.raises(FlowMismatch):
        Flow("other").fork(failed, start=False)


def test_a_delivery_that_failed_is_made_again(manager):
    works, seen = [], []

    def merge(old, new):
        if not works:
            raise OSError("no disk")
        return {"n": old.get("n", 0) + new["n"]}

    class Merging(Routine):
        def __init__(self):
            super().__init__()
            self.define_slot("trigger", self.act, merge_strategy=merge)

        def act(self, n):
            seen.append(n)

    @routine
    def first():
        return {"n": 5}

    flow = Flow()
    flow.add_routine(first(), "a")
    flow.add_routine(Merging(), "b")
    flow.connect("a.output", "b.trigger")
    failed = flow.execute("a")
    assert (failed.status, failed.errors[0].type) == ("failed", "DeliveryError")
    assert [task.data for task in failed.pending_tasks] == [{"n": 5}]
    works.append(True)
    fork = flow.fork(failed)
    assert flow.wait_for_completion(WAIT)
    assert (fork.status, seen, fork.pending_tasks) == ("completed", [5], [])


def test_values_of_users_are_taken_over_as_they_are_even_one_that_contains_itself(manager):
    ring = {}
    ring["ring"] = ring
    flow = Flow("ring")
    flow.add_routine(routine(lambda: None)(), "only")
    state = flow.execute("only")
    state.update_shared_data("ring", ring)
    fork = flow.fork(state, start=False)
    assert fork.get_shared_data("ring") is ring
