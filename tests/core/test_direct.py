"""Emitting outside a job, and recursion through events."""

import asyncio
import threading

import pytest

from routilux_core import (
    Event,
    Flow,
    MissingField,
    NoActiveJob,
    Routine,
    batch,
    get_execution_context,
    routine,
    slot,
)


class Sender(Routine):
    output = Event("value")


class Taker(Routine):
    output = Event("value")

    def __init__(self, **options):
        super().__init__()
        self.seen = []
        self.define_slot("trigger", self.take, **options)

    def take(self, value):
        self.seen.append(value)


def pair(taker=None, mapping=None):
    """Return a flow of a sender and a taker, and both."""
    sender, taker = Sender(), taker or Taker()
    flow = Flow("direct")
    flow.add_routine(sender, "sender")
    flow.add_routine(taker, "taker")
    flow.connect("sender", "output", "taker", "trigger", mapping)
    return flow, sender, taker


def test_the_connected_handlers_are_called_here_and_now(manager):
    _, sender, taker = pair()
    sender.emit("output", value=1)
    assert taker.seen == [1]


def test_in_the_callers_thread(manager):
    threads = []
    _flow, sender, _ = pair(routine(lambda value: threads.append(threading.current_thread()))())
    sender.emit("output", value=1)
    assert threads == [threading.current_thread()]


def test_no_job_comes_of_it(manager):
    contexts = []
    _flow, sender, _ = pair(routine(lambda value: contexts.append(get_execution_context()))())
    sender.emit("output", value=1)
    assert contexts == [None]
    assert manager.running_jobs == []


def test_an_event_that_nobody_is_connected_to_goes_nowhere(manager):
    flow = Flow("lonely")
    sender = Sender()
    flow.add_routine(sender, "sender")
    sender.emit("output", value=1)


def test_fields_are_renamed_on_the_way(manager):
    seen = []
    _flow, sender, _ = pair(routine(lambda number: seen.append((number,)))(), {"value": "number"})
    sender.emit("output", value=3)
    assert seen == [(3,)]


def test_a_missing_field_is_raised_to_the_caller(manager):
    _, sender, taker = pair()
    with pytest.raises(
        MissingField, match=r"slot 'taker.trigger' needs 'value', and event 'sender.output' gives: other"
    ):
        sender.emit("output", other=1)
    sender.emit("output", value=2)
    assert taker.seen == [2]


def test_what_a_handler_raises_comes_to_the_caller_and_harms_nothing(manager):
    @routine
    def choosy(value):
        if value < 0:
            raise OSError("below zero")

    _flow, sender, _ = pair(choosy())
    with pytest.raises(OSError, match=r"below zero"):
        sender.emit("output", value=-1)
    sender.emit("output", value=1)


@pytest.mark.parametrize("style", ["sync", "async", "generator", "async generator"])
def test_every_style_of_handler(manager, style):
    seen = []

    def sync(value):
        seen.append(value)

    async def coroutine(value):
        seen.append(value)

    def generator(value):
        seen.append(value)
        yield
        seen.append(value)

    async def async_generator(value):
        seen.append(value)
        yield
        seen.append(value)

    handlers = {"sync": sync, "async": coroutine, "generator": generator, "async generator": async_generator}
    taker = Routine()
    taker.define_slot("trigger", handlers[style])
    _flow, sender, _ = pair(taker)
    sender.emit("output", value=1)
    assert seen == ([1, 1] if "generator" in style else [1])


def test_an_async_handler_may_emit_on(manager):
    class Relay(Routine):
        output = Event("value")

        @slot
        async def trigger(self, value):
            self.emit("output", value=value + 1)

    flow, sender, _ = pair(Relay())
    last = Taker()
    flow.add_routine(last, "last")
    flow.connect("taker.output", "last.trigger")
    sender.emit("output", value=1)
    assert last.seen == [2]


def test_an_async_handler_called_from_a_running_loop(manager):
    seen = []

    @routine
    async def take(value):
        await asyncio.sleep(0)
        if value is None:
            raise OSError("nothing to take")
        seen.append(value)

    _flow, sender, _ = pair(take())

    async def main():
        sender.emit("output", value=1)
        with pytest.raises(OSError, match=r"nothing to take"):
            sender.emit("output", value=None)

    asyncio.run(main())
    assert seen == [1]


def test_what_a_slot_gathers_is_of_this_one_call(manager):
    _, sender, taker = pair(Taker(when=batch(3)))
    sender.emit("output", value=1)
    _, other, gathering = pair(Taker(merge_strategy="append"))
    other.emit("output", value=1)
    other.emit("output", value=2)
    assert taker.seen == [[1]]
    assert gathering.seen == [[1], [2]]


