"""Connections and their renaming of fields."""

import pytest

from routilux_core import Connection, Event, Flow, InvalidMapping, InvalidOption, Routine, routine, slot


class Source(Routine):
    output = Event("a", "b")

    @slot
    def trigger(self, **data):
        self.emit("output", **data)


class Sink(Routine):
    output = Event()

    @slot
    def trigger(self, **data):
        self.emit("output", **data)


def flow_of(mapping, source=Source):
    flow = Flow("mapped")
    flow.add_routine(source(), "source")
    flow.add_routine(Sink(), "sink")
    flow.connect("source", "output", "sink", "trigger", mapping)
    return flow


def arrived(mapping, data, source=Source):
    state = flow_of(mapping, source).execute("source", data)
    assert state.status == "completed", state.errors
    return state.results["sink.output"]


def test_without_a_mapping_every_field_passes_unchanged(manager):
    assert arrived(None, {"a": 1, "b": 2, "c": 3}) == [{"a": 1, "b": 2, "c": 3}]


def test_a_listed_field_is_renamed_and_the_others_pass(manager):
    assert arrived({"a": "x"}, {"a": 1, "b": 2, "c": 3}) == [{"x": 1, "b": 2, "c": 3}]


def test_two_fields_may_change_places(manager):
    assert arrived({"a": "b", "b": "a"}, {"a": 1, "b": 2}) == [{"b": 1, "a": 2}]


def test_a_listed_field_that_does_not_come_is_no_matter(manager):
    assert arrived({"a": "x"}, {"b": 2}) == [{"b": 2}]


def test_a_mapping_does_not_change_what_others_receive(manager):
    flow = flow_of({"a": "x"})
    flow.add_routine(Sink(), "other")
    flow.connect("source.output", "other.trigger")
    state = flow.execute("source", {"a": 1})
    assert state.results["sink.output"] == [{"x": 1}]
    assert state.results["other.output"] == [{"a": 1}]
    sent = [record for record in state.get_execution_history("source") if record.event_name == "output"]
    assert sent[0].data == {"a": 1}


@pytest.mark.parametrize(
    "mapping", [{"a": "x", "b": "x"}, {"a": "b"}, {"q": "a"}, {"q": "z", "r": "z"}], ids=repr
)
def test_two_fields_onto_one_name_is_an_error_at_connect(mapping):
    with pytest.raises(InvalidMapping) as caught:
        flow_of(mapping)
    text = str(caught.value)
    assert "connection source.output -> sink.trigger maps" in text
    assert "give each field a name of its own" in text
    for name in caught.value.sources:
        assert repr(name) in text


def test_a_refused_connection_leaves_the_flow_as_it_was(manager):
    flow = flow_of(None)
    with pytest.raises(InvalidMapping):
        flow.connect("source", "output", "sink", "trigger", {"a": "b"})
    assert len(flow.connections) == 1
    assert flow.execute("source", {"a": 1}).results["sink.output"] == [{"a": 1}]


def test_undeclared_fields_that_collide_fail_that_delivery(manager):
    class Loose(Routine):
        output = Event()

        @slot
        def trigger(self, **data):
            self.emit("output", **data)

    flow = flow_of({"a": "b"}, Loose)
    state = flow.execute("source", {"a": 1, "b": 2})
    assert state.status == "failed"
    assert "'a' and 'b' onto 'b'" in state.errors[0].message
    assert "sink.trigger" in state.errors[0].message
    assert flow.execute("source", {"a": 1}).results["sink.output"] == [{"b": 1}]


@pytest.mark.parametrize("mapping", [{"a": 1}, {1: "a"}, ["a"], "a:b", {"a": None}], ids=repr)
def test_a_mapping_that_is_none_is_refused(mapping):
    with pytest.raises(
        InvalidOption, match=r"param_mapping cannot be .*; it takes a dict {event field: slot field}"
    ):
        flow_of(mapping)


def test_a_connection_is_a_value():
    one, other = Connection("a", "x", "b", "y", {"p": "q"}), Connection("a", "x", "b", "y", {"p": "q"})
    assert one == other
    assert one != Connection("a", "x", "b", "y")
    assert (one.source, one.target) == ("a.x", "b.y")
    assert str(one) == "a.x -> b.y"


def test_a_later_change_of_the_mapping_given_has_no_effect():
    mapping = {"a": "x"}
    flow = flow_of(mapping)
    mapping["b"] = "x"
    assert flow.connections[0].param_mapping == {"a": "x"}


def test_one_event_reaches_many_slots_in_connection_order(manager):
    order = []

    class Many(Routine):
        @slot
        def first(self, **data):
            order.append("first")

        @slot
        def second(self, **data):
            order.append("second")

    flow = Flow("many")
    flow.add_routine(Source(), "source")
    flow.add_routine(Many(), "many")
    flow.connect("source.output", "many.second")
    flow.connect("source.output", "many.first")
    assert flow.execute("source", {"a": 1}).status == "completed"
    assert order == ["second", "first"]


def test_many_events_reach_one_slot(manager):
    @routine
    def split(left, right):
        yield {"side": left}
        yield {"side": right}

    flow = Flow("many")
    flow.add_routine(split(), "one")
    flow.add_routine(split(), "two")
    flow.add_routine(Sink(), "sink")
    flow.add_routine(Source(), "source")
    for name in ("one", "two"):
        flow.connect("source", "output", name, "trigger", {"a": "left", "b": "right"})
        flow.connect(f"{name}.output", "sink.trigger")
    state = flow.execute("source", {"a": 1, "b": 2})
    assert sorted(payload["side"] for payload in state.results["sink.output"]) == [1, 1, 2, 2]


def test_the_same_connection_twice_delivers_twice(manager):
    flow = flow_of(None)
    flow.connect("source.output", "sink.trigger")
    assert flow.execute("source", {"a": 1}).results["sink.output"] == [{"a": 1}, {"a": 1}]


def test_a_routine_may_be_connected_to_itself(manager):
    class Countdown(Routine):
        again = Event("n")
        output = Event("done")

        @slot
        def trigger(self, n):
            if n:
                self.emit("again", n=n - 1)
            else:
                self.emit("output", done=True)

    flow = Flow("countdown")
    flow.add_routine(Countdown(), "count")
    flow.connect("count.again", "count.trigger")
    state = flow.execute("count", {"n": 5})
    assert state.results == {"count.output": [{"done": True}]}
    assert state.get_routine_state("count")["activations"] == 6


@pytest.mark.parametrize(
    "arguments",
    [
        ("source.output", "sink.trigger", {"a": "x"}),
        ("source", "output", "sink"),
        ("source.output", "sink.trigger", None, "c"),
    ],
)
def test_neither_two_names_nor_four_are_refused(arguments):
    with pytest.raises(
        InvalidOption, match=r"connect cannot be .*; it takes .*; param_mapping goes by its name"
    ):
        flow_of(None).connect(*arguments)
