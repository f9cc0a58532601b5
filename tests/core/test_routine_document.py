"""Routines and error handlers as documents."""

import json
from pathlib import Path

import pytest

from routilux_core import (
    ErrorHandler,
    ErrorStrategy,
    Event,
    Flow,
    InvalidDocument,
    NotRebuildable,
    NotSerializable,
    Routine,
    UnknownKey,
    batch,
    routine,
    routine_document,
    slot,
)
from routilux_core import error_handler as handlers
from tests.core.shop import Load, OutOfStock, Scale, Sort, shop, total

STORED = Path(__file__).parent / "documents"


def through_json(data):
    return json.loads(json.dumps(data, allow_nan=False))


class Keeps(Routine):
    def __init__(self, path, mode="r"):
        super().__init__(mode=mode)
        self.path = path


class Imperative(Routine):
    def __init__(self):
        super().__init__()
        self.define_slot("trigger", self.handle, "append", concurrency=2)
        self.define_slot("pairs", lambda **data: None, lambda old, new: new, when=batch(2))
        self.define_event("output", ["n"])

    def handle(self, n):
        self.emit("output", n=n)


def made_again(thing):
    flow = Flow("one")
    flow.add_routine(thing, "one")
    return Flow().deserialize(through_json(flow.serialize())).routines["one"]


# -- what can be saved ---------------------------------------------------------------------------------


def test_a_document_names_the_class(manager):
    assert Scale(3).serialize() == {
        "schema": 1,
        "kind": "routine",
        "class": "tests.core.shop.Scale",
        "config": {"factor": 3, "unit": "m", "note": "made"},
    }


def test_a_document_restores_a_fresh_object(manager):
    first = shop().routines["load"]
    again = Load(folder="elsewhere").deserialize(through_json(first.serialize()))
    assert again.config() == first.config()
    assert again.error_handler == first.error_handler


def test_a_routine_that_another_package_brings_names_it(manager):
    assert Routine().serialize()["class"] == "routilux_core.routine.Routine"
    assert "package" not in Scale(2).serialize()
    assert Routine().serialize().get("package", "routilux-core ").startswith("routilux-core ")


@pytest.mark.parametrize(
    "thing",
    [
        Scale(),
        Scale(3),
        Scale(3, unit="kg"),
        Sort(),
        Sort("a"),
        Sort("a", "b"),
        total(),
        total(factor=2),
        Imperative(),
    ],
    ids=lambda thing: f"{type(thing).__name__}{thing.config()}",
)
def test_it_is_made_again_as_it_was(manager, thing):
    again = made_again(thing)
    assert type(again) is type(thing)
    assert again.config() == thing.config()
    assert list(again.slots) == list(thing.slots)
    assert list(again.events) == list(thing.events)
    for name, one in thing.slots.items():
        assert again.slots[name].concurrency == one.concurrency
        assert again.slots[name].when == one.when


def test_functions_that_a_class_brings_are_made_with_it(manager):
    assert callable(made_again(Imperative()).slots["pairs"].merge_strategy)


def test_values_of_every_kind_keep_their_types(manager):
    config = {"pair": (1, 2), "by": {1: "one"}, "set": {1}, "none": None, "nested": [{"a": (b"x",)}]}
    assert made_again(Scale(unit="m")).config()["unit"] == "m"
    thing = Scale(2)
    thing.set_config(**config)
    again = made_again(thing).config()
    assert {name: again[name] for name in config} == config


def test_a_serialized_routine_is_not_changed(manager):
    thing = Sort("a")
    before = thing.config()
    thing.serialize()
    assert thing.config() == before
    assert list(thing.flows) == []


# -- what cannot ---------------------------------------------------------------------------------------


def test_an_argument_that_the_configuration_does_not_hold_is_refused_by_name(manager):
    with pytest.raises(NotRebuildable) as caught:
        Keeps("x", mode="w").serialize()
    assert str(caught.value) == (
        "routine 'routine' cannot be saved: its constructor was given 'path', which config() does not hold; "
        "pass it on: super().__init__(path=path)"
    )


