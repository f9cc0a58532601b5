"""What the tests of saved jobs share: flows to save, and how two jobs are compared."""

import json
from collections import deque
from functools import cache

import attrs

from routilux_core import (
    Event,
    JobManager,
    JobState,
    Routine,
    routine,
    slot,
)
from routilux_core.job_data import FIELDS
from routilux_core.testing.clock import ManualClock
from routilux_core.views import ListView
from routilux_plugins.executors import sequential
from tests.core.gate import WAIT, Gate
from tests.core.rich_job import rich_flow, rich_state
from tests.reliability.laws import data_of


@routine
def double(n):
    return {"n": 2 * n}


@routine
def numbers(upto):
    for n in range(upto):
        yield {"n": n}


class Held(Routine):
    """Waits in its handler until the test lets it go."""

    output = Event("n")

    def __init__(self):
        super().__init__()
        self.gate = Gate()

    @slot
    def trigger(self, n):
        self.gate.pass_through()
        self.emit("output", n=n)


class Calling(Routine):
    """Calls a function of the test's."""

    output = Event()

    def __init__(self, function):
        super().__init__()
        self.function = function

    @slot
    def trigger(self, **data):
        self.function(self, **data)


class Failing(Routine):
    @slot
    def trigger(self, n):
        raise ValueError("no")


class Gathering(Routine):
    output = Event("count")

    @slot(merge_strategy="append")
    def trigger(self, n):
        self.emit("output", count=len(n))


def content(value):
    """Return a value with the types of all that is in it, to be compared; who is the same stays the same."""
    if isinstance(value, float) and value != value:  # noqa: PLR0124 - nan
        return "nan"
    if attrs.has(type(value)):
        names = [field.name for field in attrs.fields(type(value))]
        return type(value).__name__, [(name, content(getattr(value, name))) for name in names]
    if isinstance(value, dict):
        return "dict", [(content(key), content(item)) for key, item in value.items()]
    if isinstance(value, (set, frozenset)):
        return type(value).__name__, value
    if isinstance(value, (list, tuple, deque, ListView)):
        return type(value).__name__, [content(item) for item in value]
    return type(value).__name__, value


def whole(state):
    """Return all there is in a state."""
    data = data_of(state)
    fields = {name: content(getattr(data, name)) for name in FIELDS}
    return fields | {"history": [content(fact) for fact in state.facts]}


def through_text(document):
    return json.loads(json.dumps(document, allow_nan=False))


def reloaded(state):
    return JobState().deserialize(through_text(state.serialize()))


def finish(flow, state):
    flow.resume(state)
    assert flow.wait_for_completion(WAIT)
    return state


@cache
def rich_document():
    with JobManager(plugins=[sequential], discover=False, clock=ManualClock()) as manager:
        state = rich_state(rich_flow())
        text = json.dumps(state.serialize())
        manager.shutdown(wait=False)
    return text
