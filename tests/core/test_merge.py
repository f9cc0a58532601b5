"""What a slot makes of the payloads that came before."""

import pytest

from routilux_core import ErrorHandler, Event, Flow, Routine, batch, routine, slot


@routine
def each_of(items):
    yield from items


class Sink(Routine):
    output = Event()

    def __init__(self, **options):
        super().__init__()
        self.define_slot("trigger", self.handle, **options)

    def handle(self, **data):
        self.emit("output", **data)


def flow_of(**options):
    flow = Flow("merged")
    flow.add_routine(each_of(), "source")
    flow.add_routine(Sink(**options), "sink")
    flow.connect("source.output", "sink.trigger")
    return flow


def run(flow, *items):
    return flow.execute("source", {"items": list(items)})


def got(flow, *items):
    state = run(flow, *items)
    assert state.status == "completed", state.errors
    return state.results["sink.output"]


def test_override_gives_the_payload_as_it_came(manager):
    assert got(flow_of(), {"a": 1}, {"b": 2}) == [{"a": 1}, {"b": 2}]


def test_append_gives_all_values_so_far_of_each_field(manager):
    assert got(flow_of(merge_strategy="append"), {"a": 1}, {"a": 2, "b": 3}, {"b": 4}) == [
        {"a": [1]},
        {"a": [1, 2], "b": [3]},
        {"a": [1, 2], "b": [3, 4]},
    ]


def test_append_gives_real_lists_that_a_handler_may_keep_and_change(manager):
    seen = []

    class Greedy(Sink):
        def handle(self, a):
            assert type(a) is list
            seen.append(list(a))
            a.clear()

    flow = Flow("greedy")
    flow.add_routine(each_of(), "source")
    flow.add_routine(Greedy(merge_strategy="append"), "sink")
    flow.connect("source.output", "sink.trigger")
    assert run(flow, {"a": 1}, {"a": 2}).status == "completed"
    assert seen == [[1], [1, 2]]


def test_a_function_merges_old_and_new(manager):
    def add(old, new):
        return {"total": old.get("total", 0) + new["n"]}

    assert got(flow_of(merge_strategy=add), {"n": 1}, {"n": 2}, {"n": 3}) == [
        {"total": 1},
        {"total": 3},
        {"total": 6},
    ]


def test_a_function_gets_nothing_as_old_at_first(manager):
    olds = []

    def watch(old, new):
        olds.append(old)
        return new

    got(flow_of(merge_strategy=watch), {"n": 1}, {"n": 2})
    assert olds == [{}, {"n": 1}]


@pytest.mark.parametrize("strategy", ["append", lambda old, new: {"a": [*old.get("a", []), new["a"]]}])
def test_what_is_merged_belongs_to_the_job(manager, strategy):
    flow = flow_of(merge_strategy=strategy)
    assert got(flow, {"a": 1}, {"a": 2})[-1] == {"a": [1, 2]}
    assert got(flow, {"a": 3})[-1] == {"a": [3]}


def test_two_slots_merge_apart(manager):
    flow = flow_of(merge_strategy="append")
    flow.add_routine(Sink(merge_strategy="append"), "other")
    flow.connect("source", "output", "other", "trigger", {"a": "b"})
    state = run(flow, {"a": 1}, {"a": 2})
    assert state.results["sink.output"][-1] == {"a": [1, 2]}
    assert state.results["other.output"][-1] == {"b": [1, 2]}


def test_append_gathers_over_a_pause(manager):
    class Pausing(Routine):
        output = Event("a")

        @slot
        def trigger(self):
            self.emit("output", a=1)
            self.emit("output", a=2)
            context = self.get_execution_context()
            context.flow.pause(context.job_state)

    flow = Flow("pausing")
    flow.add_routine(Pausing(), "source")
    flow.add_routine(Sink(merge_strategy="append"), "sink")
    flow.connect("source.output", "sink.trigger")
    state = flow.execute("source")
    assert state.status == "paused"
    assert "sink.output" not in state.results
    flow.resume(state)
    assert flow.wait_for_completion(10)
    assert state.results["sink.output"] == [{"a": [1]}, {"a": [1, 2]}]


def test_append_with_a_policy_hands_over_all_so_far(manager):
    flow = flow_of(merge_strategy="append", when=batch(2))
    assert got(flow, {"a": 1}, {"a": 2}, {"a": 3}, {"a": 4}) == [{"a": [1, 2]}, {"a": [1, 2, 3, 4]}]


# -- merge functions that fail -------------------------------------------------------------------------


def refuse_two(old, new):
    if new["n"] == 2:
        raise OSError("two is too many")
    return {"n": old.get("n", 0) + new["n"]}


def test_a_merge_function_that_raises_fails_that_delivery_by_name(manager):
    state = run(flow_of(merge_strategy=refuse_two), {"n": 2})
    assert state.status == "failed"
    error = state.errors[0]
    assert (error.type, error.routine_id, error.slot) == ("DeliveryError", "sink", "trigger")
    assert error.message.startswith(
        "the merge function of slot 'sink.trigger' failed: OSError: two is too many"
    )
    with pytest.raises(RuntimeError) as caught:
        state.raise_for_status()
    assert isinstance(caught.value.__cause__.__cause__, OSError)


def test_the_others_go_on_where_the_error_handler_lets_them(manager):
    flow = flow_of(merge_strategy=refuse_two, retry=ErrorHandler("continue"))
    state = run(flow, {"n": 1}, {"n": 2}, {"n": 3})
    assert state.status == "completed"
    assert state.results["sink.output"] == [{"n": 1}, {"n": 4}]
    assert len(state.errors) == 1


@pytest.mark.parametrize("given", [None, 7, [("n", 1)], {1: "one"}], ids=repr)
def test_a_merge_function_that_gives_no_payload_is_refused_by_name(manager, given):
    state = run(flow_of(merge_strategy=lambda old, new: given), {"n": 1})
    assert state.status == "failed"
    text = state.errors[0].message
    assert "the merge function of slot 'sink.trigger'" in text
    assert "a payload is a dict with text keys" in text


def test_a_delivery_that_failed_is_kept_for_a_fork(manager):
    state = run(flow_of(merge_strategy=refuse_two), {"n": 1}, {"n": 2})
    assert state.status == "failed"
    assert {"n": 2} in [task.data for task in state.pending_tasks if task.slot == "trigger"]


def test_a_flow_runs_on_after_a_merge_function_has_raised(manager):
    flow = flow_of(merge_strategy=refuse_two)
    assert run(flow, {"n": 2}).status == "failed"
    assert got(flow, {"n": 1}, {"n": 3}) == [{"n": 1}, {"n": 4}]
