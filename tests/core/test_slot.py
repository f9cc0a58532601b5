"""Slots and events: names, options, and what is refused."""

import pytest

from routilux_core import ErrorHandler, Event, Flow, InvalidName, InvalidOption, Routine, Slot, batch, slot


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("merge_strategy", "appendix"),
        ("merge_strategy", None),
        ("when", "each"),
        ("when", batch),
        ("concurrency", 0),
        ("concurrency", True),
        ("concurrency", 1.5),
        ("timeout", 0),
        ("timeout", -1),
        ("timeout", "1"),
        ("timeout", float("nan")),
        ("priority", "high"),
        ("priority", None),
        ("retry", "retry"),
        ("retry", 3),
    ],
)
def test_a_wrong_option_is_refused_with_its_name_and_value(option, value):
    made = Routine()
    with pytest.raises(InvalidOption) as caught:
        made.define_slot("work", **{option: value})
    assert str(caught.value).startswith(f"{option} cannot be {value!r}; it takes ")
    assert not made.slots


def test_an_unknown_option_lists_the_known_ones():
    with pytest.raises(InvalidOption) as caught:
        Routine().define_slot("work", speed=3)
    text = str(caught.value)
    assert "speed" in text
    for name in ("when", "concurrency", "timeout", "priority", "retry"):
        assert name in text


def test_an_unknown_option_of_the_decorator_is_refused_where_it_is_written():
    with pytest.raises(InvalidOption, match=r"speed"):

        @slot(speed=3)
        def work(self):
            """Never made."""


def test_wrong_options_are_value_errors_and_type_errors():
    with pytest.raises(ValueError, match=r"priority"):
        Slot("work", priority="high")
    with pytest.raises(TypeError, match=r"priority"):
        Slot("work", priority="high")


def test_a_slot_cannot_be_changed():
    made = Slot("work")
    with pytest.raises(AttributeError):
        made.priority = 3


def test_a_slot_with_all_its_options():
    retry = ErrorHandler("retry")
    made = Slot(
        "work", print, merge_strategy=max, when=batch(3), concurrency=1, timeout=2, priority=-1, retry=retry
    )
    assert made.handler is print
    assert made.merge_strategy is max
    assert made.when == batch(3)
    assert (made.concurrency, made.timeout, made.priority, made.retry) == (1, 2, -1, retry)


def test_higher_priorities_start_first(manager):
    order = []

    class Mixed(Routine):
        output = Event()

        @slot
        def trigger(self):
            self.emit("output")

        @slot(priority=-1)
        def last(self):
            order.append("last")

        @slot
        def middle(self):
            order.append("middle")

        @slot(priority=5)
        def first(self):
            order.append("first")

    flow = Flow("mixed")
    flow.add_routine(Mixed(), "mixed")
    for name in ("last", "middle", "first"):
        flow.connect("mixed.output", f"mixed.{name}")
    assert flow.execute("mixed").status == "completed"
    assert order == ["first", "middle", "last"]


def test_a_slot_without_a_handler_takes_and_drops(manager):
    made = Routine()
    made.define_slot("trigger")
    flow = Flow("silent")
    flow.add_routine(made, "silent")
    state = flow.execute("silent", {"value": 1})
    assert state.status == "completed"
    assert [record.event_name for record in state.execution_history] == ["start", "completed"]


def test_a_handler_that_is_not_callable_is_refused_before_anything_runs(manager):
    made = Routine()
    made.define_slot("trigger", handler="print")
    flow = Flow("wrong")
    flow.add_routine(made, "wrong")
    with pytest.raises(TypeError, match=r"'print' is not callable"):
        flow.execute("wrong")
    assert manager.running_jobs == []


def test_an_event_names_its_fields():
    made = Event("one", two=int)
    assert made.output_params == ["one", "two"]
    assert made.fields == {"one": None, "two": int}


def test_an_event_field_is_text():
    with pytest.raises(InvalidOption, match=r"event field cannot be 3; it takes text"):
        Event(3)


def test_an_event_attribute_follows_the_grammar():
    with pytest.raises((InvalidName, RuntimeError)) as caught:
        type("Odd", (Routine,), {"naïve": Event()})
    error = caught.value if isinstance(caught.value, InvalidName) else caught.value.__cause__
    assert isinstance(error, InvalidName)
