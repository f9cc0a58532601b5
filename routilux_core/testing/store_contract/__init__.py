"""The ready tests of stores, one file for each subject; `StoreContract` is all of them."""

from routilux_core.testing.store_contract.contract import StoreContract

__all__ = ["StoreContract"]
