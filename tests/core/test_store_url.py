"""Stores are chosen by URL, with typed options, and no password is ever shown."""

import traceback
from contextlib import closing
from pathlib import Path

import pytest
from attrs import frozen

from routilux_core import (
    InvalidOption,
    InvalidStoreURL,
    JobManager,
    MissingComponent,
    Settings,
    Store,
    StoreError,
    StoreURL,
    UnknownOption,
    hookimpl,
)
from routilux_core.stores import open_store
from routilux_plugins.stores import memory, sqlite
from routilux_plugins.stores.memory.store import Memory

HUSH = "hu5h"


@frozen(kw_only=True)
class ShelfSettings:
    password: str = ""
    size: int = 4
    ratio: float = 1.0
    token_age: int = 1


class Shelf(Memory):
    def __init__(self, url, settings):
        super().__init__(name=url.place)
        self.url = url
        self.settings = settings


class Plugin:
    @hookimpl
    def register_components(self, registrar):
        registrar.store("shelf", Shelf, settings=ShelfSettings, synonyms=["shelves"])
        registrar.store("plain", lambda url, colour="red": Memory(name=f"{url.place}:{colour}"))
        registrar.store("wrong", lambda url: [url])


def opened(text, **settings):
    with JobManager(plugins=[Plugin(), memory, sqlite], discover=False) as manager:
        return open_store(text, manager.registry, Settings(**settings))


def told(kind, text, **settings):
    """The whole of what an error says, by whatever way it is looked at."""
    with pytest.raises(kind) as caught:
        opened(text, **settings)
    error = caught.value
    shown = "".join(traceback.format_exception(error)).replace(repr(text), "")
    assert HUSH not in f"{error} {error!r} {error.args} {vars(error)} {shown}"
    return str(error)


# -- what a URL says -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("file:///jobs", Path.cwd() / "jobs"),
        ("sqlite:///a/b.db", Path.cwd() / "a" / "b.db"),
        ("sqlite:////a/b.db", Path("/a/b.db")),
        ("sqlite:////a%20b/c%3Fd%23.db", Path("/a b/c?d#.db")),
        ("sqlite:///a b@c:d.db?timeout=3", Path.cwd() / "a b@c:d.db"),
    ],
)
def test_three_slashes_are_relative_and_four_absolute(text, path):
    assert StoreURL.read(text).path == path


def test_a_url_has_a_scheme_a_place_and_options():
    url = StoreURL.read("SHELF://ann@host:1/a%2Fb?size=1&colour=red+or%20blue%26&empty=")

    assert (url.scheme, url.place) == ("shelf", "ann@host:1/a%2Fb")
    assert url.options == {"size": "1", "colour": "red or blue&", "empty": ""}
    assert url.reveal() == "shelf://ann@host:1/a%2Fb"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("jobs.db", "it has no scheme"),
        ("", "it has no scheme"),
        ("sqlite:/jobs.db", "it has no scheme"),
        ("://x", "is no scheme"),
        ("a b://x", "is no scheme"),
        ("../a://x", "is no scheme"),
        ("sqlite://jobs.db", "a file has three slashes"),
        ("sqlite:///", "it names no file"),
        ("sqlite:///a%00b", "it has a NUL character"),
        ("shelf://x?size", "no list of option=value"),
        ("shelf://x?=3", "no list of option=value"),
        ("shelf://x?size=1&size=2", "option 'size' comes twice"),
        (b"shelf://x", "it is no text"),
        (None, "it is no text"),
    ],
)
def test_what_is_no_url_is_refused(text, reason):
    assert reason in told(InvalidStoreURL, text)


# -- which store ------------------------------------------------------------------------------------------


def test_a_plugin_adds_a_scheme():
    store = opened("shelf://somewhere?size=3&ratio=2&password=x")

    assert isinstance(store, Store)
    assert store.settings == ShelfSettings(size=3, ratio=2.0, password="x")  # noqa: S106 - it guards nothing
    assert store.url.place == "somewhere"
    assert opened("shelves://x").settings == ShelfSettings()


def test_an_unknown_scheme_names_the_nearest():
    text = told(InvalidStoreURL, f"sheld://ann:{HUSH}@host")

    assert "no plugin has the scheme 'sheld'; did you mean 'shelf'?" in text
    assert "there is: memory, plain, shelf, shelves, sqlite, wrong" in text


