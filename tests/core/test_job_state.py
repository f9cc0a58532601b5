"""JobState: its fields and methods, what may be read from outside, and whose changes count."""

import threading
from datetime import UTC, datetime

import pytest

from routilux_core import (
    Event,
    ExecutionStatus,
    Flow,
    InvalidName,
    InvalidOption,
    JobFailed,
    JobState,
    NoActiveJob,
    QueueOutputHandler,
    Routine,
    get_execution_context,
    routine,
    slot,
)
from tests.core.gate import WAIT, Gate


def flow_of(**routines):
    flow = Flow("flow")
    for name, made in routines.items():
        flow.add_routine(made, name)
    return flow


def handler(function, *events):
    """A routine whose trigger calls `function(job_state, routine)`."""

    class Acting(Routine):
        def __init__(self):
            super().__init__()
            self.define_slot("trigger", self.act)
            for event in events:
                self.define_event(event)

        def act(self, **_):
            function(get_execution_context().job_state, self)

    return Acting()


@routine
def nothing():
    return None


@routine
def double(n):
    return {"n": 2 * n}


def run(function, *events):
    return flow_of(a=handler(function, *events)).execute("a")


# -- what it is ----------------------------------------------------------------------------------------


def test_a_fresh_state_is_pending_and_empty():
    state = JobState()
    assert state.status is ExecutionStatus.PENDING
    assert state.flow_id is None
    for name in (
        "execution_history",
        "shared_log",
        "output_log",
        "deferred_events",
        "pause_points",
        "pending_tasks",
        "errors",
        "facts",
    ):
        assert getattr(state, name) == []
    for name in ("routine_states", "metadata", "shared_data", "results"):
        assert getattr(state, name) == {}
    assert state.current_routine_id is None
    assert state.checkpoint is None


def test_a_state_may_be_made_for_a_flow():
    assert JobState("orders").flow_id == "orders"


def test_each_state_has_an_id_of_its_own():
    assert JobState().job_id != JobState().job_id


def test_a_job_id_outside_the_grammar_is_refused():
    with pytest.raises(InvalidName, match=r"\.\./evil"):
        JobState("flow", "../evil")


def test_it_knows_when_it_was_made_and_last_changed():
    before = datetime.now(UTC)
    state = JobState()
    state.update_shared_data("key", 1)
    assert before <= state.created_at <= state.updated_at <= datetime.now(UTC)


def test_each_execution_gets_a_state_of_its_own(manager):
    flow = flow_of(a=nothing())
    assert flow.execute("a") is not flow.execute("a")


def test_a_state_that_is_passed_in_is_the_one_returned(manager):
    state = JobState("flow")
    state.update_shared_data("before", 1)
    assert flow_of(a=nothing()).execute("a", job_state=state) is state
    assert state.shared_data == {"before": 1}


def test_metadata_is_what_the_starter_gave(manager):
    given = {"who": "me"}
    state = flow_of(a=nothing()).execute("a", metadata=given)
    given["who"] = "you"
    assert state.metadata == {"who": "me"}


def test_the_current_routine_is_the_one_whose_handler_runs(manager):
    with Gate() as gate:
        flow = flow_of(a=handler(lambda state, routine: gate.pass_through()))
        state = flow.start("a")
        gate.wait()
        assert state.current_routine_id == "a"
        gate.open()
        assert flow.wait_for_completion(WAIT)
    assert state.current_routine_id is None


def test_routine_states_say_how_each_routine_stands(manager):
    flow = flow_of(a=double(), b=double())
    flow.connect("a.output", "b.trigger")
    state = flow.execute("a", {"n": 1})
    assert list(state.routine_states) == ["a", "b"]
    assert state.routine_states["b"]["status"] == "completed"
    assert state.routine_states["b"]["activations"] == 1
    assert state.routine_states["b"]["execution_time"] >= 0
    assert state.routine_states["b"]["error"] is None


def test_a_routine_state_is_none_before_anything_happened_to_it():
    assert JobState().get_routine_state("a") is None


def test_an_update_of_a_routine_state_merges(manager):
    state = flow_of(a=nothing()).execute("a")
    state.update_routine_state("a", {"mine": 1})
    state.update_routine_state("a", {"yours": 2, "status": "checked"})
    found = state.get_routine_state("a")
    assert (found["mine"], found["yours"], found["status"], found["activations"]) == (1, 2, "checked", 1)


