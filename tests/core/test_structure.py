"""Plain data as annotated types, and nothing taken for what it is not."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, Flag, IntEnum
from pathlib import Path
from threading import Lock
from typing import Any, Literal, NamedTuple, Optional
from uuid import UUID

import attrs
import pytest

from routilux_core import Converter, InvalidDocument


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Size(IntEnum):
    SMALL = 1


class Access(Flag):
    READ = 1
    WRITE = 2


@attrs.frozen
class Hidden:
    _x: int


@dataclasses.dataclass
class Line:
    sku: str
    quantity: int = 1
    total: float = dataclasses.field(default=0.0, init=False)


@attrs.frozen
class Order:
    number: int
    lines: list[Line] = attrs.field(factory=list)
    due: date | None = None


class Point(NamedTuple):
    x: float
    y: float = 0.0


FITS = [
    (5, int, 5),
    (5, float, 5.0),
    ("a", str, "a"),
    (True, bool, True),
    (None, int | None, None),
    ("5", int | str, "5"),
    (5, int | str, 5),
    (True, int | bool, True),
    ("2024-01-02", date | str, "2024-01-02"),
    ("2024-01-02", date | int, date(2024, 1, 2)),
    ("x", Literal["x", "y"], "x"),
    ("red", Colour, Colour.RED),
    (Colour.RED, Colour, Colour.RED),
    (1, Size, Size.SMALL),
    ("RED", Colour, Colour.RED),
    (3, Access, Access.READ | Access.WRITE),
    ({"x": 1}, Hidden, Hidden(1)),
    ([{"sku": "x"}], Iterable[Line], (Line("x"),)),
    (Size.SMALL, int, Size.SMALL),
    ("2024-01-02", date, date(2024, 1, 2)),
    ("2024-01-02T03:04:05+00:00", datetime, datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)),
    (datetime(2024, 1, 2, tzinfo=UTC), datetime, datetime(2024, 1, 2, tzinfo=UTC)),
    ("03:04", time, time(3, 4)),
    (1.5, timedelta, timedelta(seconds=1.5)),
    ("1.20", Decimal, Decimal("1.20")),
    (5, Decimal, Decimal(5)),
    ("00000000-0000-0000-0000-000000000001", UUID, UUID(int=1)),
    ("a/b", Path, Path("a/b")),
    (Path("a"), Path, Path("a")),
    ("AP8=", bytes, b"\x00\xff"),
    (b"x", bytes, b"x"),
    ([1, 2], tuple[int, ...], (1, 2)),
    ([1, "a"], tuple[int, str], (1, "a")),
    ([1, 1], set[int], {1}),
    ((1, 2), list[int], [1, 2]),
    ([1], Sequence[int], (1,)),
    ({"a": "2024-01-02"}, dict[str, date], {"a": date(2024, 1, 2)}),
    ({"a": 1}, Mapping[str, int], {"a": 1}),
    ({"sku": "x"}, Line, Line("x")),
    (Line("x"), Line, Line("x")),
    (
        {"number": 1, "lines": [{"sku": "x"}, Line("y")], "due": "2024-01-02"},
        Order,
        Order(1, [Line("x"), Line("y")], date(2024, 1, 2)),
    ),
    ({"number": 1}, Optional[Order], Order(1)),  # noqa: UP045 - older annotations are as good
    ([{"sku": "x"}], list[Line] | None, [Line("x")]),
    ({"sku": "x"}, Order | Line, Line("x")),
    ({"x": 1}, Point, Point(1.0)),
    ([1, 2], Point, Point(1.0, 2.0)),
    ({"any": [1]}, Any, {"any": [1]}),
    ([1, "a"], list, [1, "a"]),
]


@pytest.mark.parametrize(("plain", "kind", "value"), FITS, ids=str)
def test_plain_data_becomes_what_is_wanted(plain, kind, value):
    made = Converter().structure(plain, kind)

    assert made == value
    assert type(made) is type(value)


MISFITS = [
    ("5", int, "p cannot be read: '5' is not a whole number"),
    (True, int, "True is not a whole number"),
    (1, bool, "1 is not true or false"),
    (5, str, "5 is not text"),
    (1.0, int, "1.0 is not a whole number"),
    ("1.5", float, "'1.5' is not a number"),
    (None, int, "None is not a whole number"),
    (True, float, "True is not a number"),
    ("soon", date, "'soon' is not a date"),
    (5, datetime, "5 is not a datetime"),
    (True, Decimal, "True is not a Decimal"),
    (1.5, Decimal, "1.5 is not a Decimal"),
    ("x", Decimal, "'x' is not a Decimal"),
    ("x", UUID, "'x' is not a UUID"),
    ("green", Colour, "'green' is not 'red' or 'blue'"),
    ("z", Literal["x"], "'z' is not 'x'"),
    ("abc", list[str], "'abc' is not a list, each text"),
    ({"a": 1}, list[str], "{'a': 1} is not a list, each text"),
    ("abc", set[str], "'abc' is not a list, each text"),
    ([1], tuple[int, int], "p"),
    ([1, "a"], list[int], r"p\[1\] cannot be read: 'a' is not a whole number"),
    ({"a": [1, None]}, dict[str, list[int]], r"p\['a'\]\[1\] cannot be read: None is not a whole number"),
    ("x", Line, "'x' is not a Line"),
    ([1], Line, r"\[1\] is not a Line"),
    ({"sku": 5}, Line, "p.sku cannot be read: 5 is not text"),
    ({}, Line, "it needs 'sku'"),
    (
        {"sk": "x"},
        Line,
        "p cannot be read: it has no field 'sk'; it has: sku, quantity; did you mean 'sku'",
    ),
    ({"sku": "x", "total": 1}, Line, "no field 'total'; it has: sku, quantity$"),
    (True, Size, "True is not 1"),
    (True, Literal[1], "True is not 1"),
    (4, Access, "4 is not 1 or 2"),
    (5, Path, "5 is not a Path"),
    ("%", bytes, "'%' is not bytes, or base64"),
    ({"_x": 1}, Hidden, "no field '_x'; it has: x; did you mean 'x'"),
    ({"sku": "x"}, type[Line], "is not a type"),
    ([{"skoo": "x"}], Iterable[Line], r"\[0\].skoo"),
    ({"sku": "x", "quantiy": 1}, Line, "no field 'quantiy'; it has: sku, quantity; did you mean 'quantity'"),
    (
        {"number": 1, "lines": [{"sku": "x", "quantity": "2"}]},
        Order,
        r"p.lines\[0\].quantity .* '2' is not a whole number",
    ),
    ({"number": 1, "due": "soon"}, Order | None, "p.due cannot be read: 'soon' is not a date"),
    ("x", int | None, "'x' is not a whole number"),
    ([], int | str, r"\[\] is not a whole number or text"),
    (5, type(Lock()), "5 is not a lock"),
    ({"x": 1, "yy": 2}, Point, "no field 'yy'; it has: x, y; did you mean 'y'"),
    ([1, 2, 3], Point, r"is not a Point"),
    ("x" * 100_000, int, "is not a whole number"),
]


@pytest.mark.parametrize(("plain", "kind", "said"), MISFITS, ids=lambda value: str(value)[:40])
def test_nothing_is_taken_for_what_it_is_not(plain, kind, said):
    with pytest.raises(InvalidDocument, match=said) as caught:
        Converter().structure(plain, kind, "p")

    assert str(caught.value).startswith("p")
    assert len(str(caught.value)) < 400


def test_an_object_of_any_class_passes():
    lock = Lock()

    assert Converter().structure(lock, type(lock)) is lock


def test_hooks_of_ones_own_are_used():
    converter = Converter()
    converter.cattrs.register_structure_hook(complex, lambda plain, _kind: complex(*plain))

    assert converter.structure({"a": [1, 2]}, dict[str, complex]) == {"a": 1 + 2j}
