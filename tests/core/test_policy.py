"""When a handler is called: the policies, what is left at the end, and policies of one's own."""

import threading

import pytest

from routilux_core import (
    ErrorHandler,
    Event,
    Flow,
    InvalidOption,
    Policy,
    Routine,
    all_sources,
    at_end,
    batch,
    each,
    routine,
    slot,
)
from routilux_core.facts import PayloadsReleased, PayloadsUnmatched
from routilux_core.policy import Leftover


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
    flow = Flow("gathered")
    flow.add_routine(each_of(), "source")
    flow.add_routine(Sink(**options), "sink")
    flow.connect("source.output", "sink.trigger")
    return flow


def run(flow, *items):
    return flow.execute("source", {"items": list(items)})


def got(flow, *items):
    state = run(flow, *items)
    assert state.status == "completed", state.errors
    return state.results.get("sink.output", [])


def numbers(count):
    return [{"n": number} for number in range(count)]


# -- each and batch ------------------------------------------------------------------------------------


def test_each_calls_for_every_payload(manager):
    assert got(flow_of(when=each), *numbers(3)) == [{"n": 0}, {"n": 1}, {"n": 2}]


def test_a_batch_is_full(manager):
    assert got(flow_of(when=batch(2)), *numbers(4)) == [{"n": [0, 1]}, {"n": [2, 3]}]


def test_what_is_left_of_a_batch_goes_at_the_end(manager):
    assert got(flow_of(when=batch(2)), *numbers(3)) == [{"n": [0, 1]}, {"n": [2]}]


def test_a_batch_that_never_got_anything_is_not_called(manager):
    assert got(flow_of(when=batch(2))) == []


def test_a_batch_gathers_field_by_field(manager):
    assert got(flow_of(when=batch(3)), {"a": 1}, {"b": 2}, {"a": 3}) == [{"a": [1, 3], "b": [2]}]


@pytest.mark.parametrize("n", [0, -1, 1.5, "2", True, None], ids=repr)
def test_a_batch_has_a_positive_size(n):
    with pytest.raises(InvalidOption, match=r"batch cannot be .*; it takes a whole number from 1 up"):
        batch(n)


@pytest.mark.parametrize("seconds", [0, -1, "1", True, float("nan")], ids=repr)
def test_a_batch_waits_for_a_positive_time(seconds):
    with pytest.raises(InvalidOption, match=r"seconds cannot be .*; it takes a number above 0"):
        batch(2, seconds)


class Feeding(Routine):
    """Sends two payloads, keeps the job busy until it is let go, and sends a third."""

    output = Event("n")
    busy = Event()

    def __init__(self):
        super().__init__()
        self.began, self.go_on = threading.Event(), threading.Event()

    @slot
    def trigger(self):
        self.emit("output", n=1)
        self.emit("output", n=2)
        self.emit("busy")

    @slot
    def work(self):
        self.began.set()
        assert self.go_on.wait(10)
        self.emit("output", n=3)


@pytest.fixture
def feeding(timed_manager):
    """A flow whose batch of up to ten waits for five seconds, and its feeder."""
    made = Feeding()
    flow = Flow("timed")
    flow.add_routine(made, "feed")
    flow.add_routine(Sink(when=batch(10, seconds=5)), "sink")
    flow.connect("feed.output", "sink.trigger")
    flow.connect("feed.busy", "feed.work")
    return flow, made


def watch(kind):
    """Return an event and a monitor that sets it at the first fact of that kind."""
    happened = threading.Event()

    def monitor(job, fact):
        if isinstance(fact, kind):
            happened.set()

    return happened, monitor


def test_a_batch_goes_when_its_time_is_up(feeding, clock):
    flow, made = feeding
    released, monitor = watch(PayloadsReleased)
    state = flow.start("feed", monitors=[monitor])
    assert made.began.wait(10)
    clock.advance(5)
    assert released.wait(10)
    made.go_on.set()
    assert flow.wait_for_completion(10)
    assert state.results["sink.output"] == [{"n": [1, 2]}, {"n": [3]}]


def test_a_batch_does_not_go_before_its_time(feeding, clock):
    """The control of the test above: without the time, the three stay together."""
    flow, made = feeding
    state = flow.start("feed")
    assert made.began.wait(10)
    clock.advance(4.9)
    made.go_on.set()
    assert flow.wait_for_completion(10)
    assert state.results["sink.output"] == [{"n": [1, 2, 3]}]


