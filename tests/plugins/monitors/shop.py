"""A flow whose work completes, is tried again, fails alone or with its job, as its numbers say."""

from routilux_core import ErrorHandler, Event, Flow, Routine, slot


class Order(Routine):
    """Sends on each item of an order."""

    item = Event("n")

    @slot
    def trigger(self, items):
        for n in items:
            self.emit("item", n=n)


class Ship(Routine):
    """Ships an item; 1 at the second attempt."""

    output = Event("n")

    @slot(retry=ErrorHandler("retry", max_retries=1, retry_delay=0))
    def trigger(self, n):
        if n == 1 and self.get_execution_context().attempt == 1:
            raise OSError("the first attempt")
        self.emit("output", n=n)


class Bill(Routine):
    """Bills an item; 2 has no price, but the job goes on."""

    @slot(retry=ErrorHandler("continue"))
    def trigger(self, n):
        if n == 2:
            raise LookupError("no price")


class Check(Routine):
    """Finds that 3 is sold out, which ends the job."""

    @slot
    def trigger(self, n):
        if n == 3:
            raise ValueError("sold out")


def shop(flow_id="shop"):
    flow = Flow(flow_id)
    flow.add_routine(Order(), "order")
    flow.add_routine(Ship(), "ship")
    flow.add_routine(Bill(), "bill")
    flow.add_routine(Check(), "check")
    flow.connect("order.item", "ship.trigger")
    flow.connect("ship.output", "bill.trigger")
    flow.connect("ship.output", "check.trigger")
    return flow
