"""What a monitor is shown of a fact: everything that the fact says, and no way back into the job."""

import pickle
import socket
from collections import deque
from datetime import UTC, datetime

import pytest
from attrs import define, fields

from routilux_core import (
    Activation,
    ErrorHandler,
    EventEmitted,
    Flow,
    JobStopped,
    facts,
    routine,
)
from routilux_core.apply import APPLY
from routilux_core.fact_view import copied, view


@define
class Basket:
    items: list


def emitted(data):
    sender = Activation(1, "a", "trigger", data, None, 1.0, 5)
    return EventEmitted(3, 2.0, sender, "a", "output", data, sender)


def test_a_view_says_what_the_fact_says():
    fact = emitted({"n": 1})
    seen = view(fact)
    assert isinstance(seen, EventEmitted)
    assert type(seen).__name__ == "EventEmitted"
    assert (seen.number, seen.at, seen.tag, seen.data) == (3, 2.0, "event_emitted", {"n": 1})
    assert [one.target for one in seen.activations] == ["a.trigger"]
    assert repr(seen) == repr(fact)


@pytest.mark.parametrize("kind", APPLY, ids=lambda kind: kind.tag)
def test_every_kind_of_fact_can_be_viewed(kind):
    work = Activation(1, "a", "trigger", {}, None, 1.0, 5)
    values = [work if one.name == "activation" else {"a": [1]} for one in fields(kind)]
    seen = view(kind(*values))
    assert seen.tag == kind.tag
    assert [getattr(seen, one.name) for one in fields(kind)] == values


def test_a_view_equals_its_fact_and_no_other():
    fact, other = emitted({}), emitted({})
    assert view(fact) == fact == view(fact)
    assert [fact] == [view(fact)]
    assert len({fact, view(fact)}) == 1
    assert view(fact) not in {other, view(other)}


def test_a_view_cannot_be_changed():
    seen = view(emitted({}))
    for thing, name in ((seen, "data"), (seen, "number"), (seen.activation, "data"), (seen, "colour")):
        with pytest.raises(AttributeError):
            setattr(thing, name, None)


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.clear(),
        lambda data: data["list"].append(1),
        lambda data: data["dict"]["deep"].clear(),
        lambda data: data["tuple"][0].append(1),
        lambda data: data["set"].add(9),
        lambda data: data["deque"].popleft(),
        lambda data: data["object"].items.append(1),
        lambda data: setattr(data["object"], "items", None),
    ],
)
def test_what_a_view_hands_out_is_a_copy(change):
    data = {
        "list": [],
        "dict": {"deep": [1]},
        "tuple": ([1],),
        "set": {1},
        "deque": deque([1]),
        "object": Basket([]),
    }
    fact = emitted(data)
    before = repr(data)
    for payload in (view(fact).data, view(fact).activation.data, view(fact).activations[0].data):
        change(payload)
    assert repr(data) == before


def test_a_copy_has_the_same_types_and_values():
    at = datetime.now(UTC)
    data = {"at": at, 1: (1, [2]), "set": frozenset({1}), "none": None, "kind": Basket}
    assert copied(data) == data
    assert [type(one) for one in copied(data).values()] == [type(one) for one in data.values()]


def test_what_is_asked_for_twice_is_one_copy():
    seen = view(emitted({"n": [1]}))
    assert seen.data is seen.data
    assert seen.activation == seen.activation


def test_what_refuses_to_be_copied_goes_by_reference():
    with socket.socket() as connection:
        assert copied({"connection": connection})["connection"] is connection


def test_what_holds_itself_is_copied():
    ring = {"n": [1]}
    ring["self"] = ring
    again = copied(ring)
    assert again["self"] is again
    assert again is not ring


def test_a_view_is_sent_elsewhere_as_a_fact():
    fact = pickle.loads(pickle.dumps(view(emitted({"n": 1}))))  # noqa: S301 - our own bytes
    assert type(fact) is EventEmitted
    assert fact.data == {"n": 1}


def test_a_fact_with_a_name_of_its_own_keeps_it():
    assert view(JobStopped(1, 1.0, None)).tag == "job_failed"


def test_a_monitor_is_shown_views_of_every_fact_of_a_job(manager):
    """The control: the job's own history has the facts themselves."""

    @routine(retry=ErrorHandler("retry", max_retries=1, retry_delay=0))
    def fail():
        raise OSError("no disk")

    seen, flow = [], Flow("flow")
    flow.add_routine(fail(), "a")
    state = flow.execute("a", monitors=[lambda job, fact: seen.append(fact)])
    assert seen == list(state.facts)
    assert {type(fact) for fact in state.facts} <= set(APPLY)
    assert not {type(fact) for fact in seen} & set(APPLY)
    assert isinstance(seen[0], facts.JobStarted)
