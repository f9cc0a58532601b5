"""What payloads may hold, and that it comes back as what it was."""

import importlib
import os
import socket
import subprocess
import sys
import threading
from collections import OrderedDict, defaultdict, deque
from dataclasses import InitVar, dataclass
from datetime import datetime, timedelta, tzinfo
from enum import Enum
from fractions import Fraction
from types import MappingProxyType
from zoneinfo import ZoneInfo, available_timezones

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routilux_core import (
    Converter,
    DuplicateName,
    InvalidDocument,
    JobState,
    NotSerializable,
    RoutiluxError,
    UnknownTag,
)
from routilux_core.document_errors import CannotTeach
from routilux_core.schema import read, write
from tests.architecture.source import ROOT
from tests.core.values import EXAMPLES, KNOWN, VALUES, Basket, Colour, Money, Order, Point, converter, form


def travelled(value, using=None):
    """Return the value after a journey as text, read by a converter that never saw it."""
    text = write({"value": (using or converter()).encode(value)})
    return (using or converter()).decode(read(text)["value"])


# -- what comes back -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", EXAMPLES, ids=lambda value: type(value).__name__)
def test_a_value_comes_back_with_its_type(value):
    assert form(travelled(value)) == form(value)


@settings(max_examples=400, deadline=None)
@given(VALUES)
def test_any_nesting_comes_back_with_its_types(value):
    assert form(travelled(value)) == form(value)


@pytest.mark.parametrize(
    ("one", "other"),
    [(1, True), (1, 1.0), ((1,), [1]), ({1}, frozenset({1})), ({1: 2}, {"1": 2}), (0.0, -0.0), ("a", b"a")],
)
def test_the_comparison_sees_types(one, other):
    """The control of the two tests above."""
    assert form([one]) != form([other])


@pytest.mark.parametrize("value", [{"n": 1, "deep": [{"x": None}]}, [1, 2.5, "a", True]])
def test_plain_data_goes_as_it_is(value):
    assert converter().encode(value) == value


def test_what_was_encoded_shares_nothing_with_the_value():
    value = {"rows": [[1]]}
    plain = converter().encode(value)

    value["rows"][0].append(2)

    assert plain == {"rows": [[1]]}


