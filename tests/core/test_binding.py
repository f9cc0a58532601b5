"""How payloads meet the parameters of handlers."""

from functools import partial

import pytest

from routilux_core import Event, Flow, InvalidFlow, MissingField, Routine, routine, slot


def flow_of(handler):
    made = Routine()
    made.define_slot("trigger", handler)
    flow = Flow("bound")
    flow.add_routine(made, "it")
    return flow


def call(handler, **data):
    state = flow_of(handler).execute("it", data)
    assert state.status == "completed", state.errors
    return state


@pytest.fixture
def seen():
    return []


def test_a_handler_with_keywords_gets_every_field(manager, seen):
    call(lambda **data: seen.append(data), a=1, b=2)
    assert seen == [{"a": 1, "b": 2}]


def test_a_handler_gets_the_fields_that_it_names(manager, seen):
    call(lambda a, b: seen.append((a, b)), a=1, b=2, c=3)
    assert seen == [(1, 2)]


def test_a_handler_without_parameters_gets_none(manager, seen):
    call(lambda: seen.append("called"), a=1)
    assert seen == ["called"]


def test_defaults_stand_in_for_what_does_not_come(manager, seen):
    call(lambda a, b=7: seen.append((a, b)), a=1)
    assert seen == [(1, 7)]


def test_named_ones_and_keywords_together(manager, seen):
    call(lambda a, **rest: seen.append((a, rest)), a=1, b=2)
    assert seen == [(1, {"b": 2})]


def test_keyword_only_parameters(manager, seen):
    def handle(*, a, b=2):
        seen.append((a, b))

    call(handle, a=1)
    assert seen == [(1, 2)]


def test_arguments_without_names_are_left_empty(manager, seen):
    call(lambda *rest, a: seen.append((rest, a)), a=1)
    assert seen == [((), 1)]


def test_a_positional_only_parameter_with_a_default_keeps_it(manager, seen):
    def handle(a=5, /, b=6):
        seen.append((a, b))

    call(handle, a=1, b=2)
    assert seen == [(5, 2)]


def test_a_positional_only_parameter_without_a_default_is_refused(manager):
    def handle(a, /):
        """Cannot be called by name."""

    with pytest.raises((TypeError, InvalidFlow), match=r"'a' is positional-only, and fields come by name"):
        call(handle, a=1)


def test_a_partial_is_bound_without_what_it_has(manager, seen):
    def handle(kind, value):
        seen.append((kind, value))

    call(partial(handle, "x"), value=1)
    assert seen == [("x", 1)]


def test_a_keyword_of_a_partial_is_a_default(manager, seen):
    def handle(kind, value):
        seen.append((kind, value))

    call(partial(handle, value=9), kind="x")
    call(partial(handle, value=9), kind="x", value=1)
    assert seen == [("x", 9), ("x", 1)]


def test_a_partial_of_an_async_function(manager, seen):
    async def handle(kind, value):
        seen.append((kind, value))

    call(partial(handle, "x"), value=1)
    assert seen == [("x", 1)]


def test_a_callable_object(manager, seen):
    class Callable:
        def __call__(self, value):
            seen.append(value)

    call(Callable(), value=1)
    assert seen == [1]


def test_a_callable_object_with_an_async_call(manager, seen):
    class Callable:
        async def __call__(self, value):
            seen.append(value)

    call(Callable(), value=1)
    assert seen == [1]


def test_a_class_as_handler(manager, seen):
    class Record:
        def __init__(self, value):
            seen.append(value)

    call(Record, value=1)
    assert seen == [1]


def test_static_and_class_methods(manager, seen):
    class Holder:
        @staticmethod
        def still(value):
            seen.append(("static", value))

        @classmethod
        def of_class(cls, value):
            seen.append((cls, value))

    call(Holder.still, value=1)
    call(Holder.of_class, value=2)
    assert seen == [("static", 1), (Holder, 2)]


def test_a_built_in_whose_signature_cannot_be_read_gets_every_field(manager, seen):
    call(dict, a=1, b=2)
    gathered = {}
    call(gathered.update, a=1, b=2)
    assert gathered == {"a": 1, "b": 2}