def test_a_missing_package_is_named():
    """A store that is not here may come with one that the settings say is needed."""
    needed = {"requires": ["routilux-nowhere"]}
    with (
        JobManager(discover=False, settings=needed) as manager,
        pytest.raises(MissingComponent, match="pip install routilux-nowhere"),
    ):
        open_store("nowhere://x", manager.registry, Settings())


def test_what_a_factory_makes_has_to_be_a_store():
    assert "Store" in told(Exception, "wrong://x")


# -- options ----------------------------------------------------------------------------------------------


def test_an_unknown_option_names_the_nearest():
    text = told(UnknownOption, f"shelf://x?sise={HUSH}")

    assert (
        text == "stores.shelf has no 'sise'; it has: password, size, ratio, token_age; did you mean 'size'?"
    )


@pytest.mark.parametrize(("value", "wanted"), [("many", "a whole number"), ("1.5", "a whole number")])
def test_an_option_of_a_wrong_type_is_named(value, wanted):
    assert (
        told(InvalidOption, f"shelf://x?size={value}")
        == f"stores.shelf.size cannot be '{value}'; it takes {wanted}"
    )


def test_options_of_a_factory_without_settings_are_text():
    assert opened("plain://x?colour=5")._name == "memory://x:5"  # noqa: SLF001 - what it was made with
    assert "has no 'color'" in told(UnknownOption, "plain://x?color=5")
    assert "has no 'url'" in told(UnknownOption, "plain://x?url=5")


def test_options_come_from_the_url_then_from_the_settings():
    store = opened("shelf://x?size=3", stores={"shelf": {"size": 7, "ratio": 0.5}})

    assert store.settings == ShelfSettings(size=3, ratio=0.5)
    assert "stores.shelf.ratio cannot be 'x'" in told(
        InvalidOption, "shelf://x", stores={"shelf": {"ratio": "x"}}
    )


def test_options_of_sqlite_are_checked(tmp_path):
    place = f"sqlite:///{tmp_path}/jobs.db"

    closing(opened(f"{place}?synchronous=full&timeout=1")).__exit__(None, None, None)
    assert "'normal' or 'full'" in told(InvalidOption, f"{place}?synchronous=half")
    assert "timeout cannot be" in told(InvalidOption, f"{place}?timeout=-1")


# -- passwords --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        f"shelf://ann:{HUSH}@host/db",
        f"shelf://:{HUSH}@host",
        f"shelf://ann:{HUSH}:x@host",
        f"shelf://ann:a/{HUSH}@host/db",
        f"shelf://ann:a@{HUSH}@host/db",
        f"shelf://host/db?password={HUSH}",
        f"shelf://ann:{HUSH}@host/db?password={HUSH}&size=2",
    ],
)
def test_a_password_is_shown_nowhere(text):
    url = StoreURL.read(text)

    assert HUSH not in f"{url} {url!r} {[url]} {vars(type(url))}"
    assert HUSH in url.reveal() + url.options.get("password", "")


@pytest.mark.parametrize(
    "text",
    [
        f"ann:{HUSH}@host",
        f"a b://ann:{HUSH}@host",
        f"nothing://ann:{HUSH}@host",
        f"sqlite://ann:{HUSH}@host/db",
        f"shelf://ann:a?{HUSH}@host/db",
        f"shelf://ann:a?b={HUSH}@host/db",
        f"shelf://ann:{HUSH}@host/db?size=many",
        f"shelf://ann:{HUSH}@host/db?size",
        f"shelf://host/db?size&password={HUSH}",
        f"shelf://host/db?size&p%61ssword={HUSH}",
        f"shelf://host/db?pasword={HUSH}",
        f"shelf://host/db?token_age={HUSH}",
        f"wrong://ann:{HUSH}@host",
    ],
)
def test_a_password_is_in_no_error(text):
    told(Exception, text)


# -- our own in memory ------------------------------------------------------------------------------------


def test_a_named_memory_is_shared_and_one_without_a_name_is_not():
    one, same, other, own = (opened(f"memory://{name}") for name in ("a", "a", "b", ""))
    one.save_flow("flow", "v1", b"document")

    assert [store.load_flow("flow", "v1") for store in (same, other, own)] == [b"document", None, None]
    one.close()
    with pytest.raises(StoreError, match="store memory://a: it is closed"):
        one.load_flow("flow", "v1")
    assert same.load_flow("flow", "v1") == b"document"