def test_a_zone_comes_back_by_its_name():
    if "Europe/Berlin" not in available_timezones():
        pytest.skip("this machine has no time zones")
    moment = datetime(2024, 10, 27, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Berlin"))

    again = travelled(moment)

    assert (again.utcoffset(), again.fold, again.tzinfo) == (timedelta(hours=1), 1, ZoneInfo("Europe/Berlin"))


def test_views_of_a_job_are_lists_and_dicts():
    state = JobState("f")

    assert converter().encode([state.errors, state.metadata, MappingProxyType({"a": (1,)})]) == [
        [],
        {},
        {"a": {"$tuple": [1]}},
    ]


def test_a_set_is_written_the_same_in_every_process():
    code = (
        "from routilux_core import Converter; from routilux_core.schema import write;"
        "print(write({'s': Converter().encode({'a', 'b', ('c', 1), frozenset('xyz'), 10, 9, None})}))"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }

    assert len(texts) == 1


# -- what cannot be saved ------------------------------------------------------------------------------------


class Strange(tzinfo):
    """A zone that no other process can make."""


class Loose(dict):
    """A dict that may hold more than its items."""


class Tagged(str):
    __slots__ = ()


class Broken:
    def __repr__(self):
        raise RuntimeError("no repr")


@dataclass
class Opened:
    path: str
    mode: InitVar[str]

    def __post_init__(self, mode):
        pass


@attrs.define(init=False)
class Own:
    x: int

    def __init__(self, y):
        self.x = y


class Plain(Point):
    """Not a dataclass of its own: it may hold more than its fields."""


def local_class():
    @dataclass
    class Local:
        x: int = 1

    return Local


@pytest.fixture
def connection():
    with socket.socket() as made:
        yield made


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (threading.Lock, "lock"),
        (lambda: (number for number in [1]), "generator"),
        (lambda: len, "builtin_function_or_method"),
        (lambda: test_a_set_is_written_the_same_in_every_process, "function"),
        (lambda: os, "module"),
        (lambda: int, "type"),
        (object, "object"),
        (lambda: ValueError("x"), "ValueError"),
        (lambda: 1j, "complex"),
        (lambda: range(3), "range"),
        (lambda: bytearray(b"x"), "bytearray"),
        (lambda: memoryview(b"x"), "memoryview"),
        (deque, "collections.deque"),
        (OrderedDict, "make a plain dict of it"),
        (lambda: defaultdict(list), "make a plain dict of it"),
        (Loose, "make a plain dict of it"),
        (lambda: Tagged("x"), "make a plain str of it"),
        (Broken, "Broken"),
        (local_class(), "it is a local class"),
        (lambda: datetime(2024, 1, 1, tzinfo=Strange()), "its time zone is a Strange"),
        (lambda: Plain(1), "Plain"),
        (lambda: Opened("x", "r"), "its constructor needs 'mode'"),
        (lambda: Own(1), "its constructor needs 'y'"),
        (lambda: Money.__new__(Money), "amount"),
        (lambda: Unseen(1), "define its class in a module that has a Routine"),
    ],
)
def test_what_cannot_be_saved_is_named_with_its_path(make, said):
    using = Converter(lambda: [*KNOWN, Opened, Own, local_class()])
    using.teach(Money, "money")

    with pytest.raises(NotSerializable) as caught:
        using.encode({"rows": [0, (1, {"conn": make()})]}, "pending_tasks[3].data")

    assert str(caught.value).startswith("pending_tasks[3].data['rows'][1][1]['conn']: ")
    assert said in str(caught.value)
    assert len(str(caught.value)) < 400


class Holder:
    def __init__(self, inner):
        self.inner = inner


@attrs.define
class Unseen:
    x: int


def test_a_socket_is_named_with_its_path(connection):
    with pytest.raises(NotSerializable) as caught:
        converter().encode({"conn": connection}, "pending_tasks[3].data")

    assert str(caught.value).startswith("pending_tasks[3].data['conn']: socket")


@pytest.mark.parametrize(
    ("wrap", "path"),
    [
        (lambda bad: {(1, 2): bad}, "data[(1, 2)]"),
        (lambda bad: {1: {2: bad}}, "data[1][2]"),
        (lambda bad: Point(1, [bad]), "data.y[0]"),
        (lambda bad: Order({"a": bad}), "data.number['a']"),
        (lambda bad: Basket([Point(bad)]), "data.items[0].x"),
        (Holder, "data[0]"),
        (lambda bad: {"k" * 1000: bad}, "data['kkk"),
        (lambda bad: {"it's": bad}, 'data["it\'s"]'),
        (lambda bad: {bad}, "data[0]"),
        (lambda bad: {bad: 1}, "data["),
    ],
)
def test_the_path_goes_through_every_container(wrap, path):
    using = Converter(lambda: [*KNOWN])
    using.teach(Holder, encode=lambda holder: (holder.inner,), decode=lambda parts: parts[0])

    with pytest.raises(NotSerializable) as caught:
        using.encode(wrap(object()), "data")

    assert str(caught.value).startswith(path)
    assert "object cannot be saved" in str(caught.value)
    assert len(str(caught.value)) < 300


def test_a_value_that_contains_itself_is_refused():
    value: list[object] = []
    value.append({"again": value})

    with pytest.raises(NotSerializable, match="it may contain itself"):
        converter().encode(value, "data")


@pytest.mark.parametrize(
    "wrap", [lambda inner: [inner], lambda inner: (inner,), lambda inner: {1: inner}, Point]
)
def test_what_is_deep_is_refused_at_once_or_comes_back(wrap):
    value, saved, refused = 0, 0, 0
    using = converter()
    for _ in range(250):
        value = wrap(value)
        try:
            text = write({"value": using.encode(value)})
        except NotSerializable as error:
            assert len(str(error)) < 300  # noqa: PT017 - a few of them come back
            refused += 1
        else:
            using.decode(read(text)["value"])
            saved += 1

    assert saved > 50
    assert refused > 40