# -- what is missing -----------------------------------------------------------------------------------


def test_a_missing_field_names_slot_field_and_event(manager):
    class Sending(Routine):
        output = Event("value")

        @slot
        def trigger(self):
            self.emit("output", value=1)

    class Receiving(Routine):
        @slot
        def take(self, total, value):
            """Needs a total."""

    flow = Flow("missing")
    flow.add_routine(Sending(), "sum")
    flow.add_routine(Receiving(), "merge")
    flow.connect("sum.output", "merge.take")
    state = flow.execute("sum")
    assert state.status == "failed"
    error = state.errors[0]
    assert (error.type, error.routine_id, error.slot) == ("MissingField", "merge", "take")
    assert error.message == (
        "slot 'merge.take' needs 'total', and event 'sum.output' gives: value; "
        "send that field, rename one with param_mapping, or give the parameter a default"
    )


def test_a_missing_entry_field_says_that_it_came_from_outside(manager):
    @routine
    def take(total):
        return total

    flow = Flow("missing")
    flow.add_routine(take(), "take")
    state = flow.execute("take")
    assert (
        "slot 'take.trigger' needs 'total', and the call from outside gives: nothing"
        in state.errors[0].message
    )
    with pytest.raises(RuntimeError) as caught:
        state.raise_for_status()
    assert isinstance(caught.value.__cause__, MissingField)
    assert isinstance(caught.value.__cause__, TypeError)
    assert isinstance(caught.value.__cause__, LookupError)


def test_a_required_field_is_wanted_of_a_handler_with_keywords_too(manager):
    state = flow_of(lambda a, **rest: None).execute("it", {"b": 1})
    assert state.errors[0].type == "MissingField"


def test_a_flow_runs_on_after_a_missing_field(manager, seen):
    flow = flow_of(lambda a: seen.append((a,)))
    assert flow.execute("it").status == "failed"
    assert flow.execute("it", {"a": 1}).status == "completed"
    assert seen == [(1,)]


# -- binding is done once ------------------------------------------------------------------------------


def test_a_signature_is_read_once_however_often_a_job_calls(manager):
    class Watched:
        read = 0
        calls = 0

        @property
        def __signature__(self):
            type(self).read += 1
            raise AttributeError

        def __call__(self, n=0):
            type(self).calls += 1

    handler = Watched()
    flow = flow_of(handler)
    flow.execute("it")
    before = Watched.read
    for _ in range(20):
        flow.execute("it", {"n": 1})
    assert Watched.calls == 21
    assert Watched.read == before


# -- payloads of any kind ------------------------------------------------------------------------------


class Unhashable(dict):
    def __deepcopy__(self, memo):
        raise TypeError("not to be copied")

    def __eq__(self, other):
        raise TypeError("not to be compared")

    __hash__ = None


@pytest.mark.parametrize(
    "value",
    [Unhashable(), {1, 2}, [[]], object(), lambda: 0, (number for number in ()), open, NotImplemented],
    ids=lambda value: type(value).__name__,
)
def test_a_payload_arrives_as_the_object_that_was_sent(manager, value):
    got = []

    class Passing(Routine):
        output = Event()

        @slot
        def trigger(self, value):
            self.emit("output", value=value)

    class Taking(Routine):
        @slot
        def trigger(self, value):
            got.append(value)

    flow = Flow("passing")
    flow.add_routine(Passing(), "a")
    flow.add_routine(Taking(), "b")
    flow.connect("a.output", "b.trigger")
    assert flow.execute("a", {"value": value}).status == "completed"
    assert got[0] is value


@pytest.mark.parametrize("entry", [[("a", 1)], "a=1", 7, {1: "one"}, {("a",): 1}], ids=repr)
def test_entry_parameters_that_are_no_payload_are_refused(manager, seen, entry):
    flow = flow_of(lambda **data: seen.append(data))
    with pytest.raises(
        (TypeError, ValueError), match=r"entry_params gave no payload: .*; a payload is a dict with text keys"
    ):
        flow.execute("it", entry)
    assert seen == []
    assert manager.running_jobs == []
    assert flow.execute("it", {"a": 1}).status == "completed"