# -- all_sources ---------------------------------------------------------------------------------------


def joining(when):
    flow = Flow("joined")
    for name in ("left", "right"):
        flow.add_routine(each_of(), name)
    flow.add_routine(Sink(when=when), "sink")

    class Entry(Routine):
        left, right = Event("items"), Event("items")

        @slot
        def trigger(self, left, right):
            self.emit("left", items=left)
            self.emit("right", items=right)

    flow.add_routine(Entry(), "entry")
    flow.connect("entry.left", "left.trigger")
    flow.connect("entry.right", "right.trigger")
    flow.connect("left.output", "sink.trigger")
    flow.connect("right.output", "sink.trigger")
    return flow


def joined(when, left, right):
    state = joining(when).execute("entry", {"left": left, "right": right})
    assert state.status == "completed", state.errors
    return state


def test_all_sources_waits_for_one_of_every_event(manager):
    state = joined(all_sources, [{"a": 1}, {"a": 2}], [{"b": 3}, {"b": 4}])
    assert state.results["sink.output"] == [{"a": 1, "b": 3}, {"a": 2, "b": 4}]


def test_of_two_fields_with_one_name_the_later_connection_counts(manager):
    state = joined(all_sources, [{"a": 1}], [{"a": 2}])
    assert state.results["sink.output"] == [{"a": 2}]


def test_joined_by_a_field(manager):
    state = joined(
        all_sources(by="order"),
        [{"order": 1, "a": 1}, {"order": 2, "a": 2}],
        [{"order": 2, "b": 2}, {"order": 1, "b": 1}],
    )
    assert sorted(state.results["sink.output"], key=lambda payload: payload["order"]) == [
        {"order": 1, "a": 1, "b": 1},
        {"order": 2, "a": 2, "b": 2},
    ]


def test_joined_by_a_function(manager):
    state = joined(
        all_sources(by=lambda payload: payload["order"] % 10),
        [{"order": 11, "a": 1}],
        [{"order": 21, "b": 2}],
    )
    assert state.results["sink.output"] == [{"order": 21, "a": 1, "b": 2}]


def test_what_finds_no_match_is_recorded(manager):
    state = joined(
        all_sources(by="order"), [{"order": 1}, {"order": 2}, {"order": 3}], [{"order": 2}, {"order": 4}]
    )
    assert state.results["sink.output"] == [{"order": 2}]
    records = [record for record in state.execution_history if record.event_name == "unmatched"]
    assert [(record.routine_id, record.data) for record in records] == [
        ("sink", {"slot": "trigger", "count": 1})
    ] * 3
    assert sum(fact.count() for fact in state.facts if isinstance(fact, PayloadsUnmatched)) == 3


def test_a_source_that_never_speaks_leaves_everything_unmatched(manager):
    state = joined(all_sources, [{"a": 1}, {"a": 2}], [])
    assert "sink.output" not in state.results
    assert sum(fact.count() for fact in state.facts if isinstance(fact, PayloadsUnmatched)) == 2


def test_what_comes_from_outside_waits_for_nobody(manager):
    state = joining(all_sources).execute("sink", {"a": 1})
    assert state.results["sink.output"] == [{"a": 1}]


@pytest.mark.parametrize("by", [7, ["order"], object()], ids=lambda by: type(by).__name__)
def test_a_key_is_a_name_or_a_function(by):
    with pytest.raises(
        InvalidOption, match=r"by cannot be .*; it takes a field's name or a function of the payload"
    ):
        all_sources(by=by)


@pytest.mark.parametrize(
    ("by", "reason"),
    [
        ("order", "KeyError"),
        (lambda payload: 1 / 0, "ZeroDivisionError"),
        (lambda payload: [payload], "TypeError: unhashable"),
    ],
    ids=["missing", "raising", "unhashable"],
)
def test_a_key_that_fails_fails_that_delivery_by_name(manager, by, reason):
    flow = joining(all_sources(by=by))
    state = flow.execute("entry", {"left": [{"a": 1}], "right": []})
    assert state.status == "failed"
    error = state.errors[0]
    assert (error.type, error.routine_id, error.slot) == ("DeliveryError", "sink", "trigger")
    assert f"of slot 'sink.trigger' failed: {reason}" in error.message


