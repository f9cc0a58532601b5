"""StoreContract: tests that every store should pass."""

from __future__ import annotations

from routilux_core.testing.store_contract.claiming import ClaimTests
from routilux_core.testing.store_contract.crowd import CrowdTests
from routilux_core.testing.store_contract.ending import EndingTests
from routilux_core.testing.store_contract.flow import FlowTests
from routilux_core.testing.store_contract.hostile import HostileTests
from routilux_core.testing.store_contract.listing import ListTests
from routilux_core.testing.store_contract.loading import LoadTests
from routilux_core.testing.store_contract.opening import OpeningTests
from routilux_core.testing.store_contract.recovering import RecoveryTests
from routilux_core.testing.store_contract.releasing import ReleaseTests
from routilux_core.testing.store_contract.renewing import RenewalTests
from routilux_core.testing.store_contract.repeating import RepeatTests
from routilux_core.testing.store_contract.requesting import RequestTests
from routilux_core.testing.store_contract.writing import CommitTests


class StoreContract(
    ClaimTests,
    OpeningTests,
    RenewalTests,
    RecoveryTests,
    CommitTests,
    ReleaseTests,
    RepeatTests,
    RequestTests,
    LoadTests,
    ListTests,
    FlowTests,
    EndingTests,
    HostileTests,
    CrowdTests,
):
    """Ready tests of one store, for pytest. Subclass it and give two fixtures.

    `store` is an empty store, made anew for each test. `again` is another object of that class on the same
    place, as another process would open it.

    ```
    class TestShelf(StoreContract):
        @pytest.fixture
        def store(self, tmp_path):
            with closing(Shelf(tmp_path)) as store:
                yield store

        @pytest.fixture
        def again(self, store, tmp_path):
            with closing(Shelf(tmp_path)) as again:
                yield again
    ```
    """
