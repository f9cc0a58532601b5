"""Small flows for jobs that are broken off anywhere, and what has to come of them whatever happens.

Every handler leaves its key in the shared log, so whatever took effect twice, or under another key, is seen.
"""

import os
from collections import Counter
from contextlib import contextmanager

from routilux_core import ErrorHandler, Event, Flow, Routine, all_sources, at_end, get_execution_context, slot
from routilux_core.testing.executor_contract.meeting import Visit
from routilux_core.testing.executor_contract.sample import chain

WATCHES = []
"""What a test wants to be called at the start and at the end of each handler, and of each item of one."""
THREADS = 3
"""How many numbers a fan makes of one."""


@contextmanager
def watched():
    """Let those who watch see the handler."""
    context = get_execution_context()
    for watch in WATCHES:
        watch("start", context)
    try:
        yield context
    finally:
        for watch in WATCHES:
            watch("end", context)


@contextmanager
def noted():
    """Leave a trace in the job too, which is there once if the activation takes effect once."""
    with watched() as context:
        state = context.job_state
        state.append_to_shared_log([context.routine_id, context.idempotency_key, context.activation.items])
        state.modify_shared_data("effects", one_more, 0)
        yield


def one_more(count):
    return count + 1


class Source(Routine):
    output = Event("n")
    other = Event("n")

    @slot
    def trigger(self, width):
        with noted():
            self.increment_stat("calls")
            for n in range(width):
                self.emit("output", n=n)
                self.emit("other", n=n)


class Step(Routine):
    """Does nothing but send: such work goes a way of its own."""

    output = Event("n")

    @slot
    def trigger(self, n):
        with watched():
            self.emit("output", n=n)


class Fan(Routine):
    output = Event("n")
    other = Event("n")

    @slot
    def trigger(self, n):
        with watched():
            for place in range(THREADS):
                self.emit("output", n=THREADS * n + place)
                self.emit("other", n=THREADS * n + place)


class Count(Routine):
    """A generator: each item takes effect by itself."""

    output = Event("n")

    @slot
    def trigger(self, width):
        for n in range(width):
            with noted():
                self.emit("output", n=n)
            yield
        with noted():
            """The end of it."""


class Side(Routine):
    """Has a value for each number."""

    output = Event("n", "value")

    def __init__(self, factor):
        super().__init__(factor=factor)

    @slot
    def trigger(self, n):
        with noted():
            self.emit("output", n=n, value=self.get_config("factor") * n)


class Pair(Routine):
    output = Event("n", "both")

    @slot(when=all_sources(by="n"))
    def trigger(self, n, left, right):
        with noted():
            self.emit("output", n=n, both=[left, right])


class Summary(Routine):
    output = Event("total")

    @slot(when=at_end)
    def trigger(self, n):
        with noted():
            self.emit("output", total=sum(n))


class Flaky(Routine):
    """Fails at odd numbers, at every other of them again and again."""

    output = Event("n", "attempt")

    def __init__(self):
        super().__init__()
        retry = ErrorHandler("retry", max_retries=1, retry_delay=0, jitter=False, is_optional=True)
        self.define_slot("trigger", self.act, retry=retry)

    def act(self, n):
        with noted():
            attempt = get_execution_context().attempt
            if n % 2 and (attempt == 1 or n % 4 == 3):
                raise OSError(n)
            self.emit("output", n=n, attempt=attempt)


class Gather(Routine):
    """Hears of all numbers so far, and says how many they are."""

    output = Event("count")

    @slot(merge_strategy="append")
    def trigger(self, n):
        with noted():
            self.emit("output", count=len(n))


class Later(Routine):
    """Sets an event aside, and may let the job stand still so that it is sent."""

    output = Event("n")
    later = Event("n")

    def __init__(self, pauses):
        super().__init__(pauses=pauses)

    @slot
    def trigger(self, n):
        with noted():
            self.emit("output", n=n)
            self.emit_deferred_event("later", n=10 * n)
            if self.get_config("pauses"):
                get_execution_context().job.pause("to be resumed", {"n": n})


