"""Whole jobs come back from their documents with every value that payloads may hold, types included."""

import json
import re
import socket
import threading
from collections import deque
from fractions import Fraction
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from routilux_core import (
    ErrorHandler,
    Event,
    Flow,
    JobManager,
    JobState,
    NotSerializable,
    Routine,
    all_sources,
    at_end,
    batch,
    get_execution_context,
    hookimpl,
    slot,
)
from routilux_core.job_data import FIELDS
from routilux_core.views import ListView
from routilux_plugins.executors import sequential
from tests.core.values import (
    EXAMPLES,
    KEYS,
    VALUES,
    Access,
    Basket,
    Colour,
    Money,
    Order,
    Pair,
    Point,
    Size,
    Word,
    form,
)
from tests.reliability.laws import data_of

HOUR = 3600.0


class Teaching:
    """A plugin that lets payloads hold two more classes."""

    @hookimpl
    def extend_converter(self, converter):
        converter.teach(
            Fraction,
            "fraction",
            encode=lambda value: (value.numerator, value.denominator),
            decode=lambda parts: Fraction(*parts),
        )
        converter.teach(Money, "money")


class Source(Routine):
    """Puts values wherever a job can keep one. Its annotations make their classes known."""

    sent = Event("key", "value")
    other = Event("key")
    stop = Event("value")
    fails = Event("value")
    later = Event("value")
    unheard = Event("value")

    @slot
    def trigger(
        self, values: list[Colour | Size | Word | Access | Point | Basket | Order | Pair | Any], keys: Any
    ):
        state = get_execution_context().job_state
        for number, value in enumerate(values):
            state.update_shared_data(f"key {number}", value)
            state.append_to_shared_log(value)
            state.record_execution("source", "remark", {"value": value})
            state.update_routine_state("source", {f"note {number}": value})
            self.set_stat(f"stat {number}", value)
            self.send_output("kind", value=value)
            self.emit("unheard", value=value)
            self.emit("fails", value=value)
            self.emit_deferred_event("later", value=value)
        for key in keys:
            for value in values:
                self.emit("sent", key=key, value=value)
        self.emit("other", key=keys[0])
        self.emit("stop", value=values[0])
        self.emit("sent", key=keys[-1], value=values[-1])


class Sink(Routine):
    """Keeps what comes, in each way that a slot can."""

    output = Event("value")

    @slot(merge_strategy="append")
    def appended(self, value):
        self.emit("output", value=value)

    @slot(when=batch(3))
    def batched(self, value):
        self.emit("output", value=value)

    @slot(when=all_sources(by="key"))
    def joined(self, key, value):
        self.emit("output", value=(key, value))

    @slot(when=at_end)
    def summed(self, value):
        self.emit("output", value=value)

    @slot(retry=ErrorHandler("retry", max_retries=1, retry_delay=HOUR, max_delay=HOUR))
    def failing(self, value):
        raise ValueError(repr(value))

    @slot
    def stopping(self, value):
        context = get_execution_context()
        context.flow.pause(context.job_state, "as asked", checkpoint=value)

    @slot
    def noting(self, value):
        self.emit("output", value=value)


def flow_of_all():
    flow = Flow("everything")
    flow.add_routine(Source(), "source")
    flow.add_routine(Sink(), "sink")
    for name in ("appended", "batched", "joined", "summed"):
        flow.connect("source.sent", f"sink.{name}")
    flow.connect("source.other", "sink.joined")
    flow.connect("source.fails", "sink.failing")
    flow.connect("source.stop", "sink.stopping")
    flow.connect("source.later", "sink.noting")
    return flow


FLOW = flow_of_all()


@pytest.fixture(scope="module", autouse=True)
def teaching_manager():
    with JobManager(plugins=[sequential, Teaching()], discover=False) as manager:
        yield manager
        manager.shutdown(wait=False)


def exact(value: Any) -> Any:
    """Return what equal things of the same types have in common, of a job's own classes and of payloads."""
    kind = type(value)
    if attrs.has(kind) and kind.__module__.startswith("routilux_core."):
        return kind.__name__, [(one.name, exact(getattr(value, one.name))) for one in attrs.fields(kind)]
    if kind in {list, tuple, deque, ListView}:
        return kind.__name__, [exact(one) for one in value]
    if kind is dict:
        return "dict", [(exact(key), exact(one)) for key, one in value.items()]
    return form(value)


