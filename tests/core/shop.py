"""Routines that stored documents name: their names, configuration and slots must stay as they are."""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from pathlib import Path

from attrs import field, frozen

from routilux_core import ErrorHandler, Event, Flow, Routine, Secret, batch, routine, slot


class Currency(StrEnum):
    """What prices are in."""

    EURO = "eur"
    POUND = "gbp"


@frozen
class Item:
    """A line of an order."""

    name: str
    price: Decimal
    count: int = 1


class OutOfStock(Exception):
    """Nothing left."""


class Load(Routine):
    """Reads orders."""

    @frozen(kw_only=True)
    class Config:
        """Where orders come from."""

        folder: Path
        currency: Currency = Currency.EURO
        since: date | None = None
        limit: int = field(default=10)
        token: Secret | None = None

    output = Event(item=Item)

    @slot
    def trigger(self, item: Item):
        self.emit("output", item=item)


class Sort(Routine):
    """Has an event for each kind."""

    def __init__(self, *kinds):
        super().__init__(kinds=kinds)
        self.define_slot("trigger", self.sort)
        for kind in kinds:
            self.define_event(kind, ["item"])

    def sort(self, kind, item):
        self.emit(kind, item=item)


class Scale(Routine):
    """Takes its factor by position, and keeps more than its constructor takes."""

    output = Event("value")

    def __init__(self, factor=2, /, *, unit="m"):
        super().__init__(factor=factor, unit=unit)
        self.set_config(note="made")

    @slot
    def trigger(self, value):
        self.emit("output", value=self.get_config("factor") * value)


@routine(when=batch(2))
def total(price: list[Decimal]):
    return {"total": sum(price)}


def shop():
    """Return a flow with all that a document can hold."""
    flow = Flow("shop", execution_strategy="sequential", max_workers=3, execution_timeout=60.0)
    flow.set_error_handler(ErrorHandler("continue"))
    load = Load(folder="orders", since=date(2024, 2, 29), token=Secret("env:SHOP_TOKEN"))
    load.set_error_handler(ErrorHandler("retry", max_retries=2, retryable_exceptions=(OSError, OutOfStock)))
    flow.add_routine(load, "load")
    flow.add_routine(Sort("fruit", "herb"), "sort")
    sums = Flow("sums")
    sums.add_routine(Scale(3, unit="kg"), "scale")
    sums.add_routine(total(), "total")
    sums.connect("scale.output", "total.trigger", param_mapping={"value": "price"})
    flow.add_routine(sums, "first")
    flow.add_routine(sums, "second")
    flow.add_routine(load, "again")
    flow.connect("load.output", "sort.trigger")
    flow.connect("sort.fruit", "first.scale.trigger", param_mapping={"item": "value"})
    flow.connect("sort.herb", "second.scale.trigger", param_mapping={"item": "value"})
    return flow
