"""The contract of monitors finds bugs: each of these monitors has one, and fails a test that names it."""

import pytest

from routilux_core import Monitor
from routilux_core.testing import MonitorContract
from tests.contracts.planted_monitors import PLANTED

FINDINGS = [(bug, name) for bug, names in PLANTED.items() for name in names]


class Kit(MonitorContract):
    patience = 0.5


@pytest.mark.parametrize(("bug", "name"), FINDINGS)
def test_a_planted_bug_is_caught(bug, name):
    with pytest.raises(AssertionError):
        getattr(Kit(), name)(bug())


@pytest.mark.parametrize("name", sorted({name for _, name in FINDINGS}))
def test_a_monitor_without_the_bug_passes(name):
    getattr(Kit(), name)(Monitor())


def test_every_test_of_the_contract_catches_a_bug():
    names = {name for kind in MonitorContract.__mro__ for name in vars(kind) if name.startswith("test_")}

    assert names == {name for _, name in FINDINGS}