class Poison(Routine):
    """At a bad number it says in which process it runs, and stays there to be killed."""

    output = Event("n")

    def __init__(self, bad):
        super().__init__(bad=bad)

    @slot
    def trigger(self, n, meeting):
        if n == self.get_config("bad"):
            with Visit(meeting, str(os.getpid())) as visit:
                visit.stay()
        self.emit("output", n=n)


class Spread(Routine):
    output = Event("n", "meeting")

    @slot
    def trigger(self, width, meeting):
        for n in range(width):
            self.emit("output", n=n, meeting=meeting)


def generators():
    return chain("generators", source=Count(), step=Step())


def joins():
    flow = Flow("joins")
    routines = {"source": Source(), "left": Side(2), "right": Side(3), "pair": Pair(), "summary": Summary()}
    for name, made in routines.items():
        flow.add_routine(made, name)
    for side, event in (("left", "output"), ("right", "other")):
        flow.connect("source", event, side, "trigger")
        flow.connect(side, "output", "pair", "trigger", {"value": side})
    flow.connect("pair", "output", "summary", "trigger")
    return flow


def retries():
    return chain("retries", source=Source(), flaky=Flaky(), step=Step())


def nested():
    flow = chain("nested", source=Source())
    flow.add_routine(chain("inner", first=Step(), second=Step()), "sub")
    flow.connect("source", "output", "sub.first", "trigger")
    return flow


def gathering():
    return chain("gathering", source=Source(), gather=Gather())


def deferred(name="deferred", *, pauses=True):
    flow = chain(name, source=Source(), later=Later(pauses))
    flow.add_routine(Step(), "step")
    flow.connect("later", "later", "step", "trigger")
    return flow


def poisoned():
    flow = chain("poisoned", source=Spread(), poison=Poison(2))
    flow.set_error_handler(ErrorHandler("continue"))
    return flow


def left_aside():
    return deferred(pauses=False)


def posted():
    """Return a flow whose job is posted to when it stands still."""
    return deferred("posted")


POSTS = {"posted": {"routine_id": "step", "slot": "trigger", "data": {"n": -1}}}
"""What is posted, by flow."""


def mixed():
    """Return a flow in which all of it happens: about fifty activations for each unit of width."""
    flow = Flow("mixed")
    routines = {
        "source": Count(), "fan": Fan(), "left": Side(2), "right": Side(3), "pair": Pair(), "step": Step(),
        "flaky": Flaky(), "gather": Gather(), "last": Step(), "summary": Summary(),
    }  # fmt: skip
    for name, made in routines.items():
        flow.add_routine(made, name)
    for side, event in (("left", "output"), ("right", "other")):
        flow.connect("fan", event, side, "trigger")
        flow.connect(side, "output", "pair", "trigger", {"value": side})
    line = (("source", "fan"), ("pair", "step"), ("step", "flaky"), ("flaky", "gather"), ("flaky", "last"))
    for before, after in line:
        flow.connect(before, "output", after, "trigger")
    flow.connect("last", "output", "summary", "trigger")
    return flow


FLOWS = {
    made.__name__: made
    for made in (generators, joins, retries, nested, gathering, deferred, left_aside, posted)
}
WIDTH = 2


def story(state):
    """Return what must be the same however often a job was broken off."""
    lines = Counter((line.routine_id, line.event_name) for line in state.execution_history)
    return {
        "status": str(state.status),
        "results": {name: sorted(map(repr, payloads)) for name, payloads in state.results.items()},
        "shared data": dict(state.shared_data),
        "shared log": sorted(map(repr, state.shared_log)),
        "stats": {name: state.stats(name) for name in state.routine_states},
        "activations": {name: shown["activations"] for name, shown in state.routine_states.items()},
        "errors": sorted(f"{error.type} {error.message} {error.attempt}" for error in state.errors),
        "deferred": sorted(map(repr, state.deferred_events)),
        "lines": {key: count for key, count in lines.items() if key[1] != "start"},
    }
