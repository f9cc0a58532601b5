"""Configuration that a class declares: typed, checked, with defaults."""

from decimal import Decimal
from enum import Enum
from pathlib import Path

import pytest
from attrs import field, frozen
from attrs.validators import ge

from routilux_core import Flow, InsideJob, InvalidOption, Routine, Secret, routine, slot
from routilux_core.errors import UnknownOption


class Mode(Enum):
    FAST = "fast"
    SAFE = "safe"


@frozen
class Retry:
    times: int = 3


class Fetch(Routine):
    @frozen(kw_only=True)
    class Config:
        url: str
        size: int = field(default=1, validator=ge(1))
        mode: Mode = Mode.SAFE
        folder: Path | None = None
        prices: tuple[Decimal, ...] = ()
        retry: Retry = Retry()
        labels: dict[str, str] = field(factory=dict)

    @slot
    def trigger(self):
        """Fetch it."""


DEFAULTS = {
    "size": 1,
    "mode": Mode.SAFE,
    "folder": None,
    "prices": (),
    "retry": Retry(),
    "labels": {},
}


def test_defaults_stand_where_nothing_is_given():
    assert Fetch(url="http://a").config() == {"url": "http://a", **DEFAULTS}


def test_plain_values_become_what_is_declared():
    made = Fetch(url="u", mode="fast", folder="x", prices=["1.5"], retry={"times": 5}, labels={"a": "b"})
    assert made.get_config("mode") is Mode.FAST
    assert made.get_config("folder") == Path("x")
    assert made.get_config("prices") == (Decimal("1.5"),)
    assert made.get_config("retry") == Retry(5)


def test_values_that_are_right_already_stay():
    given = {"url": "u", "size": 2, "mode": Mode.FAST, "folder": Path("x"), "prices": (Decimal(1),)}
    given |= {"retry": Retry(4), "labels": {"a": "b"}}
    assert Fetch(**given).config() == given


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"url": 3}, "Fetch.Config.url cannot be 3; it takes text"),
        ({"size": "5"}, "Fetch.Config.size cannot be '5'; it takes a whole number"),
        ({"size": True}, "Fetch.Config.size cannot be True; it takes a whole number"),
        ({"size": 0}, "size"),
        ({"mode": "slow"}, "Fetch.Config.mode cannot be 'slow'; it takes 'fast' or 'safe'"),
        ({"retry": {"times": "many"}}, "Fetch.Config.retry.times cannot be 'many'"),
        ({"prices": ["x"]}, "Fetch.Config.prices[0] cannot be 'x'"),
        ({"sise": 1}, "Fetch.Config has no 'sise'"),
    ],
    ids=str,
)
def test_a_wrong_value_names_field_value_and_what_is_wanted(given, text):
    with pytest.raises(InvalidOption) as caught:
        Fetch(**{"url": "u", **given})
    assert text in str(caught.value)


def test_an_unknown_name_lists_what_there_is_and_the_nearest():
    with pytest.raises(UnknownOption, match=r"it has: url, size, .*; did you mean 'size'\?"):
        Fetch(url="u", sise=1)


def test_what_is_required_is_asked_for():
    with pytest.raises(InvalidOption, match="url"):
        Fetch()


def test_setting_is_checked_alike_and_changes_all_or_nothing():
    made = Fetch(url="u")
    made.set_config(size=7, mode="fast")
    assert (made.get_config("size"), made.get_config("mode"), made.get_config("url")) == (7, Mode.FAST, "u")
    with pytest.raises(InvalidOption):
        made.set_config(size=8, mode="slow")
    assert (made.get_config("size"), made.get_config("mode")) == (7, Mode.FAST)


def test_setting_inside_a_job_is_an_error(manager):
    made = Fetch(url="u")

    @routine
    def meddle():
        with pytest.raises(InsideJob):
            made.set_config(size=2)

    flow = Flow("meddling")
    flow.add_routine(meddle(), "meddle")
    assert flow.execute("meddle").status == "completed"
    assert made.get_config("size") == 1


def test_defaults_hold_without_a_call_of_the_constructor():
    class Forgetful(Routine):
        @frozen
        class Config:
            size: int = 4

        def __init__(self):
            """Call nobody."""

    assert Forgetful().config() == {"size": 4}


def test_a_constructor_may_give_what_is_required():
    class Own(Fetch):
        def __init__(self, host, **config):
            super().__init__(url=f"http://{host}", **config)

    assert Own("a", size=2).get_config("url") == "http://a"


def test_a_subclass_inherits_and_may_extend():
    class Longer(Fetch):
        @frozen(kw_only=True)
        class Config(Fetch.Config):
            timeout: float = 1.0

    assert Longer(url="u", timeout=2).config() == {"url": "u", **DEFAULTS, "timeout": 2.0}
    assert "timeout" not in Fetch(url="u").config()


def test_a_default_that_is_made_is_made_for_each():
    first, second = Fetch(url="u"), Fetch(url="u")
    first.get_config("labels")["a"] = "b"
    assert second.get_config("labels") == {}


def test_a_class_without_declaration_takes_anything():
    class Free(Routine):
        """Says nothing."""

    thing = object()
    assert Free(anything=thing).config() == {"anything": thing}


@pytest.mark.parametrize("declared", [dict, {"size": int}, type("Config", (), {"size": 1})], ids=repr)
def test_a_declaration_that_is_no_attrs_class_is_refused_where_it_is_written(declared):
    with pytest.raises(InvalidOption, match=r"Config of Wrong cannot be .*; it takes an attrs class"):
        type("Wrong", (Routine,), {"Config": declared, "__qualname__": "Wrong"})


def test_a_field_with_a_private_name_goes_by_its_public_one():
    class Private(Routine):
        @frozen
        class Config:
            _size: int = 1

    made = Private(size=3)
    assert made.config() == {"size": 3}
    made.set_config(size=4)
    assert made.get_config("size") == 4


# -- secrets -------------------------------------------------------------------------------------------


class Login(Routine):
    @frozen(kw_only=True)
    class Config:
        key: Secret
        others: dict[str, Secret] = field(factory=dict)


def test_text_becomes_a_secret_where_one_is_declared():
    made = Login(key="env:KEY", others={"a": "hush"})
    assert made.get_config("key") == Secret("env:KEY")
    assert made.get_config("others") == {"a": Secret("hush")}


def test_a_configuration_shows_no_secret():
    made = Login(key="hush", others={"a": "hush"})
    assert "hush" not in repr(made.config())
    with pytest.raises(InvalidOption) as caught:
        made.set_config(kee=1)
    assert "hush" not in str(caught.value)