def test_a_value_that_is_changed_meanwhile_is_refused():
    value = {"a": 1}

    class Changing:
        pass

    def encode(_changing):
        value["b"] = 2
        return 1

    using = converter()
    using.teach(Changing, encode=encode, decode=lambda _plain: Changing())
    value["changing"] = Changing()

    with pytest.raises(NotSerializable, match="being changed"):
        using.encode(value)


# -- documents that somebody has tampered with ---------------------------------------------------------------

HOSTILE: list[dict[str, object]] = [
    {"$": 1},
    {"$nope": 1},
    {"$os.system": "true"},
    {"$builtins.eval": "1"},
    {"$tuple": 1},
    {"$tuple": {"a": 1, "b": 2}},
    {"$set": [[1]]},
    {"$set": [1, 1]},
    {"$frozenset": "ab"},
    {"$dict": [[1, 2, 3]]},
    {"$dict": [1]},
    {"$dict": [[[1], 2]]},
    {"$dict": [[1, 2], [1, 3]]},
    {"$dict": {"a": 1, "b": 2}},
    {"$bytes": "%%%"},
    {"$bytes": "é"},
    {"$text": "////"},
    {"$text": 1},
    {"$int": "12"},
    {"$int": "0x"},
    {"$int": 1.5},
    {"$float": "1.5"},
    {"$float": [1]},
    {"$decimal": "one"},
    {"$decimal": 1.5},
    {"$uuid": "x"},
    {"$uuid": None},
    {"$path": 1},
    {"$date": "2024-13-01"},
    {"$time": "25:00"},
    {"$time": []},
    {"$datetime": "yesterday"},
    {"$datetime": 0},
    {"$datetime": ["2024-01-01", 2, None]},
    {"$datetime": ["2024-01-01", True, None]},
    {"$datetime": ["2024-01-01", 0, "../../etc/passwd"]},
    {"$datetime": ["2024-01-01", 0, "os/path"]},
    {"$datetime": ["2024-01-01", 0, [[99, 0, 0]]]},
    {"$datetime": ["2024-01-01", 0, [[0, 0, 0], "a", "b"]]},
    {"$datetime": ["2024-01-01", 0, 5]},
    {"$timedelta": [1]},
    {"$timedelta": [1, 2, True]},
    {"$timedelta": [10**18, 0, 0]},
    {"$tests.core.values.Colour": "BLUE"},
    {"$tests.core.values.Colour": ["RED"]},
    {"$tests.core.values.Access": "READ"},
    {"$tests.core.values.Access": 1024},
    {"$tests.core.values.Point": [1, 2]},
    {"$tests.core.values.Point": {"y": 1}},
    {"$tests.core.values.Point": {"x": 1, "__class__": 2}},
    {"$tests.core.values.Order": {"number": 1, "note": 2}},
    {"$tests.core.values.Pair": {"left": 1, "middle": 2}},
    {"$fraction": {"$tuple": [1, 0]}},
    {"$fraction": None},
]


@pytest.mark.parametrize("plain", HOSTILE, ids=str)
def test_a_tampered_value_is_refused_with_its_path(plain):
    with pytest.raises(InvalidDocument) as caught:
        converter().decode({"rows": [1, plain]}, "data")

    assert str(caught.value).startswith("data['rows'][1]")
    assert len(str(caught.value)) < 400


TAGS = [
    next(iter(plain)) for plain in HOSTILE if "." not in next(iter(plain)) or "tests." in next(iter(plain))
]
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["nan", "0x1f", "2024-01-01", "01:02", "YQ==", "RED", "x", "y", "UTC", "1.5", "a/b"])
)
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["x", "y", "number", "left", "$", "items"]), inner, max_size=3)
        | st.builds(lambda tag, content: {tag: content}, st.sampled_from(TAGS), inner)
    ),
    max_leaves=10,
)


