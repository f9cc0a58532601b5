"""`@routine`: plain functions as routines."""

import pytest

from routilux_core import Flow, InvalidHandler, InvalidOption, Routine, batch, get_execution_context, routine


def results(made, entry=None):
    """Run a routine alone and return what it sent."""
    flow = Flow("alone")
    flow.add_routine(made, "it")
    state = flow.execute("it", entry or {})
    assert state.status == "completed", state.errors
    return state.results.get("it.output", [])


def test_it_makes_a_class_of_the_functions_name():
    @routine
    def scale(value):
        """Scale it."""

    assert issubclass(scale, Routine)
    assert scale.__name__ == "scale"
    assert scale.__doc__ == "Scale it."
    assert scale.__module__ == __name__


def test_a_sync_function(manager):
    @routine
    def double(value):
        return {"value": 2 * value}

    assert results(double(), {"value": 4}) == [{"value": 8}]


def test_an_async_function(manager):
    @routine
    async def double(value):
        return {"value": 2 * value}

    assert results(double(), {"value": 4}) == [{"value": 8}]


def test_a_generator(manager):
    @routine
    def count(until):
        for number in range(until):
            yield {"number": number}

    assert results(count(), {"until": 3}) == [{"number": 0}, {"number": 1}, {"number": 2}]


def test_an_async_generator(manager):
    @routine
    async def count(until):
        for number in range(until):
            yield {"number": number}

    assert results(count(), {"until": 3}) == [{"number": 0}, {"number": 1}, {"number": 2}]


@pytest.mark.parametrize("value", [0, False, "", [], 7, "text", [1, 2], (1, 2)], ids=repr)
def test_another_value_goes_out_as_result(manager, value):
    @routine
    def give():
        return value

    assert results(give()) == [{"result": value}]


def test_none_emits_nothing(manager):
    @routine
    def give():
        return None

    assert results(give()) == []


def test_an_empty_dict_is_an_empty_payload(manager):
    @routine
    def give():
        return {}

    assert results(give()) == [{}]


def test_an_item_of_a_generator_follows_the_same_rules(manager):
    @routine
    def give():
        yield {"value": 1}
        yield None
        yield 2

    assert results(give()) == [{"value": 1}, {"result": 2}]


def test_a_generator_that_gives_nothing_sends_nothing(manager):
    @routine
    def give():
        yield from ()

    assert results(give()) == []


def test_its_parameters_are_the_fields(manager):
    @routine
    def pick(first, second=2, **others):
        return {"first": first, "second": second, "others": others}

    assert results(pick(), {"first": 1, "third": 3}) == [{"first": 1, "second": 2, "others": {"third": 3}}]


def test_a_field_that_it_does_not_name_is_left_out(manager):
    @routine
    def pick(first):
        return {"first": first}

    assert results(pick(), {"first": 1, "third": 3}) == [{"first": 1}]


def test_a_missing_field_names_routine_slot_and_field(manager):
    @routine
    def pick(first):
        return first

    flow = Flow("alone")
    flow.add_routine(pick(), "pick")
    state = flow.execute("pick", {"second": 1})
    assert state.status == "failed"
    assert state.errors[0].type == "MissingField"
    assert "slot 'pick.trigger' needs 'first'" in state.errors[0].message
    assert "gives: second" in state.errors[0].message


def test_field_names_that_look_like_parameters_of_ours_pass(manager):
    @routine
    def give():
        return {"self": 1, "event": 2, "flow": 3, "data": 4}

    assert results(give()) == [{"self": 1, "event": 2, "flow": 3, "data": 4}]


def test_a_dict_with_other_keys_than_text_is_refused(manager):
    @routine
    def give():
        return {1: "one"}

    flow = Flow("alone")
    flow.add_routine(give(), "give")
    state = flow.execute("give")
    assert state.status == "failed"
    assert "its key 1 is of type int" in state.errors[0].message
    assert "a payload is a dict with text keys" in state.errors[0].message


def test_slot_options_reach_the_slot(manager):
    @routine(when=batch(2), priority=3)
    def pairs(value):
        return {"pair": value}

    made = pairs()
    assert made.get_slot("trigger").priority == 3
    assert made.get_slot("trigger").when == batch(2)


def test_an_unknown_slot_option_is_refused_where_it_is_written():
    with pytest.raises(InvalidOption, match=r"speed"):

        @routine(speed=3)
        def fast():
            """Never made."""


def test_positional_only_parameters_are_refused_where_they_are_written():
    with pytest.raises(InvalidHandler, match=r"'value' is positional-only, and fields come by name"):

        @routine
        def strict(value, /):
            """Never made."""


def test_configuration_comes_by_the_constructor():
    @routine
    def scale(value):
        return value

    assert scale(factor=3).get_config("factor") == 3


def test_the_function_has_the_context(manager):
    @routine
    def who():
        return {"id": get_execution_context().routine_id}

    assert results(who()) == [{"id": "it"}]


def test_the_function_itself_stays_callable():
    @routine
    def double(value):
        return 2 * value

    assert double.function(4) == 8
