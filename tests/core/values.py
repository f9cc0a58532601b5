"""Values of every type that payloads may hold: classes, strategies, and an equality that sees types."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, Flag, IntEnum, StrEnum
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

import attrs
from hypothesis import strategies as st

from routilux_core import Converter


class Colour(Enum):
    RED = "red"
    GREEN = (0, 255, 0)
    ALSO_RED = "red"  # noqa: PIE796 - another name of the same member


class Size(IntEnum):
    SMALL = 1
    LARGE = 2


class Word(StrEnum):
    YES = "yes"


class Access(Flag):
    READ = 1
    WRITE = 2
    RUN = 4


@dataclass(frozen=True)
class Point:
    x: Any
    y: Any = 0


@dataclass
class Basket:
    items: list[Any] = field(default_factory=list)
    total: Any = field(init=False, default=None)


@attrs.frozen
class Order:
    number: Any
    _note: Any = None
    weight: Any = attrs.field(default=1, kw_only=True)


class Pair(NamedTuple):
    left: Any
    right: Any = None


@attrs.frozen
class Money:
    """Taught by its fields, under a tag of its own."""

    amount: Any
    unit: str = "EUR"


KNOWN = (Colour, Size, Word, Access, Point, Basket, Order, Pair)


def converter() -> Converter:
    made = Converter(lambda: KNOWN)
    made.teach(
        Fraction,
        "fraction",
        encode=lambda value: (value.numerator, value.denominator),
        decode=lambda parts: Fraction(*parts),
    )
    made.teach(Money, "money")
    return made


def form(value: Any) -> Any:
    """Return what equal values of the same types, all the way down, have in common, and no others."""
    kind = type(value)
    if kind in {set, frozenset}:
        content: Any = sorted(repr(form(item)) for item in value)
    elif kind is dict:
        content = [(form(key), form(item)) for key, item in value.items()]
    elif kind in {list, tuple, Pair}:
        content = [form(item) for item in value]
    elif kind in {Point, Basket, Order, Money}:
        names = getattr(kind, "__slots__", None) or vars(value)
        content = [(name, form(getattr(value, name))) for name in names if not name.startswith("__")]
    elif kind in {datetime, time}:
        content = (repr(value), value.fold, repr(value.tzinfo))
    elif kind is int:
        content = hex(value)
    else:
        content = repr(value)
    return kind.__qualname__, content


def _basket(items: list[Any], total: Any) -> Basket:
    basket = Basket(items)
    basket.total = total
    return basket


def _order(number: Any, note: Any, weight: Any) -> Order:
    return Order(number, note, weight=weight)


NAMED = [name for name in ("Europe/Berlin", "America/St_Johns", "UTC") if name in available_timezones()]
OFFSETS = st.builds(
    timezone,
    st.timedeltas(min_value=timedelta(hours=-23), max_value=timedelta(hours=23)),
) | st.builds(timezone, st.just(timedelta(hours=2)), st.just("summer"))
ZONES = st.none() | st.just(UTC) | OFFSETS | (st.sampled_from(NAMED).map(ZoneInfo) if NAMED else st.none())
TEXTS = st.text(st.characters(exclude_categories=()), max_size=8)
FOLDS = st.sampled_from([0, 1])
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=2**62, max_value=2**70)
    | st.floats()
    | TEXTS
    | st.sampled_from(["$", "$tuple", "$dict"])
    | st.binary(max_size=8)
    | st.decimals(allow_nan=False)
    | st.sampled_from([Decimal("NaN"), Decimal("-Infinity"), Decimal("1.200"), Decimal("1E+5000")])
    | st.uuids()
    | st.dates()
    | st.timedeltas()
    | st.builds(
        lambda moment, zone, fold: moment.replace(tzinfo=zone, fold=fold), st.datetimes(), ZONES, FOLDS
    )
    | st.builds(lambda moment, fold: moment.replace(fold=fold), st.times(), FOLDS)
    | st.sampled_from(["", ".", "a/b", "/tmp/x y", "../é"]).map(Path)  # noqa: S108 - a name, not a file
    | st.sampled_from([*Colour, *Size, *Word, *Access, Access.READ | Access.RUN, Access(0)])
    | st.fractions()
)
KEYS = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3).map(tuple)
        | st.frozensets(inner, max_size=3)
        | st.builds(Point, inner, inner)
        | st.builds(Pair, inner, inner)
        | st.builds(_order, inner, inner, inner)
        | inner.map(Money)
    ),
    max_leaves=4,
)


VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(TEXTS | st.sampled_from(["$", "$set"]), inner, max_size=3)
        | st.dictionaries(KEYS, inner, max_size=3)
        | st.sets(KEYS, max_size=3)
        | st.frozensets(KEYS, max_size=3)
        | st.builds(Point, inner, inner)
        | st.builds(Pair, inner, inner)
        | st.builds(_order, inner, inner, inner)
        | st.builds(_basket, st.lists(inner, max_size=2), inner)
        | inner.map(Money)
    ),
    max_leaves=12,
)
EXAMPLES = [
    None,
    True,
    0,
    -(2**63),
    2**63,
    -(2**63) - 1,
    10**5000,
    0.1,
    -0.0,
    1e300,
    float("nan"),
    float("-inf"),
    "",
    "né",
    "\ud800",
    "\ud83d\ude00 as two halves",
    [],
    {},
    [[], {}, [{}]],
    {"$": 1},
    {"$tuple": [1]},
    {"$a": 1, "$b": 2},
    {"$tuple": {"$set": []}},
    {1: "a", "1": "b", None: "c", (1, 2): "d", 2.5: "e"},
    {True: 1},
    {"\ud800": 1},
    (),
    (1, (2, [3])),
    set(),
    {1, "a", (1, 2), frozenset({3})},
    frozenset({b"x"}),
    b"",
    b"\x00\xff",
    Decimal("1.20"),
    Decimal("-0"),
    Decimal("sNaN"),
    UUID(int=0),
    Path("a/b"),
    date(1, 1, 1),
    datetime(9999, 12, 31, 23, 59, 59, 999999),  # noqa: DTZ001 - naive ones keep being naive
    datetime(2024, 10, 27, 2, 30, fold=1),  # noqa: DTZ001
    datetime(2024, 1, 1, tzinfo=UTC),
    datetime(2024, 1, 1, tzinfo=timezone(timedelta(seconds=-1, microseconds=1))),
    datetime(2024, 1, 1, tzinfo=timezone(timedelta(hours=1), "CET")),
    datetime(2024, 1, 1, tzinfo=UTC, fold=1),
    time(1, 2, 3, 4, tzinfo=timezone(timedelta(hours=5, minutes=30)), fold=1),
    timedelta.min,
    timedelta.max,
    Colour.ALSO_RED,
    Colour.GREEN,
    Size.LARGE,
    Word.YES,
    Access.READ | Access.WRITE,
    Point(Point(1, (2,)), {3}),
    _basket([Point(1)], (2,)),
    Order((1,), {2: 3}, weight=Decimal("0.5")),
    Pair([1], (2,)),
    Money(Decimal("9.99")),
    Fraction(1, 3),
]