def test_results_hold_the_payloads_of_events_that_nobody_is_connected_to(manager):
    flow = flow_of(a=double(), b=double())
    flow.connect("a.output", "b.trigger")
    assert flow.execute("a", {"n": 1}).results == {"b.output": [{"n": 4}]}


def test_pending_tasks_name_their_slot_data_and_source(manager):
    with Gate() as gate:

        def act(state, routine):
            gate.pass_through()
            routine.emit("out", n=7)
            routine.get_execution_context().job.pause()

        flow = flow_of(a=handler(act, "out"), b=double())
        flow.connect("a.out", "b.trigger")
        state = flow.start("a")
        gate.wait()
        (task,) = state.pending_tasks
        assert (task.routine_id, task.slot, task.source, task.data) == ("a", "trigger", None, {})
        gate.open()
        assert flow.wait_for_completion(WAIT)
    (task,) = state.pending_tasks
    assert (task.routine_id, task.slot, task.source, task.data) == ("b", "trigger", "a.out", {"n": 7})
    assert (task.priority, task.attempt, task.max_retries, task.due_at) == (0, 1, 0, None)
    assert task.created_at.tzinfo is UTC


# -- views ---------------------------------------------------------------------------------------------


def test_lists_read_from_outside_equal_plain_ones_and_cannot_be_changed():
    state = JobState()
    state.append_to_shared_log("one")
    view = state.shared_log
    assert view == ["one"]
    assert view[-1] == "one"
    assert view[:1] == ["one"]
    assert repr(view) == "['one']"
    with pytest.raises(TypeError):
        view[0] = "two"
    assert not hasattr(view, "append")


def test_an_index_outside_a_view_is_an_index_error():
    state = JobState()
    state.append_to_shared_log("one")
    with pytest.raises(IndexError, match="outside 0 to 0"):
        state.shared_log[1]


def test_mappings_read_from_outside_equal_plain_ones_and_cannot_be_changed():
    state = JobState()
    state.update_shared_data("key", 1)
    assert state.shared_data == {"key": 1}
    for mapping in (state.shared_data, state.routine_states, state.results, state.metadata):
        with pytest.raises(TypeError):
            mapping["key"] = 2
    assert state.get_shared_data("key") == 1


def test_a_list_view_shows_what_there_was_when_it_was_read():
    state = JobState()
    state.append_to_shared_log("one")
    view = state.shared_log
    state.append_to_shared_log("two")
    assert view == ["one"]
    assert list(view) == ["one"]
    assert state.shared_log == ["one", "two"]


def test_changing_what_a_routine_state_gave_changes_nothing():
    state = JobState()
    state.update_routine_state("a", {"mine": 1})
    state.get_routine_state("a")["mine"] = 2
    assert state.get_routine_state("a")["mine"] == 1


# -- shared data and log -------------------------------------------------------------------------------


def test_a_missing_key_gives_the_default():
    assert JobState().get_shared_data("missing") is None
    assert JobState().get_shared_data("missing", 3) == 3


def test_a_key_that_is_no_text_is_refused():
    with pytest.raises(InvalidOption, match="shared data key"):
        JobState().update_shared_data(1, "value")


def test_modify_reads_changes_and_writes():
    state = JobState()
    state.modify_shared_data("count", lambda count: count + 1, default=10)
    state.modify_shared_data("count", lambda count: count + 1)
    assert state.shared_data == {"count": 12}