def test_a_merge_function_sees_nothing_before_this_one_call(manager):
    def add(old, new):
        return {"value": old.get("value", 0) + new["value"]}

    _flow, sender, taker = pair(Taker(merge_strategy=add))
    sender.emit("output", value=1)
    sender.emit("output", value=2)
    assert taker.seen == [1, 2]


def test_a_slot_without_a_handler_drops_what_arrives(manager):
    taker = Routine()
    taker.define_slot("trigger")
    _flow, sender, _ = pair(taker)
    sender.emit("output", value=1)


# -- which flow ----------------------------------------------------------------------------------------


def test_without_a_flow_it_says_what_to_do(manager):
    with pytest.raises(NoActiveJob) as caught:
        Sender().emit("output", value=1)
    text = str(caught.value)
    assert "emit('output') of routine 'Sender' has no job to act on" in text
    assert "it runs in no job and belongs to no flow" in text
    assert "add it to a flow, or run it in a job" in text


def test_with_several_flows_it_names_them_and_says_what_to_do(manager):
    one, sender, taker = pair()
    other = Flow("other")
    other.add_routine(sender, "sender")
    with pytest.raises(NoActiveJob) as caught:
        sender.emit("output", value=1)
    text = str(caught.value)
    assert "it belongs to several flows (direct, other)" in text
    assert "pass the flow: emit('output', flow, ...)" in text
    sender.emit("output", one, value=1)
    sender.emit("output", other, value=2)
    assert taker.seen == [1]


def test_in_a_foreign_flow_it_says_so(manager):
    _flow, sender, _ = pair()
    foreign = Flow("foreign")
    with pytest.raises(
        NoActiveJob, match=r"it is not in flow 'foreign'; add it there, or pass the flow that has it"
    ):
        sender.emit("output", foreign, value=1)


def test_standing_twice_in_a_flow_it_says_so(manager):
    flow, sender, _ = pair()
    flow.add_routine(sender, "again")
    with pytest.raises(
        NoActiveJob,
        match=r"it stands in flow 'direct' as sender, again; run a job, which knows which one is meant",
    ):
        sender.emit("output", value=1)


def test_a_flow_inside_another_is_meant_by_being_named(manager):
    inner, sender, taker = pair()
    outer = Flow("outer")
    outer.add_routine(inner, "sub")
    sender.emit("output", value=1)
    sender.emit("output", outer, value=2)
    assert taker.seen == [1, 2]


def test_the_flow_given_inside_a_job_does_not_leave_the_job(manager):
    other = Flow("other")

    class Inside(Routine):
        output = Event("value")

        @slot
        def trigger(self):
            self.emit("output", other, value=1)

    flow = Flow("job")
    flow.add_routine(Inside(), "a")
    assert flow.execute("a").results == {"a.output": [{"value": 1}]}


# -- depth ---------------------------------------------------------------------------------------------

DEEP = 10_000


class Deeper(Routine):
    again = Event("n")

    def __init__(self):
        super().__init__()
        self.calls = 0

    @slot
    def trigger(self, n):
        self.calls += 1
        if n < DEEP:
            self.emit("again", n=n + 1)


@pytest.fixture
def deep():
    made = Deeper()
    flow = Flow("deep")
    flow.add_routine(made, "deep")
    flow.connect("deep.again", "deep.trigger")
    return flow, made


def test_recursion_through_events_outside_a_job(manager, deep):
    _, made = deep
    made.emit("again", n=1)
    assert made.calls == DEEP


def test_recursion_through_events_inside_a_job(manager, deep):
    flow, made = deep
    state = flow.execute("deep", {"n": 1})
    assert state.status == "completed"
    assert made.calls == DEEP


def test_a_chain_of_different_routines_is_no_deeper(manager):
    """The control: as plain calls in one another, this depth ends in a RecursionError."""
    length = 2_000
    flow = Flow("chain")
    made = [Deeper() for _ in range(length)]
    for index, one in enumerate(made):
        flow.add_routine(one, f"r{index}")
    for index in range(length - 1):
        flow.connect(f"r{index}", "again", f"r{index + 1}", "trigger")
    assert flow.execute("r0", {"n": 1}).results == {f"r{length - 1}.again": [{"n": length + 1}]}

    def plainly(n):
        return plainly(n + 1) if n < length else n

    with pytest.raises(RecursionError):
        plainly(1)


def test_several_emissions_outside_a_job_come_in_order(manager):
    order = []

    class Fan(Routine):
        output = Event("n")

        @slot
        def trigger(self, n):
            order.append(n)
            if n < 4:
                self.emit("output", n=2 * n)
                self.emit("output", n=2 * n + 1)

    made = Fan()
    flow = Flow("fan")
    flow.add_routine(made, "fan")
    flow.connect("fan.output", "fan.trigger")
    made.emit("output", n=1)
    assert order == [1, 2, 3, 4, 5, 6, 7]
