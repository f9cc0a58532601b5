"""Secrets: they go by reference, and show themselves to nobody who does not ask."""

import copy
import json
import pickle

import pytest

from routilux_core import InvalidDocument, InvalidOption, MissingSecret, NotSerializable, Routine, Secret
from routilux_core.typed import typed


class Login(Routine):
    """Takes any configuration."""


def test_a_reference_is_read_when_it_is_asked_for(monkeypatch):
    secret = Secret("env:SOME_KEY")
    monkeypatch.setenv("SOME_KEY", "one")
    assert secret.reveal() == "one"
    monkeypatch.setenv("SOME_KEY", "two")
    assert secret.reveal() == "two"


def test_a_reference_that_leads_nowhere_names_the_variable(monkeypatch):
    monkeypatch.delenv("SOME_KEY", raising=False)
    with pytest.raises(MissingSecret, match=r"no environment variable 'SOME_KEY'; set it"):
        Secret("env:SOME_KEY").reveal()


def test_text_is_revealed_as_it_is():
    assert Secret("hush").reveal() == "hush"
    assert Secret("hush").reference is None
    assert Secret("env:A").reference == "env:A"


@pytest.mark.parametrize("show", [repr, str, "{}".format, "{!r:>30}".format, lambda one: f"{[one]}"])
def test_nothing_shows_the_text(show):
    assert "hush" not in show(Secret("hush"))


def test_a_reference_shows_itself():
    assert repr(Secret("env:KEY")) == "Secret('env:KEY')"
    assert str(Secret("env:KEY")) == "env:KEY"


@pytest.mark.parametrize(
    "text", ["", None, 7, b"hush", "env:", "env:a b", "env:1", "env:A=B", "env:A\n"], ids=repr
)
def test_what_is_no_secret_is_refused(text):
    with pytest.raises(InvalidOption):
        Secret(text)


def test_secrets_compare_by_what_they_hold():
    assert Secret("env:A") == Secret("env:A") != Secret("env:B")
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2
    assert Secret("a") != "a"


def test_a_document_holds_the_reference(manager, monkeypatch):
    monkeypatch.setenv("SOME_KEY", "hush")
    made = Login(keys=[{"of": Secret("env:SOME_KEY")}])
    text = json.dumps(made.serialize())
    assert "env:SOME_KEY" in text
    assert "hush" not in text
    again = Login().deserialize(json.loads(text))
    assert again.get_config("keys")[0]["of"].reveal() == "hush"


def test_a_text_is_refused_where_it_would_be_saved(manager):
    with pytest.raises(NotSerializable) as caught:
        Login(keys=[{"of": Secret("hush")}]).serialize()
    text = str(caught.value)
    assert "routine.config['keys'][0]['of']" in text
    assert "Secret('env:NAME')" in text
    assert "hush" not in text


@pytest.mark.parametrize("kind", [Secret, Secret | None, Secret | int])
@pytest.mark.parametrize(("given", "said"), [(b"hush", "'bytes'"), ("env:hu-sh", "after 'env:'")])
def test_an_error_does_not_show_what_was_given_as_a_secret(kind, given, said):
    with pytest.raises(InvalidOption, match="key cannot be") as caught:
        typed(given, kind, "key")
    assert said in str(caught.value)
    assert "hu" not in str(caught.value)


def test_a_document_cannot_bring_a_text(manager):
    data = Login(key=Secret("env:KEY")).serialize()
    data["config"]["key"] = {"$secret": "hush"}
    with pytest.raises(InvalidDocument, match=r"config\['key'\]"):
        Login().deserialize(data)


def test_a_reference_travels_to_other_processes_and_a_text_does_not():
    assert pickle.loads(pickle.dumps(Secret("env:A"))) == Secret("env:A")  # noqa: S301 - our own bytes
    with pytest.raises(ValueError, match="environment variable"):
        pickle.dumps(Secret("hush"))


def test_a_copy_is_the_same():
    secret = Secret("hush")
    assert copy.copy(secret) is secret
    assert copy.deepcopy([secret])[0] is secret
