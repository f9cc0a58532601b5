"""The stores of ours keep the contract."""

from contextlib import closing

import pytest

from routilux_core.testing import StoreContract
from routilux_plugins.stores.memory import Memory, Shelf


class TestMemory(StoreContract):
    @pytest.fixture
    def shelf(self):
        return Shelf()

    @pytest.fixture
    def store(self, shelf):
        with closing(Memory(shelf)) as store:
            yield store

    @pytest.fixture
    def again(self, shelf):
        with closing(Memory(shelf)) as again:
            yield again