# -- at_end --------------------------------------------------------------------------------------------


def test_at_end_is_called_once_with_everything(manager):
    assert got(flow_of(when=at_end), *numbers(5)) == [{"n": [0, 1, 2, 3, 4]}]


def test_at_end_comes_after_all_other_work(manager):
    order = []

    @routine
    def working(n):
        order.append(n)
        return {"n": n}

    class Summing(Routine):
        @slot(when=at_end)
        def trigger(self, n):
            order.append(n)

    flow = Flow("summed")
    flow.add_routine(each_of(), "source")
    flow.add_routine(Summing(), "sum")
    flow.add_routine(working(), "work")
    flow.connect("source.output", "sum.trigger")
    flow.connect("source.output", "work.trigger")
    assert run(flow, *numbers(3)).status == "completed"
    assert order == [0, 1, 2, [0, 1, 2]]


def logging_sink(order, name, **options):
    class Logging(Routine):
        output = Event("n")

        def __init__(self):
            super().__init__()
            self.define_slot("trigger", self.handle, **options)

        def handle(self, n):
            order.append((name, n))
            self.emit("output", n=n)

    return Logging()


def test_leftover_batches_come_first_then_at_end_in_connection_order(manager):
    order = []
    flow = Flow("ordered")
    flow.add_routine(each_of(), "source")
    flow.add_routine(logging_sink(order, "second", when=at_end), "second")
    flow.add_routine(logging_sink(order, "first", when=at_end), "first")
    flow.add_routine(logging_sink(order, "batch", when=batch(10)), "batch")
    for name in ("first", "second", "batch"):
        flow.connect("source.output", f"{name}.trigger")
    assert run(flow, *numbers(2)).status == "completed"
    assert order == [("batch", [0, 1]), ("first", [0, 1]), ("second", [0, 1])]


def test_what_a_leftover_batch_sends_still_reaches_the_summary(manager):
    order = []
    flow = Flow("ordered")
    flow.add_routine(each_of(), "source")
    flow.add_routine(logging_sink(order, "sum", when=at_end), "sum")
    flow.add_routine(logging_sink(order, "batch", when=batch(10)), "batch")
    flow.connect("source.output", "batch.trigger")
    flow.connect("batch.output", "sum.trigger")
    assert run(flow, *numbers(2)).status == "completed"
    assert order == [("batch", [0, 1]), ("sum", [[0, 1]])]


def test_a_later_summary_hears_the_earlier_one(manager):
    order = []
    flow = Flow("ordered")
    flow.add_routine(each_of(), "source")
    flow.add_routine(logging_sink(order, "first", when=at_end), "first")
    flow.add_routine(logging_sink(order, "second", when=at_end), "second")
    flow.connect("source.output", "first.trigger")
    flow.connect("source.output", "second.trigger")
    flow.connect("first.output", "second.trigger")
    assert run(flow, *numbers(2)).status == "completed"
    assert order == [("first", [0, 1]), ("second", [0, 1, [0, 1]])]


def test_at_end_is_called_once_even_if_more_comes_after(manager):
    order = []
    flow = Flow("ordered")
    flow.add_routine(each_of(), "source")
    flow.add_routine(logging_sink(order, "first", when=at_end), "first")
    flow.add_routine(logging_sink(order, "second", when=at_end), "second")
    flow.connect("source.output", "first.trigger")
    flow.connect("source.output", "second.trigger")
    flow.connect("second.output", "first.trigger")
    state = run(flow, *numbers(2))
    assert state.status == "completed"
    assert [name for name, _ in order] == ["first", "second"]
    assert sum(fact.count() for fact in state.facts if isinstance(fact, PayloadsUnmatched)) == 1


def test_at_end_is_not_called_for_nothing(manager):
    assert got(flow_of(when=at_end)) == []


def test_a_job_that_fails_has_no_summary(manager):
    @routine
    def broken(n):
        raise OSError

    flow = flow_of(when=at_end)
    flow.add_routine(broken(), "broken")
    flow.connect("source.output", "broken.trigger")
    state = run(flow, *numbers(2))
    assert state.status == "failed"
    assert "sink.output" not in state.results


