"""What the tests of monitors let run: work that is tried again. Any process can import it."""

from routilux_core import ErrorHandler, Event, Flow, Routine, get_execution_context, slot


class Items(Routine):
    """Gives items one after the other."""

    output = Event("n", "tags")

    @slot
    def trigger(self, count):
        for n in range(count):
            self.emit("output", n=n, tags=[n, {"deep": [n]}])
            yield


class Work(Routine):
    """Sends on what it gets; every seventh item at the second attempt."""

    output = Event("n", "tags")

    @slot(retry=ErrorHandler("retry", max_retries=1, retry_delay=0))
    def trigger(self, n, tags):
        if n % 7 == 0 and get_execution_context().attempt == 1:
            raise OSError("the first attempt")
        self.emit("output", n=n, tags=tags)


def work(length=2):
    """Make a flow in which each item goes through so many routines."""
    flow = Flow("watched")
    flow.add_routine(Items(), "items")
    before = "items"
    for number in range(length):
        flow.add_routine(Work(), f"work{number}")
        flow.connect(before, "output", f"work{number}", "trigger")
        before = f"work{number}"
    return flow


def results(state):
    """Return what came of a job, in an order of its own."""
    (found,) = state.results.values()
    return sorted((payload["n"], payload["tags"]) for payload in found)
