"""A routine that only those know who import this module."""

from routilux_core import Event, Routine, slot
from routilux_core.testing.executor_contract.sample import chain
from tests.reliability.crashed import Count, watched


class Strange(Routine):
    output = Event("n")

    @slot
    def trigger(self, n):
        with watched():
            self.emit("output", n=-n)


def strange():
    return chain("strange", source=Count(), strange=Strange())