def test_a_modification_that_raises_changes_nothing(manager):
    state = JobState()
    state.update_shared_data("count", 1)
    with pytest.raises(ZeroDivisionError):
        state.modify_shared_data("count", lambda count: count // 0)
    assert state.shared_data == {"count": 1}


def test_the_shared_log_can_be_filtered():
    state = JobState()
    for number in range(4):
        state.append_to_shared_log(number)
    assert state.get_shared_log() == [0, 1, 2, 3]
    assert state.get_shared_log(filter=lambda number: number % 2) == [1, 3]


def test_values_may_be_of_any_kind(manager):
    class Odd:
        __hash__ = None

        def __eq__(self, other):
            raise ValueError("not to be compared")

        def __deepcopy__(self, memo):
            raise ValueError("not to be copied")

    odd = Odd()
    state = JobState()
    state.update_shared_data("odd", odd)
    assert state.get_shared_data("odd") is odd
    assert flow_of(a=handler(lambda state, routine: None)).execute("a", {"odd": odd}).status == "completed"


# -- inside a handler ----------------------------------------------------------------------------------


def test_a_handler_sees_its_own_writes_and_others_do_not_yet(manager):
    seen = {}
    with Gate() as gate:

        def act(state, routine):
            state.update_shared_data("key", 1)
            state.modify_shared_data("key", lambda value: value + 1)
            state.append_to_shared_log("line")
            state.update_routine_state("a", {"mine": 1})
            routine.set_stat("size", 3)
            routine.increment_stat("size")
            seen["own"] = (
                state.get_shared_data("key"),
                dict(state.shared_data),
                list(state.shared_log),
                state.get_routine_state("a")["mine"],
                routine.stats(),
                state.stats("a"),
            )
            gate.pass_through()

        flow = flow_of(a=handler(act))
        state = flow.start("a")
        gate.wait()
        assert state.shared_data == {}
        assert state.shared_log == []
        assert "mine" not in state.get_routine_state("a")
        assert state.stats("a") == {}
        gate.open()
        assert flow.wait_for_completion(WAIT)
    assert seen["own"] == (2, {"key": 2}, ["line"], 1, {"size": 4}, {"size": 4})
    assert state.shared_data == {"key": 2}
    assert state.shared_log == ["line"]
    assert state.get_routine_state("a")["mine"] == 1
    assert state.stats("a") == {"size": 4}


def test_what_a_failed_attempt_wrote_is_absent(manager):
    def act(state, routine):
        state.update_shared_data("key", 1)
        state.modify_shared_data("other", lambda _: 2)
        state.append_to_shared_log("line")
        state.update_routine_state("a", {"mine": 1})
        state.record_execution("a", "note", {})
        state.add_deferred_event("a", "out", {})
        routine.increment_stat("count")
        routine.emit("out")
        raise OSError("no disk")

    state = run(act, "out")
    assert state.status == "failed"
    assert (state.shared_data, state.shared_log, state.results, state.deferred_events) == ({}, [], {}, [])
    assert "mine" not in state.get_routine_state("a")
    assert state.stats("a") == {}
    assert [record.event_name for record in state.execution_history] == ["start", "failed"]


def test_a_modification_is_applied_to_what_others_have_done_meanwhile(manager):
    with Gate() as gate:

        def act(state, routine):
            state.modify_shared_data("count", lambda count: count + 1, default=0)
            gate.pass_through()

        flow = flow_of(a=handler(act))
        state = flow.start("a")
        gate.wait()
        state.update_shared_data("count", 10)
        gate.open()
        assert flow.wait_for_completion(WAIT)
    assert state.shared_data == {"count": 11}


def test_a_modification_that_raises_fails_its_activation(manager):
    def act(state, routine):
        state.modify_shared_data("count", lambda count: 1 // count, default=0)

    state = run(act)
    assert state.status == "failed"
    assert state.errors[0].type == "ZeroDivisionError"
    assert state.shared_data == {}


def test_a_modification_that_raises_over_what_others_did_fails_its_activation_whole(manager):
    with Gate() as gate:

        def act(state, routine):
            state.update_shared_data("mine", 1)
            state.modify_shared_data("count", lambda count: 1 // count, default=1)
            gate.pass_through()

        flow = flow_of(a=handler(act))
        state = flow.start("a")
        gate.wait()
        state.update_shared_data("count", 0)
        gate.open()
        assert flow.wait_for_completion(WAIT)
    assert (state.status, state.errors[0].type) == ("failed", "ZeroDivisionError")
    assert state.shared_data == {"count": 0}
    assert len(state.pending_tasks) == 1


def test_a_handler_that_has_returned_cannot_write_any_more(manager):
    kept = []

    def act(state, routine):
        kept.append(get_execution_context().wrap(state.update_shared_data))

    state = run(act)
    with pytest.raises(NoActiveJob, match="has returned"):
        kept[0]("late", 1)
    assert state.shared_data == {}


def test_the_state_of_another_job_changes_at_once(manager):
    other = JobState()

    def act(state, routine):
        other.update_shared_data("key", 1)
        raise OSError("no disk")

    run(act)
    assert other.shared_data == {"key": 1}


def test_a_wrong_key_fails_the_handler_that_used_it(manager):
    state = run(lambda state, routine: state.update_shared_data(("a", 1), 1))
    assert state.errors[0].type == "InvalidOption"


# -- from outside --------------------------------------------------------------------------------------


def test_changes_from_outside_take_effect_at_once_while_it_runs(manager):
    with Gate() as gate:
        flow = flow_of(a=handler(lambda state, routine: gate.pass_through()))
        state = flow.start("a")
        gate.wait()
        state.update_shared_data("key", 1)
        state.append_to_shared_log("line")
        state.record_execution("a", "note", {"n": 1})
        state.update_routine_state("a", {"mine": 1})
        with pytest.raises(ZeroDivisionError):
            state.modify_shared_data("key", lambda value: value // 0)
        assert state.shared_data == {"key": 1}
        assert state.shared_log == ["line"]
        assert [record.event_name for record in state.get_execution_history("a")] == ["start", "note"]
        assert state.get_routine_state("a")["mine"] == 1


def test_changes_from_outside_take_effect_after_the_end_too(manager):
    state = flow_of(a=nothing()).execute("a")
    state.update_shared_data("key", 1)
    state.send_output("late", n=1)
    assert state.shared_data == {"key": 1}
    assert state.output_log[0]["data"] == {"n": 1}
    assert state.status == "completed"


@pytest.mark.parametrize("running", [False, True])
def test_updates_from_many_threads_lose_nothing(manager, running):
    """Control: with `state.update_shared_data("count", state.get_shared_data("count") + 1)` some are lost."""
    threads, times = 8, 100
    with Gate() as gate:
        flow = flow_of(a=handler(lambda state, routine: gate.pass_through()))
        if running:
            state = flow.start("a")
            gate.wait()
        else:
            state = JobState("flow")
        barrier = threading.Barrier(threads)

        def change(number):
            barrier.wait(WAIT)
            for turn in range(times):
                state.modify_shared_data("count", lambda count: count + 1, default=0)
                state.append_to_shared_log((number, turn))
                state.update_routine_state("a", {f"{number}-{turn}": True})

        workers = [threading.Thread(target=change, args=(number,)) for number in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(WAIT)
    assert state.get_shared_data("count") == threads * times
    assert sorted(state.shared_log) == [(number, turn) for number in range(threads) for turn in range(times)]
    assert sum(key[0].isdigit() for key in state.get_routine_state("a")) == threads * times


def test_updates_lose_nothing_while_the_job_ends_beneath_them(manager):
    """Control: a state that asks `status` once, and writes itself when it read a final one, loses some."""
    flow = flow_of(a=double(), b=double())
    flow.connect("a.output", "b.trigger")
    for _ in range(30):
        state = flow.start("a", {"n": 1})
        for number in range(50):
            state.append_to_shared_log(number)
        assert flow.wait_for_completion(WAIT)
        assert state.shared_log == list(range(50))
        assert [fact.number for fact in state.facts] == list(range(1, len(state.facts) + 1))


# -- outputs and the end -------------------------------------------------------------------------------


def test_outputs_go_to_the_handler_and_the_log(manager):
    state, handled = JobState("flow"), QueueOutputHandler()
    state.set_output_handler(handled)
    flow_of(a=handler(lambda state, routine: state.send_output("progress", percent=50))).execute(
        "a", job_state=state
    )
    output = handled.queue.get_nowait()
    assert state.output_log == [output]
    assert (output["output_type"], output["routine_id"], output["data"]) == ("progress", "a", {"percent": 50})
    assert output["attempt"] == 1


def test_an_output_handler_of_another_kind_is_refused():
    with pytest.raises(InvalidOption, match="OutputHandler"):
        JobState().set_output_handler(print)


def test_deferred_events_are_listed(manager):
    state = JobState("flow")
    state.add_deferred_event("a", "out", {"n": 1})
    assert state.deferred_events == [{"routine_id": "a", "event": "out", "data": {"n": 1}}]


def test_a_completed_job_raises_nothing(manager):
    assert flow_of(a=nothing()).execute("a").raise_for_status() is None


def test_a_failed_job_raises_from_the_original_exception(manager):
    original = OSError("no disk")

    def act(state, routine):
        raise original

    state = run(act)
    with pytest.raises(JobFailed, match=r"OSError: no disk in a\.trigger") as caught:
        state.raise_for_status()
    assert caught.value.__cause__ is original


def test_a_cancelled_job_raises(manager):
    state = JobState("flow")
    flow_of(a=nothing()).cancel(state)
    with pytest.raises(JobFailed, match="cancelled"):
        state.raise_for_status()


def test_it_names_itself():
    state = JobState("flow", "job-1")
    assert repr(state) == "<JobState 'job-1' of flow 'flow': pending>"


def test_declared_slots_write_as_well(manager):
    class Declared(Routine):
        output = Event("n")

        @slot
        def trigger(self):
            get_execution_context().job_state.update_shared_data("seen", True)

    assert flow_of(a=Declared()).execute("a").shared_data == {"seen": True}
