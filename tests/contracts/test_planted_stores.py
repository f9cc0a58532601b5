"""The contract of stores finds bugs: each of these stores has one, and fails a test that names it."""

from inspect import signature

import pytest

from routilux_core.testing import StoreContract
from routilux_plugins.stores.memory.shelf import Shelf
from routilux_plugins.stores.memory.store import Memory
from tests.contracts.planted_stores import PLANTED

FINDINGS = [(bug, name) for bug, names in PLANTED.items() for name in names]


class Kit(StoreContract):
    patience = 1.0


def run(kind, name):
    """Run one test of the contract on two stores of that class."""
    shelf = Shelf()
    test = getattr(Kit(), name)
    test(*(kind(shelf) for _ in signature(test).parameters))


@pytest.mark.parametrize(("bug", "name"), FINDINGS)
def test_a_planted_bug_is_caught(bug, name):
    with pytest.raises(AssertionError):
        run(bug, name)


@pytest.mark.parametrize("name", sorted({name for _, name in FINDINGS}))
def test_a_store_without_the_bug_passes(name):
    run(Memory, name)


def test_no_two_tests_of_the_contract_have_one_name():
    """One that hides another would let its bugs through."""
    kinds = StoreContract.__mro__[1:-1]
    names = [name for kind in kinds for name in vars(kind) if name.startswith("test_")]

    assert len(names) == len(set(names)) > 80
