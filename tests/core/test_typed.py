"""typed: what people give becomes what an annotation says, or it is named with place and wanted type."""

import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, NewType, Protocol
from uuid import UUID

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routilux_core import InvalidOption, UnknownOption
from routilux_core.scalar import Text
from routilux_core.secret import Secret
from routilux_core.typed import typed

Port = NewType("Port", int)


class Colour(Enum):
    RED = "r"
    BLUE = "b"


class Level(StrEnum):
    LOW = "low"


@attrs.frozen
class Pool:
    size: int = 4
    names: tuple[str, ...] = ()


def positive(_pool, attribute, value):
    if value <= 0:
        raise InvalidOption(attribute.name, value, "more than nothing")


@attrs.frozen
class House:
    pool: Pool
    speed: float = attrs.field(default=1.0, validator=positive)
    depth: int = attrs.field(default=1, validator=attrs.validators.ge(1))
    _hidden: str = ""
    rooms: dict[str, Pool] = attrs.field(factory=dict)
    address: Any = attrs.field(default=(), converter=tuple)
    made: int = attrs.field(default=0, init=False)


@dataclass
class Garden:
    trees: int
    paths: list[Path] = field(default_factory=list)


class Speaks(Protocol):
    def speak(self): ...


DAY = date(2024, 1, 2)
NOON = datetime(2024, 1, 2, 12, tzinfo=UTC)
NUMBER = UUID("12345678123456781234567812345678")
FITS = [
    (5, int, 5),
    (5, float, 5.0),
    (5, bool | int, 5),
    (5, float | int, 5),
    (True, bool, True),
    ("x", str, "x"),
    (None, None, None),
    (None, int | None, None),
    ("a", Literal["a", 1], "a"),
    ("r", Colour, Colour.RED),
    ("BLUE", Colour, Colour.BLUE),
    (Colour.RED, Colour, Colour.RED),
    ("low", Level, Level.LOW),
    (80, Port, 80),
    (80, Annotated[int, "a port"], 80),
    ([1, 2], list[int], [1, 2]),
    ((1, 2), list[int], [1, 2]),
    ([1, 2], tuple[int, ...], (1, 2)),
    ([1, "a"], tuple[int, str], (1, "a")),
    ([1, 2], set[int], {1, 2}),
    ([1, 2], frozenset[int], frozenset({1, 2})),
    ([1, 2], Sequence[int], (1, 2)),
    ([1, "a"], list, [1, "a"]),
    ({"a": 1}, dict[str, int], {"a": 1}),
    ({"1": 1}, dict[int, int], {1: 1}),
    ({"a": [1]}, Mapping[str, list[int]], {"a": [1]}),
    ("a/b", Path, Path("a/b")),
    (Path("a"), Path, Path("a")),
    ("a", str | Path, "a"),
    ("2024-01-02", date, DAY),
    ("2024-01-02T12:00:00+00:00", datetime, NOON),
    (NOON, datetime, NOON),
    ("12:30", time, time(12, 30)),
    (1.5, timedelta, timedelta(seconds=1.5)),
    ("1.50", Decimal, Decimal("1.50")),
    (10**20, Decimal, Decimal(10**20)),
    (str(NUMBER), UUID, NUMBER),
    ("env:TOKEN", Secret, Secret("env:TOKEN")),
    ({}, Pool, Pool()),
    ({"size": 2, "names": ["a"]}, Pool, Pool(size=2, names=("a",))),
    (Pool(3), Pool, Pool(3)),
    ({"size": 2}, Pool | None, Pool(size=2)),
    ({"pool": {"size": 2}, "hidden": "x"}, House, House(pool=Pool(size=2), hidden="x")),
    ({"pool": {}, "address": ["a"]}, House, House(pool=Pool(), address=["a"])),
    ({"pool": {}, "rooms": {"a": {"size": 1}}}, House, House(Pool(), rooms={"a": Pool(size=1)})),
    ({"trees": 2, "paths": ["a"]}, Garden, Garden(trees=2, paths=[Path("a")])),
    ("anything", Any, "anything"),
    (len, Callable[[Any], int], len),
    ("no protocol can be checked", Speaks, "no protocol can be checked"),
]


@pytest.mark.parametrize(("value", "kind", "made"), FITS, ids=str)
def test_what_fits_is_made(value, kind, made):
    result = typed(value, kind, "here")
    assert result == made
    assert type(result) is type(made)


@pytest.mark.parametrize(
    ("text", "kind", "made"),
    [
        ("5", int, 5),
        ("-5", int | None, -5),
        ("1.5", float, 1.5),
        ("1.5", int | float, 1.5),
        ("true", bool, True),
        ("Off", bool, False),
        ("", int | None, None),
        ("none", str | None, None),
        ("5", int | str, 5),
        ("five", int | str, "five"),
        ("a, b,", list[str], ["a", "b"]),
        ("1,2", tuple[int, ...], (1, 2)),
        ("", tuple[str, ...], ()),
        ('["a,b", "c"]', list[str], ["a,b", "c"]),
        ('{"size": 3}', Pool, Pool(size=3)),
        ('{"a": 3}', dict[str, int], {"a": 3}),
        ("r", Colour, Colour.RED),
        ("1", Literal[1, "b"], 1),
        ("2.5", timedelta, timedelta(seconds=2.5)),
        ("a/b", Path, Path("a/b")),
        ("x", str, "x"),
    ],
)
def test_text_from_the_environment_is_read(text, kind, made):
    result = typed(Text(text), kind, "HERE")
    assert result == made
    assert type(result) is type(made)