@settings(max_examples=400, deadline=None)
@given(DOCUMENTS)
def test_whatever_a_document_says_it_is_refused_or_makes_a_value_that_can_be_saved(plain):
    using = converter()
    try:
        value = using.decode(plain, "data")
    except InvalidDocument as error:
        assert str(error).startswith("data")  # noqa: PT017 - most are refused
        return

    assert form(using.decode(using.encode(value))) == form(value)


@pytest.mark.parametrize("plain", [(1,), {1: 2}, [{"a": object()}], b"x", Colour.RED, {"$tuple": (1,)}])
def test_what_is_no_plain_data_is_refused(plain):
    with pytest.raises(InvalidDocument, match="is no plain data"):
        converter().decode({"x": plain}, "data")


@pytest.mark.parametrize(
    "as_keys", [lambda keys: {"$set": keys}, lambda keys: {"$dict": [[key, 1] for key in keys]}]
)
def test_keys_that_were_chosen_to_be_slow_are_refused(as_keys):
    """Integers that are multiples of one number have one hash; a million of them would take hours."""
    keys = [{"$int": hex((2**61 - 1) * number)} for number in range(2**10, 2**10 + 100_000)]

    with pytest.raises(InvalidDocument, match="have a hash that another one has"):
        converter().decode(as_keys(keys))


def test_an_unknown_tag_is_named():
    with pytest.raises(UnknownTag, match=r"no class has the tag 'shop\.Order' here") as caught:
        converter().decode([{"$shop.Order": {"id": 7}}], "data")

    assert (caught.value.path, caught.value.name) == ("data[0]['$shop.Order']", "shop.Order")


def test_an_unknown_field_is_named_with_the_nearest():
    with pytest.raises(
        InvalidDocument, match=r"no field 'numbre'; it has: number, _note, weight; did you mean 'number'"
    ):
        converter().decode({"$tests.core.values.Order": {"numbre": 1}})


def test_a_missing_field_gets_its_default():
    assert converter().decode({"$tests.core.values.Point": {"x": 5}}) == Point(5, 0)


@attrs.define
class Percent:
    value: int = attrs.field(validator=attrs.validators.le(100))


def test_the_class_itself_may_refuse():
    using = Converter(lambda: [Percent])

    with pytest.raises(InvalidDocument, match=r"it makes no tests\.core\.test_convert\.Percent: "):
        using.decode({f"${__name__}.Percent": {"value": 101}})


@pytest.mark.parametrize("deep", [[], {}])
def test_deep_data_is_refused_without_going_down(deep):
    for _ in range(10_000):
        deep = {"a": deep} if isinstance(deep, dict) else [deep]

    with pytest.raises(InvalidDocument, match="more than 200 levels") as caught:
        converter().decode(deep, "data")

    assert len(str(caught.value)) < 300


_seen: list[str] = []
_watching = threading.Event()


def _watch(event, _arguments):
    if _watching.is_set() and event in {
        "import",
        "exec",
        "compile",
        "pickle.find_class",
        "os.system",
        "open",
    }:
        _seen.append(event)


def test_nothing_that_data_names_is_imported_or_run():
    """In a process of its own, which the hook ends with."""
    code = "from tests.core.test_convert import audited; audited()"
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr


def audited():
    """With a control: the hook does see an import."""
    sys.addaudithook(_watch)
    using = converter()

    def load_all():
        for plain in HOSTILE:
            with pytest.raises(InvalidDocument):
                using.decode(plain)

    load_all()  # zones and their like are loaded once
    _seen.clear()
    _watching.set()
    try:
        load_all()
        seen = list(_seen)
        with pytest.raises(ImportError):
            __import__("no_such_module_anywhere")
    finally:
        _watching.clear()

    assert seen == []
    assert "import" in _seen


# -- teaching ------------------------------------------------------------------------------------------------


