"""RoutineContract: a good routine passes each ready test, and each finds what it is for."""

import unittest

import pytest
from attrs import frozen

from routilux_core import Event, Routine, routine, slot
from routilux_core.testing import RoutineContract


@frozen
class Order:
    number: int


class Scale(Routine):
    """Multiplies by a configured factor."""

    output = Event(value=int)

    def __init__(self, factor=2):
        super().__init__(factor=factor)

    @slot
    def trigger(self, value):
        self.increment_stat("calls")
        self.emit("output", value=self.get_config("factor") * value)

    @slot
    def each(self, values: list[int]):
        for value in values:
            self.emit("output", value=value)
            yield

    @slot
    def order(self, order: Order):
        self.emit("output", value=order.number)


class TestScale(RoutineContract):
    examples = {  # noqa: RUF012 - as an author writes it
        "trigger": [{"value": 1}, {"value": 2}],
        "each": [{"values": [1, 2, 3]}],
        "order": [{"order": Order(3)}, {"order": {"number": 4}}],
    }

    def routine(self):
        return Scale(factor=3)


@routine
async def shout(text):
    """Says it louder."""
    return {"text": text.upper()}


class TestShout(RoutineContract):
    routine = shout
    examples = {"trigger": [{"text": "a"}, {"text": "b"}]}  # noqa: RUF012 - as above


# -- what each test finds ----------------------------------------------------------------------------------


class Undocumented(Routine):
    output = Event()


class Failing(Routine):
    """Fails."""

    @slot
    def trigger(self):
        raise ZeroDivisionError


class Talkative(Routine):
    """Sends what it has not declared."""

    output = Event("value")

    @slot
    def trigger(self):
        self.emit("output", value=1, more=2)


class Silent(Routine):
    """Leaves out what it has declared."""

    output = Event("value", "more")

    @slot
    def trigger(self):
        self.emit("output", value=1)


class Mistyped(Routine):
    """Sends text for a number."""

    output = Event(value=int)

    @slot
    def trigger(self):
        self.emit("output", value="1")


class Counting(Routine):
    """Keeps a count on itself."""

    output = Event("count")

    def __init__(self):
        super().__init__()
        self.count = 0

    @slot
    def trigger(self):
        self.count += 1
        self.emit("output", count=self.count)


class Remembering(Routine):
    """Keeps the items of a generator on itself."""

    output = Event("items")

    @slot
    def trigger(self):
        self.items = []
        for number in range(3):
            self.items.append(number)
            yield
        self.emit("output", items=self.items)


class Reconfiguring(Routine):
    """Changes its configuration, behind the back of `set_config`."""

    @slot
    def trigger(self):
        self._config["calls"] = self._config.get("calls", 0) + 1


class Forgetful(Routine):
    """Keeps its factor where no document finds it."""

    output = Event("value")

    def __init__(self, factor=2):
        super().__init__()
        self.factor = factor

    @slot
    def trigger(self):
        self.emit("output", value=self.factor)


class Positional(Routine):
    """Has a handler that no payload can be given to."""

    def __init__(self):
        super().__init__()
        self.define_slot("trigger", self.act)

    def act(self, value, /):
        pass


ONE = Undocumented()
BAD = {
    "test_it_is_made_anew": (lambda: ONE, AssertionError, "same object"),
    "test_it_says_what_it_does": (Undocumented, AssertionError, "no docstring"),
    "test_its_handlers_bind": (Positional, TypeError, "positional-only"),
    "test_it_takes_its_examples": (Failing, ZeroDivisionError, None),
    "test_it_emits_what_it_declares": (
        Talkative,
        AssertionError,
        "declares .'value'., and .'value', 'more'.",
    ),
    "test_two_jobs_do_not_disturb_each_other": (Counting, AssertionError, "on itself"),
    "test_its_configuration_stays": (Reconfiguring, AssertionError, "changed the configuration"),
}
MORE = [
    ("test_it_is_made_anew", str, AssertionError, "gave str"),
    ("test_it_is_made_anew", Routine, AssertionError, "neither slots nor events"),
    ("test_it_emits_what_it_declares", Silent, AssertionError, "declares"),
    ("test_it_emits_what_it_declares", Mistyped, AssertionError, "'value' is '1', declared as"),
    ("test_two_jobs_do_not_disturb_each_other", Remembering, AssertionError, "on itself"),
    ("test_it_can_be_rebuilt", lambda: Forgetful(factor=3), TypeError, "factor"),
    ("test_rebuilt_it_does_the_same", lambda: Forgetful(factor=3), TypeError, "factor"),
]


def contract(made, given):
    class Contract(RoutineContract):
        examples = given

        def routine(self):
            return made()

    return Contract()


@pytest.mark.parametrize(
    ("test", "made", "error", "text"), [*((name, *rest) for name, rest in BAD.items()), *MORE]
)
def test_what_is_wrong_is_found(test, made, error, text):
    with pytest.raises(error, match=text):
        getattr(contract(made, {"trigger": [{}, {}]}), test)()


@pytest.mark.parametrize(
    ("examples", "text"),
    [({}, "no example for slots .'each', 'order', 'trigger'"), ({"trigge": [{}]}, "no slots .'trigge'")],
)
def test_examples_have_to_fit_the_slots(examples, text):
    with pytest.raises(AssertionError, match=text):
        contract(Scale, examples).test_every_slot_has_an_example()


def test_a_contract_without_a_routine_says_what_to_do():
    with pytest.raises(NotImplementedError, match="Contract needs `routine`"):
        RoutineContract().test_it_is_made_anew()


def test_one_that_gives_something_else_each_time_may_say_so():
    class Random(RoutineContract):
        routine = Counting
        repeatable = False
        examples = {"trigger": [{}, {}]}  # noqa: RUF012 - as above

    Random().test_two_jobs_do_not_disturb_each_other()
    Random().test_rebuilt_it_does_the_same()


def test_unittest_runs_it_too():
    class Case(TestScale, unittest.TestCase):
        pass

    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(Case).run(result)

    assert result.testsRun == 10
    assert result.wasSuccessful(), result.failures + result.errors


def test_every_ready_test_is_seen_to_fail():
    """The control of the controls: no ready test is without a routine that it refuses."""
    ready = {name for name in dir(RoutineContract) if name.startswith("test_")}

    assert ready == {*BAD, *(name for name, *_ in MORE), "test_every_slot_has_an_example"}