REFUSED = [
    ("5", int, "a whole number"),
    (5.0, int, "a whole number"),
    (True, int, "a whole number"),
    (True, float, "a number"),
    (10**400, float, "a number"),
    (1, bool, "true or false"),
    ("true", bool, "true or false"),
    (5, str, "text"),
    (b"x", str, "text"),
    (None, str, "text"),
    ("x", int | None, "a whole number or None"),
    (True, Literal[1], "1"),
    ("c", Literal["a", "b"], "'a' or 'b'"),
    ("g", Colour, "'r' or 'b'"),
    ("abc", list[str], "a list, each text"),
    ({"a"}, list[str], "a list, each text"),
    ([1], tuple[int, int], "a list of 2: a whole number, a whole number"),
    ([], dict[str, int], "a table, each a whole number"),
    ("5", Pool, r"a Pool \(a table with size, names\)"),
    (5, Path, "a Path"),
    ("soon", datetime, "a datetime"),
    ("much", Decimal, "a Decimal"),
    (0.1, Decimal, "a Decimal"),
    (True, Decimal, "a Decimal"),
    ("1", timedelta, "a number"),
    (True, timedelta, "a timedelta"),
    ("x", "a string is no type", "a string is no type"),
]


@pytest.mark.parametrize(("value", "kind", "wanted"), REFUSED, ids=str)
def test_what_does_not_fit_is_named_with_what_is_wanted(value, kind, wanted):
    with pytest.raises(InvalidOption, match=f"^here cannot be .*; it takes {wanted}$") as caught:
        typed(value, kind, "here")
    assert caught.value.option == "here"
    assert caught.value.value == value


@pytest.mark.parametrize(
    ("value", "kind", "option"),
    [
        ({"size": "2"}, Pool, "here.size"),
        ({"names": ["a", 1]}, Pool, "here.names[1]"),
        ({"pool": {"size": "2"}}, House, "here.pool.size"),
        ({"pool": {}, "rooms": {"a": {"size": None}}}, House, "here.rooms.a.size"),
        ({"pool": {}, "speed": 0.0}, House, "here.speed"),
        ({"size": "2"}, Pool | None, "here.size"),
        ([1, [2, "3"]], list[int | list[int]], "here[1][1]"),
        ({"trees": "many"}, Garden, "here.trees"),
    ],
)
def test_the_path_leads_to_the_fault(value, kind, option):
    with pytest.raises(InvalidOption) as caught:
        typed(value, kind, "here")
    assert caught.value.option == option


def test_an_unknown_field_is_named_with_the_nearest():
    with pytest.raises(UnknownOption, match=r"here has no 'siz'; it has: size, names; did you mean 'size'\?"):
        typed({"siz": 2}, Pool, "here")
    with pytest.raises(UnknownOption, match=r"here.pool has no 'siz'"):
        typed({"pool": {"siz": 2}}, House, "here")
    with pytest.raises(UnknownOption, match="House has no 'made'"):
        typed({"pool": {}, "made": 2}, House, "")
    with pytest.raises(UnknownOption, match="here has no '3'"):
        typed({3: 2}, Pool, "here")


def test_a_missing_field_is_named_and_values_are_not():
    with pytest.raises(InvalidOption, match="it takes a table with pool") as caught:
        typed({"hidden": "secret"}, House, "here")
    assert "secret" not in str(caught.value)


def test_what_a_validator_says_is_in_the_error():
    with pytest.raises(InvalidOption, match="what House accepts: 'depth' must be >= 1: 0"):
        typed({"pool": {}, "depth": 0}, House, "here")


def test_a_wrong_secret_is_not_shown():
    with pytest.raises(InvalidOption) as caught:
        typed("env:not a name", Secret, "here")
    assert "not a name" not in str(caught.value)
    assert caught.value.option == "here"


def test_no_error_prints_a_huge_value():
    class Loud:
        def __repr__(self):
            raise RuntimeError

    for value in ("x" * 10**6, list(range(10**5)), dict.fromkeys(range(1000), "y" * 1000), 10**5000, Loud()):
        with pytest.raises(InvalidOption) as caught:
            typed(value, bool, "here")
        assert len(str(caught.value)) < 300
    with pytest.raises(UnknownOption) as caught:
        typed({"z" * 10**5: 1}, Pool, "here")
    assert len(str(caught.value)) < 300


def test_annotations_that_cannot_be_resolved_are_refused():
    @attrs.frozen
    class Odd:
        size: "Nowhere"  # noqa: F821 - that is the case

    with pytest.raises(InvalidOption, match="Nowhere"):
        typed({"size": 1}, Odd, "here")


def test_a_converter_that_takes_no_such_value_is_named_by_its_field():
    with pytest.raises(
        InvalidOption, match=r"h.address cannot be 5; it takes what its converter takes: .*iter"
    ):
        typed({"pool": {}, "address": 5}, House, "h")
    with pytest.raises(InvalidOption, match="what House accepts: 'depth' must be >= 1: 0"):
        typed({"pool": {}, "address": [5], "depth": 0}, House, "h")


def test_the_errors_travel():
    with pytest.raises(UnknownOption) as caught:
        typed({"siz": 2}, Pool, "here")
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)  # noqa: S301 - our own


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
KINDS = [kind for _, kind, _ in FITS]


@settings(max_examples=150, deadline=None)
@given(PLAIN, st.sampled_from(KINDS))
def test_any_plain_value_is_made_or_refused(value, kind):
    """Nothing but our own error, and what was made is made again from itself."""
    try:
        made = typed(value, kind, "here")
    except InvalidOption:
        return
    assert typed(made, kind, "here") == made