def test_a_taught_class_travels_under_its_tag():
    using = converter()

    assert using.encode(Fraction(1, 3)) == {"$fraction": {"$tuple": [1, 3]}}
    assert using.encode(Money(5)) == {"$money": {"amount": 5, "unit": "EUR"}}


def test_a_class_that_was_renamed_is_still_read():
    using = Converter()
    using.teach(Money, "money", aliases=["shop.Price"])

    assert using.decode({"$shop.Price": {"amount": 5, "unit": "EUR"}}) == Money(5)


def test_a_local_class_can_be_taught():
    kind = local_class()
    using = Converter()
    using.teach(kind, "local")

    assert travelled(kind(7), using) == kind(7)


@pytest.mark.parametrize("tag", ["tuple", "dict", "money"])
def test_a_tag_is_taken_once(tag):
    using = Converter()
    using.teach(Money, "money")

    with pytest.raises(DuplicateName, match=f"'{tag}'"):
        using.teach(Order, tag)


@pytest.mark.parametrize("kind", [Money, tuple, int])
def test_a_class_is_taught_once(kind):
    using = Converter()
    using.teach(Money, "money")

    with pytest.raises(DuplicateName):
        using.teach(kind, "other", encode=str, decode=str)


@pytest.mark.parametrize(
    ("kind", "options"),
    [(Fraction, {}), (Fraction, {"encode": str}), (Opened, {}), (Own, {}), (Plain, {}), (Enum, {})],
)
def test_a_class_that_has_no_fields_to_go_by_needs_both_directions(kind, options):
    with pytest.raises(CannotTeach, match="give both encode and decode"):
        Converter().teach(kind, **options)


def test_teaching_goes_before_what_is_known_anyway():
    using = Converter(lambda: [Money])
    assert using.encode(Money(1)) == {"$tests.core.values.Money": {"amount": 1, "unit": "EUR"}}

    using.teach(Money, "money")

    assert using.encode(Money(1)) == {"$money": {"amount": 1, "unit": "EUR"}}
    assert using.decode({"$tests.core.values.Money": {"amount": 1}}) == Money(1)


def test_known_classes_are_asked_for_only_when_one_is_missing():
    asked = []
    using = Converter(lambda: asked.append(1) or [Point])

    using.encode({"a": (1, {2}, datetime(2024, 1, 1), 2**70)})  # noqa: DTZ001
    assert asked == []
    using.encode([Point(1), Point(2)])
    using.decode(using.encode(Point(3)))
    assert asked == [1]


def test_a_class_is_known_as_soon_as_it_is_defined():
    classes = []
    using = Converter(lambda: classes)
    with pytest.raises(NotSerializable):
        using.encode(Point(1))

    classes.append(Point)

    assert using.decode(using.encode(Point(1))) == Point(1)


def test_a_module_that_was_run_again_gives_its_present_class(tmp_path, monkeypatch, request):
    (tmp_path / "cellar.py").write_text(
        "import attrs\n\n@attrs.define\nclass Wine:\n    year: int\n", "utf-8"
    )
    monkeypatch.syspath_prepend(tmp_path)
    request.addfinalizer(lambda: sys.modules.pop("cellar", None))
    module = importlib.import_module("cellar")
    old = module.Wine
    classes = [old]
    using = Converter(lambda: classes)
    assert type(using.decode(using.encode(old(1990)))) is old

    new = importlib.reload(module).Wine
    classes.append(new)

    assert type(using.decode(using.encode(new(1990)))) is new
    assert type(using.decode(using.encode(old(1990)))) is new


def test_an_error_of_teaching_is_one_of_ours():
    with pytest.raises(RoutiluxError):
        Converter().teach(object)


def test_threads_may_use_one_converter():
    using = converter()
    gate = threading.Barrier(4)
    failures = []

    def work():
        gate.wait()
        try:
            for value in EXAMPLES:
                assert form(using.decode(using.encode(value))) == form(value)
        except Exception as error:  # noqa: BLE001 - shown below
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
