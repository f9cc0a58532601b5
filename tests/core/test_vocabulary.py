"""Classes that payloads may hold without having been taught, since a routine of this process knows them."""

import dataclasses
import sys
from enum import Enum
from types import ModuleType
from typing import Annotated, NamedTuple, Optional

import pytest
from attrs import frozen

from routilux_core import Event, InvalidDocument, JobState, NotSerializable, Routine, Slot, routine, slot
from routilux_core.vocabulary import known_types


@frozen
class Inner:
    """Named by a field of a class that an event names."""

    n: int


@frozen
class Order:
    inner: list[Inner]


class Colour(Enum):
    RED = 1


class Pair(NamedTuple):
    left: int
    right: int


@dataclasses.dataclass
class Point:
    x: int


class Plain:
    """Has no fields."""


class Shop(Routine):
    output = Event(order=Order)

    @slot
    def trigger(self, pair: "Optional[Pair]" = None):  # noqa: UP045 - users write it so
        """Take it."""


HERE = [Inner(1), Order([Inner(1)]), Colour.RED, Pair(1, 2), Point(3)]


@pytest.mark.parametrize("value", HERE, ids=lambda value: type(value).__name__)
def test_classes_beside_a_routine_class_are_known(manager, value):
    plain = manager.converter.encode({"it": [value]})
    again = manager.converter.decode(plain)["it"][0]
    assert (type(again), again) == (type(value), value)


def test_others_are_not(manager):
    with pytest.raises(NotSerializable, match="Plain"):
        manager.converter.encode(Plain())


def in_module(name, **content):
    """Put classes into a module that has no routine."""
    module = ModuleType(name)
    for key, value in content.items():
        value.__module__, value.__qualname__ = name, key
        setattr(module, key, value)
    return module


@pytest.fixture
def far(monkeypatch):
    """A module without routines: its classes are known only if a routine names them."""

    @frozen
    class Deep:
        n: int = 1

    @frozen
    class Named:
        deep: Deep | None = None

    @frozen
    class Unnamed:
        n: int = 1

    module = in_module("far_away", Deep=Deep, Named=Named, Unnamed=Unnamed)
    monkeypatch.setitem(sys.modules, "far_away", module)
    return module


def by_event(far):
    class Names(Routine):
        output = Event(it=list[far.Named])

    return Names


def by_handler(far):
    class Names(Routine):
        def __init__(self):
            super().__init__()
            self.define_slot("trigger", self.take)

        def take(self, it: Annotated[dict[str, far.Named | None], "each"]):
            """Take it."""

    return Names


def by_result(far):
    class Names(Routine):
        @slot
        def trigger(self) -> far.Named:
            """Give it."""

    return Names


def by_function(far):
    @routine
    def names(it: far.Named):
        """Take it."""

    return names


def by_config(far):
    class Names(Routine):
        @frozen
        class Config:
            it: far.Named | None = None

    return Names


@pytest.mark.parametrize("define", [by_event, by_handler, by_result, by_function, by_config])
def test_classes_that_a_routine_class_names_are_known_with_those_of_their_fields(manager, far, define):
    with pytest.raises(NotSerializable):
        manager.converter.encode(far.Named())
    kind = define(far)
    value = [far.Named(far.Deep(2)), far.Deep(3)]
    plain = manager.converter.encode(value)
    assert manager.converter.decode(plain) == value
    with pytest.raises(NotSerializable):
        manager.converter.encode(far.Unnamed())
    assert kind is not None


def test_what_is_saved_is_what_can_be_read(manager, far):
    with pytest.raises(InvalidDocument):
        manager.converter.decode({"$far_away.Unnamed": {"n": 1}})


def test_our_own_classes_are_no_payload():
    found = set(known_types())
    assert not {Slot, JobState} & found
    assert {Inner, Order, Colour, Pair, Point} <= found


def test_each_is_given_once():
    found = list(known_types())
    assert len(found) == len(set(found))


def test_an_annotation_that_cannot_be_read_harms_nobody(manager):
    class Odd(Routine):
        output = Event(it="nothing like a type", other=7)

        @slot
        def trigger(self, a: "Missing", b: "1 +", c: 3, d: Colour):  # noqa: F722, F821 - the case itself
            """Take them."""

    assert Odd in Routine.__subclasses__()
    assert Colour in set(known_types())