# -- policies of one's own -----------------------------------------------------------------------------


class ByParity(Policy):
    """Pairs even numbers with even ones, odd with odd."""

    def place(self, payload, source):
        return payload["n"] % 2, "only"

    def release(self, group, sources):
        return [("only", 2)] if len(group["only"]) == 2 else ()

    def combine(self, payloads):
        return {"pair": [payload["n"] for payload in payloads]}


def test_a_policy_of_ones_own(manager):
    assert got(flow_of(when=ByParity()), *numbers(5)) == [{"pair": [0, 2]}, {"pair": [1, 3]}, {"pair": [4]}]


def test_its_leftovers_may_count_as_unmatched(manager):
    class Strict(ByParity):
        leftover = Leftover.UNMATCHED

    state = run(flow_of(when=Strict()), *numbers(5))
    assert state.results["sink.output"] == [{"pair": [0, 2]}, {"pair": [1, 3]}]
    assert sum(fact.count() for fact in state.facts if isinstance(fact, PayloadsUnmatched)) == 1


def test_it_may_let_some_go_at_once(manager):
    class OddAtOnce(ByParity):
        def place(self, payload, source):
            return None if payload["n"] % 2 else (0, "only")

    assert got(flow_of(when=OddAtOnce()), *numbers(3)) == [{"n": 1}, {"pair": [0, 2]}]


def test_a_policy_must_be_one():
    with pytest.raises(InvalidOption, match=r"when cannot be 'batch'; it takes each, batch\(n\)"):
        Sink(when="batch")


def failing(method):
    def fail(*_):
        raise OSError("no idea")

    return type("Failing", (ByParity,), {method: fail})()


@pytest.mark.parametrize("method", ["place", "release", "combine"])
def test_a_policy_that_raises_fails_that_delivery_by_name(manager, method):
    state = run(flow_of(when=failing(method)), *numbers(3))
    assert state.status == "failed"
    error = state.errors[0]
    assert (error.type, error.routine_id, error.slot) == ("DeliveryError", "sink", "trigger")
    assert error.message.startswith("the policy of slot 'sink.trigger' failed: OSError: no idea")


@pytest.mark.parametrize("method", ["place", "release", "combine"])
def test_the_job_goes_on_where_the_error_handler_lets_it(manager, method):
    flow = flow_of(when=failing(method), retry=ErrorHandler("continue"))
    flow.add_routine(Sink(), "other")
    flow.connect("source.output", "other.trigger")
    state = run(flow, *numbers(3))
    assert state.status == "completed"
    assert state.results["other.output"] == numbers(3)
    assert state.errors


@pytest.mark.parametrize("given", [None, [1], {1: 2}], ids=repr)
def test_a_policy_that_combines_to_no_payload_is_refused_by_name(manager, given):
    class Odd(ByParity):
        def combine(self, payloads):
            return given

    state = run(flow_of(when=Odd()), *numbers(3))
    assert state.status == "failed"
    assert "the policy of slot 'sink.trigger'" in state.errors[0].message
    assert "a payload is a dict with text keys" in state.errors[0].message


@pytest.mark.parametrize(
    "take", [[("only", 3)], [("nowhere", 1)], [("only", -1)], [("only", 1.5)], 7], ids=repr
)
def test_a_policy_that_takes_what_is_not_there_fails_that_delivery(manager, take):
    class Greedy(ByParity):
        def release(self, group, sources):
            return take

    flow = flow_of(when=Greedy(), retry=ErrorHandler("continue"))
    state = run(flow, *numbers(2))
    assert state.status == "completed"
    assert {error.type for error in state.errors} == {"DeliveryError"}
    assert got(flow_of(when=ByParity()), *numbers(1)) == [{"pair": [0]}]


@pytest.mark.parametrize("place", [7, (1, 2, 3), ([], 1), (1, [])], ids=repr)
def test_a_policy_that_gives_no_place_fails_that_delivery(manager, place):
    class Lost(ByParity):
        def place(self, payload, source):
            return place

    state = run(flow_of(when=Lost()), {"n": 1})
    assert state.status == "failed"
    assert state.errors[0].type == "DeliveryError"
    assert "'sink.trigger'" in state.errors[0].message
