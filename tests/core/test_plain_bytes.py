"""What is in a store means the same with orjson and without, whoever has written it."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as any_of

from routilux_core import plain_bytes
from routilux_core.convert import Converter
from routilux_core.vocabulary import known_types
from routilux_plugins.stores.memory.store import Memory
from tests.reliability.dice import Dice
from tests.reliability.test_laws import live
from tests.reliability.test_stored_laws import check

orjson = pytest.importorskip("orjson", reason="only one way can be tested without it")
WAYS = {
    "orjson": (plain_bytes.dumps, plain_bytes.loads),
    "standard": (plain_bytes.standard_dumps, plain_bytes.standard_loads),
}
USERS = {
    "dumps": ("journal", "snapshot_document", "flow_version", "request_document"),
    "loads": ("entry_reader", "snapshot_document", "flow_version", "request_document"),
}
"""The modules that write, and those that read."""
BOTH = [(writer, reader) for writer in WAYS for reader in WAYS]
numbers = any_of.integers() | any_of.integers(2**62, 2**66) | any_of.floats(allow_nan=False)
texts = any_of.text() | any_of.text(any_of.characters())
values = any_of.recursive(
    any_of.none() | any_of.booleans() | numbers | texts | any_of.binary(max_size=9) | any_of.datetimes(),
    lambda inner: (
        any_of.lists(inner, max_size=4)
        | any_of.tuples(inner, inner)
        | any_of.dictionaries(texts | numbers, inner, max_size=4)
    ),
    max_leaves=12,
)


def test_orjson_is_used_where_it_is_installed():
    assert plain_bytes.dumps is not plain_bytes.standard_dumps


@given(value=values)
@pytest.mark.parametrize(("writer", "reader"), BOTH)
def test_every_value_comes_back_as_it_was(writer, reader, value):
    converter = Converter(known_types)
    content = WAYS[writer][0](converter.encode(value))
    assert repr(converter.decode(WAYS[reader][1](content))) == repr(value)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[1,]", b'{"a":1}x', b"nul", b"[" * 100_000])
def test_what_is_no_json_is_refused_either_way(content):
    for _, loads in WAYS.values():
        with pytest.raises((ValueError, RecursionError)):
            loads(content)


def test_what_is_deep_is_written_and_read():
    deep = plain = []
    for _ in range(400):
        plain.append([])
        plain = plain[0]
    for writer, reader in BOTH:
        assert WAYS[reader][1](WAYS[writer][0](deep)) == deep


@pytest.mark.parametrize(("writer", "reader"), BOTH)
def test_a_store_has_jobs_as_they_are(writer, reader, monkeypatch):
    """Data, facts and history of random jobs, read from snapshots too."""
    monkeypatch.setattr("routilux_core.journal.LEAST", 300)
    monkeypatch.setattr("routilux_core.stored_job.SHORT", 0)
    for name, function in (("dumps", WAYS[writer][0]), ("loads", WAYS[reader][1])):
        for module in USERS[name]:
            monkeypatch.setattr(f"routilux_core.{module}.{name}", function)
    for seed in range(20):
        live(Dice(Random(seed)), check=check, store=Memory(), durability="sync")  # noqa: S311 - no secret