def everything(state: JobState) -> dict[str, Any]:
    data = data_of(state)
    return {name: exact(getattr(data, name)) for name in FIELDS} | {"facts": exact(list(state.facts))}


def paused(values: list[Any], keys: list[Any]) -> JobState:
    entry = {"values": values, "keys": keys}
    state = FLOW.execute("source", entry, metadata={"values": values, "by": keys})
    assert state.status == "paused", state.errors
    return state


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example(EXAMPLES, [1, (1, 2), "1"])
@given(st.lists(VALUES, min_size=1, max_size=3), st.lists(KEYS, min_size=1, max_size=2))
def test_a_job_with_any_values_comes_back_with_their_types(values, keys):
    state = paused(values, keys)
    text = json.dumps(state.serialize(), allow_nan=False)

    loaded = JobState().deserialize(json.loads(text))

    assert everything(loaded) == everything(state)
    assert json.dumps(loaded.serialize()) == text


def test_the_values_were_everywhere():
    state = paused([Point(1, (2,)), Money(3)], [(1, 2), "b"])
    data = data_of(state)

    assert {activation.attempt for activation in data.activations.values()} == {1, 2}
    assert len(data.held) == 3
    assert len(data.merged) == 1
    assert len(data.deferred) == 2
    assert data.checkpoint == Point(1, (2,))
    for name in ("shared_data", "shared_log", "output_log", "stats", "results", "metadata", "errors"):
        assert getattr(data, name), name


@pytest.mark.parametrize("number", range(5))
def test_a_type_that_were_lost_would_be_seen(number):
    """The control: in one place of the document a tuple has become a list."""
    state = paused([(1, 2)], [3])
    parts = json.dumps(state.serialize()).split('{"$tuple": [1, 2]}')
    changed = [*parts[: number + 1], "[1, 2]".join(parts[number + 1 : number + 3]), *parts[number + 3 :]]

    loaded = JobState().deserialize(json.loads('{"$tuple": [1, 2]}'.join(changed)))

    assert len(changed) == len(parts) - 1
    assert everything(loaded) != everything(state)


THINGS = {
    "a socket": (socket.socket, "socket.socket"),
    "a lock": (threading.Lock, "lock"),
    "a generator": (lambda: (one for one in ()), "generator"),
    "a function": (lambda: len, "builtin_function_or_method"),
    "a module": (lambda: json, "module"),
    "a class": (lambda: Point, "type"),
    "an object of a local class": (type("Local", (), {"__qualname__": "f.<locals>.Local"}), "Local"),
    "a text of another kind": (lambda: type("Loud", (str,), {})("a"), "Loud"),
    "a complex number": (lambda: 1j, "complex"),
}
PLACES = {
    "shared data": (lambda state, it: state.update_shared_data("at", it), r"shared_data\['at'\]"),
    "shared log": (lambda state, it: state.append_to_shared_log([it]), r"shared_log\[0\]\[0\]"),
    "a routine's state": (
        lambda state, it: state.update_routine_state("a", {"k": it}),
        r"routine_states\['a'\].*k",
    ),
    "a deferred event": (
        lambda state, it: state.add_deferred_event("a", "b", {"k": it}),
        r"deferred_events\[0\].*k",
    ),
    "an output": (lambda state, it: state.send_output("kind", k=it), r"output_log\[0\].*k"),
    "the history": (lambda state, it: state.record_execution("a", "b", {"k": it}), r"history\[0\].*k"),
}


@pytest.mark.parametrize("thing", THINGS)
@pytest.mark.parametrize("place", PLACES)
def test_what_cannot_be_saved_is_named_with_its_place(place, thing):
    make, kind = THINGS[thing]
    put, path = PLACES[place]
    state, it = JobState("flow"), make()
    put(state, {"deep": (1, it)})

    with pytest.raises(NotSerializable, match=kind) as caught:
        state.serialize()

    if isinstance(it, socket.socket):
        it.close()
    assert re.search(path + r".*\['deep'\]\[1\]", caught.value.path)
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, TypeError)


def test_a_pending_activation_is_named_as_users_see_it():
    lock = threading.Lock()
    state = paused([lock], [1])

    with pytest.raises(NotSerializable) as caught:
        state.serialize()

    found = re.fullmatch(r"pending_tasks\[(\d+)\]\.data\['value'\]", caught.value.path)
    assert state.pending_tasks[int(found[1])].data["value"] is lock
    assert str(caught.value).startswith(f"{caught.value.path}: _thread.lock cannot be saved; ")
