"""A package of routines as somebody might install it on two hosts; `test_move` copies it to each."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum

from attrs import frozen

from routilux_core import (
    ErrorHandler,
    Event,
    Flow,
    Routine,
    all_sources,
    at_end,
    batch,
    get_execution_context,
    slot,
)

PARCELS = 60
STOP_AT = 9
"""The parcel at which the job asks for its pause."""
RETRY_DELAY = 1.0
SENT = datetime(2024, 2, 29, 23, 59, tzinfo=UTC)


class Size(Enum):
    SMALL = "small"
    LARGE = "large"


@frozen
class Parcel:
    number: int
    weight: Decimal
    size: Size
    route: tuple[str, ...]


class Depot(Routine):
    """Sends the parcels and their invoices, and one that is hard to deliver."""

    parcel = Event(parcel=Parcel, sent=datetime)
    invoice = Event("order", "amount")
    difficult = Event("number")

    @slot
    def trigger(self, count):
        self.emit("difficult", number=-1)
        for number in range(count):
            self.emit("invoice", order=("order", number), amount=Decimal(number))
        for number in range(count):
            size = Size.LARGE if number % 3 else Size.SMALL
            parcel = Parcel(number, Decimal(number) / 8, size, ("depot", f"van {number % 4}"))
            self.emit("parcel", parcel=parcel, sent=SENT + timedelta(minutes=number))


class Check(Routine):
    """Looks at each parcel, and wants somebody to look at one of them."""

    checked = Event("order", "number", "weight")
    notice = Event("text")

    @slot
    def trigger(self, parcel: Parcel, sent: datetime):
        context = get_execution_context()
        context.job_state.modify_shared_data("weight", lambda weight: weight + parcel.weight, Decimal(0))
        context.job_state.append_to_shared_log((parcel.number, sent, context.idempotency_key))
        self.increment_stat(parcel.size.value)
        self.emit("checked", order=("order", parcel.number), number=parcel.number, weight=parcel.weight)
        if parcel.number == STOP_AT:
            self.emit_deferred_event("notice", text="look at it")
            self.emit_deferred_event("notice", text="and sign")
            context.flow.pause(context.job_state, "to be signed", checkpoint={"at": parcel})


class Shelf(Routine):
    """Keeps parcels in each way that a slot can."""

    seen = Event("numbers")
    box = Event("numbers")
    bill = Event("number", "amount")
    total = Event("number")

    @slot(merge_strategy="append", priority=1)
    def appended(self, number):
        self.emit("seen", numbers=tuple(number))

    @slot(when=batch(4), priority=1)
    def boxed(self, number):
        self.emit("box", numbers=tuple(number))

    @slot(when=all_sources(by="order"), priority=1)
    def billed(self, order, number, amount):
        self.emit("bill", number=number, amount=amount)

    @slot(when=at_end)
    def summed(self, number):
        self.emit("total", number=sum(number))


class Courier(Routine):
    """Finds nobody at the first attempt."""

    delivered = Event("number", "attempt")

    @slot(retry=ErrorHandler("retry", max_retries=2, retry_delay=RETRY_DELAY, jitter=False))
    def trigger(self, number):
        attempt = get_execution_context().attempt
        if attempt == 1:
            raise ConnectionError("nobody there")
        self.send_output("delivery", number=number)
        self.emit("delivered", number=number, attempt=attempt)


class Clerk(Routine):
    """Takes the notices that wait for the job to go on."""

    signed = Event("text", "by")

    def __init__(self, name="nobody"):
        super().__init__(name=name)

    @slot
    def trigger(self, text):
        self.emit("signed", text=text, by=self.get_config("name"))


def freight() -> Flow:
    """Return the flow of this package."""
    flow = Flow("freight")
    members = {
        "depot": Depot(),
        "check": Check(),
        "shelf": Shelf(),
        "courier": Courier(),
        "clerk": Clerk("Ada"),
    }
    for name, member in members.items():
        flow.add_routine(member, name)
    flow.connect("depot.difficult", "courier.trigger")
    flow.connect("depot.invoice", "shelf.billed")
    flow.connect("depot.parcel", "check.trigger")
    for name in ("appended", "boxed", "billed", "summed"):
        flow.connect("check.checked", f"shelf.{name}", param_mapping={"weight": "kilograms"})
    flow.connect("check.notice", "clerk.trigger")
    return flow