def test_by_position_or_by_name_is_the_same(manager):
    for thing in (Keeps("x"), Keeps(path="x"), Keeps(mode="w", path="x")):
        with pytest.raises(NotRebuildable, match="'path'"):
            thing.serialize()


def test_validate_says_so_too(manager):
    flow = Flow("keeps")
    flow.add_routine(Keeps("x"), "keeps")
    assert any("'path', which config() does not hold" in str(problem) for problem in flow.validate())
    assert not any(problem.fatal for problem in flow.validate())


def test_an_argument_that_was_not_given_may_be_missing(manager):
    class Counts(Routine):
        def __init__(self, start=0):
            super().__init__()
            self.start = start

    assert type(made_again(Counts())) is Counts
    with pytest.raises(NotRebuildable, match="'start'"):
        Counts(1).serialize()


@pytest.mark.parametrize("handler", [None, print, lambda **data: None])
def test_a_slot_from_outside_is_refused_by_name(manager, handler):
    for thing in (Routine(), Scale(2), Sort("a")):
        thing.define_slot("more", handler)
        with pytest.raises(
            NotRebuildable, match="slot 'more' was defined outside of its class and constructor"
        ):
            thing.serialize()


def test_an_event_from_outside_is_refused_by_name(manager):
    for thing in (Routine(), Scale(2), Sort("a")):
        thing.define_event("more")
        with pytest.raises(NotRebuildable, match="event 'more' was defined outside"):
            thing.serialize()


def test_validate_names_slots_of_a_bare_routine(manager):
    flow, bare = Flow("bare"), Routine()
    bare.define_slot("trigger", print)
    flow.add_routine(bare, "bare")
    assert any("'trigger' was defined outside" in str(problem) for problem in flow.validate())


def test_a_configuration_that_makes_other_slots_is_refused(manager):
    thing = Sort("a", "b")
    thing.set_config(kinds=("a", "c"))
    with pytest.raises(NotRebuildable, match="event 'b' was defined outside"):
        thing.serialize()
    thing.set_config(kinds=("a", "b", "c"))
    with pytest.raises(NotRebuildable, match="its constructor would now make event 'c'"):
        thing.serialize()


def test_a_constructor_that_refuses_its_own_configuration_is_found_at_saving(manager):
    class Fussy(Routine):
        def __init__(self, size):
            super().__init__(size=size * 2)
            if size > 2:
                raise ValueError("too big")
            self.define_event("output")

    with pytest.raises(
        NotRebuildable, match="its constructor fails with its own configuration: ValueError: too big"
    ):
        Fussy(2).serialize()


def test_a_document_of_another_class_is_refused(manager):
    with pytest.raises(
        InvalidDocument, match=r"class 'tests.core.shop.Scale', and this routine of 'tests.core.shop.Sort'"
    ):
        Sort("a").deserialize(Scale(2).serialize())


def test_a_document_under_a_registered_name_is_taken(manager):
    manager.registry.register(Scale, "shop.scale")
    data = Scale(4).serialize()
    assert data["class"] == "shop.scale"
    assert Scale().deserialize(data).get_config("factor") == 4
    data["class"] = "tests.core.shop.Scale"
    assert Scale().deserialize(data).get_config("factor") == 4


def test_a_faulty_document_changes_nothing(manager):
    thing = Load(folder="x")
    before = thing.config()
    data = shop().routines["load"].serialize()
    data["error_handler"]["strategy"] = "panic"
    with pytest.raises(InvalidDocument):
        thing.deserialize(data)
    assert (thing.config(), thing.error_handler) == (before, None)


@pytest.mark.parametrize("number", range(1, routine_document.SCHEMA.number + 1))
def test_a_stored_document_of_each_schema_is_still_read(manager, number):
    data = json.loads((STORED / f"routine-{number}.json").read_text("utf-8"))
    assert Load(folder="x").deserialize(data).serialize() == shop().routines["load"].serialize()


