"""Annotated parameters: plain data arrives as what the annotation says, and nothing else is touched."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, NewType, Optional
from uuid import UUID

import pytest
from attrs import field, frozen

from routilux_core import Event, Flow, InvalidField, JobManager, Routine, hookimpl, routine, slot
from routilux_core.plan import compile_flow
from routilux_plugins.executors import sequential


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Level(IntEnum):
    LOW = 1


@frozen
class Item:
    name: str
    price: Decimal = Decimal(1)


@frozen
class Order:
    number: int
    items: list[Item] = field(factory=list)
    due: date | None = None


@dataclasses.dataclass
class Point:
    x: int
    y: int = 0


class Pair(NamedTuple):
    left: int
    right: str


Number = NewType("Number", Decimal)
AN_ID = UUID("12345678-1234-5678-1234-567812345678")
APPLE = Item("apple", Decimal("1.5"))


def arrive(kind, value):
    """Return what a handler gets whose parameter `it` is of that kind."""
    got = []

    def handle(it):
        got.append(it)

    handle.__annotations__["it"] = kind
    run(handle, it=value)
    return got[0]


def run(handler, **data):
    flow = flow_of(handler)
    state = flow.execute("take", data)
    state.raise_for_status()
    return state


def flow_of(handler, **options):
    made = Routine()
    made.define_slot("trigger", handler, **options)
    flow = Flow("typed")
    flow.add_routine(made, "take")
    return flow


STRUCTURED = [
    (Colour, "red", Colour.RED),
    (Level, 1, Level.LOW),
    (date, "2024-02-29", date(2024, 2, 29)),
    (datetime, "2024-02-29T12:00:00+00:00", datetime(2024, 2, 29, 12, tzinfo=UTC)),
    (time, "12:30", time(12, 30)),
    (timedelta, 90, timedelta(seconds=90)),
    (Decimal, "1.50", Decimal("1.50")),
    (UUID, str(AN_ID), AN_ID),
    (Path, "a/b", Path("a/b")),
    (bytes, "aGk=", b"hi"),
    (set[int], [1, 2], {1, 2}),
    (frozenset[str], ["a"], frozenset({"a"})),
    (tuple[int, str], [1, "a"], (1, "a")),
    (tuple[Path, ...], ["a", "b"], (Path("a"), Path("b"))),
    (Item, {"name": "apple", "price": "1.5"}, APPLE),
    (Order, {"number": 1, "items": [{"name": "apple", "price": "1.5"}]}, Order(1, [APPLE])),
    (Point, {"x": 1}, Point(1)),
    (list[Item], [{"name": "apple", "price": "1.5"}, APPLE], [APPLE, APPLE]),
    (dict[str, Path], {"a": "b"}, {"a": Path("b")}),
    (Mapping[str, Colour], {"a": "red"}, {"a": Colour.RED}),
    (Sequence[Decimal], ["1"], (Decimal(1),)),
    (Item | None, {"name": "apple", "price": "1.5"}, APPLE),
    (Optional[date], "2024-02-29", date(2024, 2, 29)),  # noqa: UP045 - users write it so
    (Annotated[Path, "where"], "a", Path("a")),
    (Number, "2", Decimal(2)),
    ("Item", {"name": "apple", "price": "1.5"}, APPLE),
    ("list[Item] | None", [{"name": "apple", "price": "1.5"}], [APPLE]),
]


@pytest.mark.parametrize(("kind", "plain", "value"), STRUCTURED, ids=str)
def test_plain_data_arrives_as_what_is_annotated(manager, kind, plain, value):
    got = arrive(kind, plain)
    assert (type(got), got) == (type(value), value)


@pytest.mark.parametrize(("kind", "plain", "value"), STRUCTURED, ids=str)
def test_what_is_right_already_passes_by(manager, kind, plain, value):
    assert arrive(kind, value) is value


@pytest.mark.parametrize(
    ("kind", "value"),
    [(Point | Any, {"x": 1}), (list[Item | Any], [{"name": "apple"}]), (tuple[Any, ...], (1, {}))],
    ids=str,
)
def test_anything_passes_where_anything_may_be(manager, kind, value):
    assert arrive(kind, value) is value


@pytest.mark.parametrize("kind", [Item | None, Optional[date], "Colour | None"], ids=str)  # noqa: UP045
def test_none_passes_where_it_may_be(manager, kind):
    assert arrive(kind, None) is None


class Foreign:
    """A class that nobody knows how to make."""


@pytest.mark.parametrize(
    "kind",
    [
        int,
        str,
        float,
        bool,
        list,
        dict,
        list[int],
        dict[str, float],
        int | None,
        Any,
        object,
        Literal["a"],
        Foreign,
        Callable[[int], int],
        Iterable[str],
        "Unseen",
        "Missing[",
        None,
    ],
    ids=str,
)
@pytest.mark.parametrize(
    "value", ["5", 5, None, [1], {"a": 1}, Foreign()], ids=lambda value: type(value).__name__
)
def test_what_json_can_express_passes_unchanged(manager, kind, value):
    assert arrive(kind, value) is value


WRONG = [
    (Colour, "green", "'green'"),
    (date, "yesterday", "'yesterday'"),
    (Decimal, "much", "'much'"),
    (Item, {"name": 1}, "name"),
    (Item, {"nam": "apple"}, "nam"),
    (Item, "apple", "'apple'"),
    (Order, {"number": 1, "items": [{"name": "a", "price": "x"}]}, "items[0].price"),
    (list[Item], {"name": "apple"}, "'name'"),
    (tuple[int, str], [1], "[1]"),
    (Path, 7, "7"),
    (set[Path], "abc", "'abc'"),
]


@pytest.mark.parametrize(("kind", "plain", "text"), WRONG, ids=str)
def test_what_cannot_become_it_is_an_error_that_names_everything(manager, kind, plain, text):
    flow = flow_of(handle := lambda it: None)
    handle.__annotations__["it"] = kind
    flow = flow_of(handle)
    state = flow.execute("take", {"it": plain})
    assert state.status == "failed"
    error = state.errors[0]
    assert (error.type, error.routine_id, error.slot) == ("InvalidField", "take", "trigger")
    assert "slot 'take.trigger' takes 'it' as " in error.message
    assert text in error.message
    with pytest.raises(RuntimeError) as caught:
        state.raise_for_status()
    cause = caught.value.__cause__
    assert isinstance(cause, InvalidField)
    assert isinstance(cause, ValueError)
    assert isinstance(cause, TypeError)
    assert (cause.slot, cause.field, cause.value) == ("take.trigger", "it", plain)


def test_an_error_shows_a_huge_value_in_a_line(manager):
    def handle(it: Item):
        """Never called."""

    state = flow_of(handle).execute("take", {"it": "x" * 1_000_000})
    assert len(state.errors[0].message) < 1000


def test_a_control_a_failing_field_leaves_no_effect(manager):
    called = []

    def handle(a, it: Item):
        called.append(a)

    assert flow_of(handle).execute("take", {"a": 1, "it": 3}).status == "failed"
    assert called == []


# -- every kind of handler -----------------------------------------------------------------------------


class Shop(Routine):
    output = Event("name")

    @slot
    def plain(self, item: Item):
        self.emit("output", name=item.name)

    @slot
    def generator(self, items: list[Item]):
        for item in items:
            self.emit("output", name=item.name)
            yield

    @slot
    async def coroutine(self, item: Item):
        self.emit("output", name=item.name)

    @slot
    async def async_generator(self, item: Item):
        self.emit("output", name=item.name)
        yield

    @slot
    def everything(self, item: Item, **rest):
        self.emit("output", name=item.name, **rest)

    @slot
    def keyword(self, *, item: Item = APPLE):
        self.emit("output", name=item.name)

    @slot(timeout=60)
    def limited(self, item: Item):
        self.emit("output", name=item.name)

    @slot(merge_strategy="append")
    def gathered(self, item: list[Item]):
        self.emit("output", name=item[-1].name)


@pytest.mark.parametrize(
    "name", ["plain", "coroutine", "async_generator", "everything", "keyword", "limited", "gathered"]
)
def test_every_kind_of_handler_gets_it(manager, name):
    flow = Flow("shop")
    flow.add_routine(Shop(), "shop")
    state = flow.execute("shop", {"item": {"name": "pear"}}, entry_slot=name)
    state.raise_for_status()
    assert state.results == {"shop.output": [{"name": "pear"}]}


def test_a_generator_gets_it(manager):
    flow = Flow("shop")
    flow.add_routine(Shop(), "shop")
    state = flow.execute("shop", {"items": [{"name": "a"}, {"name": "b"}]}, entry_slot="generator")
    assert state.results == {"shop.output": [{"name": "a"}, {"name": "b"}]}


def test_a_function_gets_it(manager):
    @routine
    def name(item: Item, when: date = date(2024, 1, 1)):
        return {"name": item.name, "year": when.year}

    flow = Flow("name")
    flow.add_routine(name(), "name")
    state = flow.execute("name", {"item": {"name": "pear"}})
    assert state.results == {"name.output": [{"name": "pear", "year": 2024}]}


def test_partials_methods_classes_and_callable_objects_get_it(manager):
    got = []

    class Callable:
        def __call__(self, item: Item):
            got.append(item)

        @staticmethod
        def still(item: Item):
            got.append(item)

        @classmethod
        def of_class(cls, item: "Item"):
            got.append(item)

    class Made:
        def __init__(self, item: Item):
            got.append(item)

    def two(prefix, item: Item):
        got.append(item)

    handlers = [Callable(), Callable.still, Callable.of_class, Made, partial(two, "x")]
    for handler in handlers:
        run(handler, item={"name": "apple", "price": "1.5"})
    assert got == [APPLE] * len(handlers)


def test_a_default_is_not_structured(manager):
    got = []

    def handle(item: Item = None):
        got.append(item)

    run(handle)
    assert got == [None]


def test_outside_a_job_too(manager):
    got = []

    class Source(Routine):
        output = Event("item")

    class Sink(Routine):
        @slot
        def trigger(self, item: Item):
            got.append(item)

    source, flow = Source(), Flow("direct")
    flow.add_routine(source, "source")
    flow.add_routine(Sink(), "sink")
    flow.connect("source.output", "sink.trigger")
    source.emit("output", item={"name": "apple", "price": "1.5"})
    assert got == [APPLE]


def test_the_payload_itself_stays_as_it_was(manager):
    plain = {"name": "apple"}
    state = run(lambda it: None, it=plain)

    def handle(it: Item):
        """Take it."""

    state = flow_of(handle).execute("take", {"it": plain})
    assert plain == {"name": "apple"}
    assert state.get_execution_history()[0].data["it"] == {"name": "apple"}


def test_a_retried_attempt_gets_it_anew(manager):
    got = []

    @routine
    def handle(items: list[Item]):
        got.append(items.pop())
        if len(got) < 2:
            raise ValueError("again")

    from_routine = handle()
    from_routine.set_as_critical(max_retries=2, retry_delay=0)
    flow = Flow("retried")
    flow.add_routine(from_routine, "take")
    state = flow.execute("take", {"items": [{"name": "apple", "price": "1.5"}]})
    assert state.status == "completed"
    assert got == [APPLE, APPLE]


def test_a_class_that_a_plugin_taught_to_the_converter(manager):
    class Teach:
        @hookimpl
        def extend_converter(self, converter):
            converter.cattrs.register_structure_hook(Point, lambda value, _: Point(*value))

    got = []

    def handle(at: Point):
        got.append(at)

    with JobManager(plugins=[sequential, Teach()], discover=False):
        run(handle, at=[1, 2])
    assert got == [Point(1, 2)]


def test_handlers_without_such_annotations_take_the_short_way(manager):
    """What costs more is only taken where it is needed: such slots are not special."""

    def short(a, b: int, c: list[str], d: Any):
        """Take them."""

    def long(a: Path):
        """Take it."""

    assert not compile_flow(flow_of(short)).slot("take", "trigger").special
    assert compile_flow(flow_of(long)).slot("take", "trigger").special