def test_the_class_of_a_module_that_was_run_again_is_the_one_that_is_there(manager):
    name = f"{__name__}.Renewed"

    def define():
        return type("Renewed", (Routine,), {"__module__": __name__, "__qualname__": "Renewed"})

    old, globals()["Renewed"] = define(), define()
    try:
        assert old is not globals()["Renewed"]
        assert old().serialize()["class"] == name
        assert type(made_again(old())) is globals()["Renewed"]
    finally:
        del globals()["Renewed"]


# -- error handlers ------------------------------------------------------------------------------------


HANDLERS = [
    ErrorHandler(),
    ErrorHandler("retry", max_retries=9, retry_delay=0.5, retry_backoff=1, max_delay=3, jitter=False),
    ErrorHandler(ErrorStrategy.SKIP, retryable_exceptions=ValueError, is_optional=True),
    ErrorHandler("continue", retryable_exceptions=(OutOfStock, KeyboardInterrupt, json.JSONDecodeError)),
    ErrorHandler("stop", is_critical=True, retryable_exceptions=()),
]


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda handler: str(handler.strategy))
def test_a_handler_comes_back(handler):
    data = through_json(handler.serialize())
    assert (data["schema"], data["kind"]) == (1, "error_handler")
    assert ErrorHandler().deserialize(data) == handler


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"strategy": "panic"}, "panic"),
        ({"strategy": ["stop"]}, "strategy"),
        ({"max_retries": -1}, "max_retries"),
        ({"max_retries": "3"}, "max_retries"),
        ({"jitter": 1}, "error_handler.jitter"),
        ({"is_critical": "no"}, "error_handler.is_critical"),
        ({"retryable_exceptions": "ValueError"}, "error_handler.retryable_exceptions"),
        ({"retryable_exceptions": ["ValueErorr"]}, "did you mean 'ValueError'"),
        ({"retryable_exceptions": ["os.system"]}, "'os.system'"),
        ({"retryable_exceptions": ["builtins.eval"]}, "'builtins.eval'"),
        ({"retryable_exceptions": [["ValueError"]]}, "retryable_exceptions[0]"),
        ({"retries": 3}, "did you mean"),
    ],
    ids=str,
)
def test_a_faulty_handler_is_refused_by_name_and_changes_nothing(change, text):
    handler = ErrorHandler("skip")
    with pytest.raises(InvalidDocument) as caught:
        handler.deserialize({**ErrorHandler().serialize(), **change})
    assert text in str(caught.value)
    assert handler == ErrorHandler("skip")


def test_an_unknown_key_is_its_own_kind_of_error():
    with pytest.raises(UnknownKey):
        ErrorHandler().deserialize({**ErrorHandler().serialize(), "x": 1})


@pytest.mark.parametrize("number", range(1, handlers.SCHEMA.number + 1))
def test_a_stored_handler_of_each_schema_is_still_read(number):
    data = json.loads((STORED / f"error_handler-{number}.json").read_text("utf-8"))
    expected = ErrorHandler("retry", max_retries=2, retryable_exceptions=(OSError, OutOfStock))
    assert ErrorHandler().deserialize(data) == expected


def test_the_handler_of_a_routine_is_the_last_that_was_set(manager):
    class Careful(Routine):
        output = Event()

        def __init__(self):
            super().__init__()
            self.set_as_optional()

        @slot
        def trigger(self):
            """Do nothing."""

    thing = Careful()
    assert made_again(thing).error_handler == ErrorHandler("continue", is_optional=True)
    thing.set_as_critical(max_retries=1)
    assert made_again(thing).error_handler == ErrorHandler("retry", max_retries=1, is_critical=True)


def test_a_value_that_cannot_be_saved_is_named(manager):
    @routine
    def give():
        """Give nothing."""

    with pytest.raises(NotSerializable, match=r"routine\.config\['db'\]\.?.*: object"):
        give(db=object()).serialize()
