"""What cannot be saved, and documents that no job wrote: refused by name and place."""

import json
import socket

import pytest

from routilux_core import (
    Flow,
    InvalidDocument,
    InvalidOption,
    JobState,
    NewerSchema,
    NotSerializable,
    UnknownKey,
    UnknownTag,
    routine,
)
from tests.core.saved import (
    Calling,
    rich_document,
)


def test_what_cannot_be_saved_is_named_with_its_path(manager):
    @routine
    def connect(n):
        raise AssertionError("it never runs")

    def stop(acting, **data):
        with socket.socket() as connection:
            for n in range(4):
                acting.emit("output", conn=connection if n == 3 else n)
        acting.get_execution_context().job.pause()

    flow = Flow("flow")
    flow.add_routine(Calling(stop), "calling")
    flow.add_routine(connect(), "connect")
    flow.connect("calling.output", "connect.trigger", param_mapping={"conn": "n"})
    state = flow.execute("calling")
    message = r"^pending_tasks\[3\]\.data\['n'\]: socket\.socket cannot be saved"
    with pytest.raises(NotSerializable, match=message):
        state.serialize()


@pytest.mark.parametrize(
    ("put", "path"),
    [
        (lambda state: state.update_shared_data("a", {"b": [object()]}), "shared_data['a']['b'][0]"),
        (lambda state: state.append_to_shared_log((1, object())), "shared_log[0][1]"),
        (lambda state: state.update_routine_state("r", {"x": object()}), "routine_states['r'].more['x']"),
        (lambda state: state.add_deferred_event("r", "e", {"x": object()}), "deferred_events[0].data['x']"),
        (lambda state: state.record_execution("r", "e", {"x": object()}), "history[0].data['x']"),
        (lambda state: state.send_output("text", x=object()), "output_log[0]['data']['x']"),
    ],
)
def test_the_path_is_that_which_users_know(put, path, manager):
    state = JobState("flow")
    put(state)
    with pytest.raises(NotSerializable) as caught:
        state.serialize()
    assert caught.value.path == path
    assert caught.value.kind == "object"


def edit(*path, to):
    """Return what sets or, given a function, changes one value of a document."""

    def change(document):
        *way, last = path
        place = document
        for step in way:
            place = place[step]
        place[last] = to(place[last]) if callable(to) else to

    return change


def drop(*path):
    def change(document):
        *way, last = path
        place = document
        for step in way:
            place = place[step]
        del place[last]

    return change


HOSTILE = {
    "newer": (edit("schema", to=2), NewerSchema, "has schema 2, and this version reads up to 1"),
    "schema 0": (edit("schema", to=0), InvalidDocument, "its schema is 0"),
    "other kind": (edit("kind", to="flow"), InvalidDocument, "its kind is 'flow'"),
    "no kind": (drop("kind"), InvalidDocument, "its kind is None"),
    "unknown key": (edit("jobs", to={}), UnknownKey, "no key 'jobs'"),
    "unknown key of the job": (edit("job", "statu", to=1), UnknownKey, "did you mean 'status'"),
    "no status": (drop("job", "status"), InvalidDocument, "job cannot be read: it needs the key 'status'"),
    "job a list": (edit("job", to=[]), InvalidDocument, "job cannot be read"),
    "hostile id": (edit("job", "job_id", to="../x"), InvalidDocument, "job.job_id"),
    "hostile flow": (edit("job", "flow_id", to="a;b"), InvalidDocument, "job.flow_id"),
    "id a number": (edit("job", "job_id", to=5), InvalidDocument, "job.job_id"),
    "status a list": (edit("job", "status", to=[]), InvalidDocument, "job.status"),
    "time too late": (edit("job", "created_at", to=1e300), InvalidDocument, "job.created_at"),
    "time a truth": (edit("job", "updated_at", to=True), InvalidDocument, "job.updated_at"),
    "time infinite": (edit("job", "used", to=float("inf")), InvalidDocument, "job.used"),
    "huge number": (edit("job", "last_id", to=10**400), InvalidDocument, "job.last_id"),
    "negative": (edit("job", "number", to=-1), InvalidDocument, "job.number"),
    "another number": (edit("job", "number", to=1), InvalidDocument, "job.number"),
    "ids to come again": (edit("job", "last_id", to=1), InvalidDocument, "job.last_id"),
    "no activation": (edit("job", "pending_tasks", 0, to=999), InvalidDocument, "job.pending_tasks[0]"),
    "activation -1": (edit("job", "pending_tasks", 0, to=-1), InvalidDocument, "job.pending_tasks[0]"),
    "activation true": (edit("job", "pending_tasks", 1, to=True), InvalidDocument, "job.pending_tasks[1]"),
    "pending twice": (edit("job", "pending_tasks", 1, to=0), InvalidDocument, "there twice"),
    "running while paused": (
        edit("job", "running", to=[{"id": 5, "since": 0}]),
        InvalidDocument,
        "job.running",
    ),
    "clock while paused": (edit("job", "running_since", to=0), InvalidDocument, "job.running_since"),
    "completed with work": (edit("job", "status", to="completed"), InvalidDocument, "job.pending_tasks"),
    "no pause point": (edit("job", "pause_points", to=[]), InvalidDocument, "job.pause_points"),
    "payload a list": (edit("activations", 0, "data", to=[1]), InvalidDocument, "activations[0].data"),
    "payload with other keys": (
        edit("activations", 0, "data", to={"$dict": [[1, 2]]}),
        InvalidDocument,
        "activations[0].data",
    ),
    "payload of what follows": (edit("activations", 0, "data", to=1), InvalidDocument, "activations[0].data"),
    "unknown tag": (
        edit("activations", 0, "data", to={"x": {"$os.system": "true"}}),
        UnknownTag,
        "activations[0].data['x']",
    ),
    "lineage a number": (edit("activations", 0, "lineage", to=5), InvalidDocument, "activations[0].lineage"),
    "unknown field": (edit("activations", 0, "prio", to=5), UnknownKey, "did you mean 'priority'"),
    "deep value": (
        edit("job", "checkpoint", to=lambda _: json.loads("[" * 250 + "]" * 250)),
        InvalidDocument,
        "job.checkpoint",
    ),
    "no JSON": (edit("job", "checkpoint", to={"x": {1}}), InvalidDocument, "job.checkpoint['x']"),
    "unknown fact": (edit("history", 3, "fact", to="job_exploded"), UnknownTag, "history[3]"),
    "fact a list": (edit("history", 3, to=[]), InvalidDocument, "history[3]"),
    "fact without tag": (drop("history", 3, "fact"), InvalidDocument, "history[3].fact"),
    "gap": (drop("history", 3), InvalidDocument, "history[3]"),
    "back in time": (edit("history", 3, "at", to=0), InvalidDocument, "history[3]"),
    "history no list": (edit("history", to={}), InvalidDocument, "history"),
    "lane a list": (edit("job", "held", 0, "key", to=[1]), InvalidDocument, "job.held[0].key"),
    "nothing held": (edit("job", "held", 0, "lanes", to=[]), InvalidDocument, "job.held[0].lanes"),
    "held by a number": (edit("job", "held", to=3), InvalidDocument, "job.held"),
    "more than gathered": (
        edit("job", "merged", 0, "gathered", 0, "length", to=10**6),
        InvalidDocument,
        "job.merged[0].gathered[0].length",
    ),
    "results no lists": (edit("job", "results", to={"a.b": 1}), InvalidDocument, "job.results"),
    "stats no object": (edit("job", "stats", to={"a": 1}), InvalidDocument, "job.stats"),
    "log no list": (edit("job", "shared_log", to={}), InvalidDocument, "job.shared_log"),
    "outputs no objects": (edit("job", "output_log", to=[1]), InvalidDocument, "job.output_log[0]"),
    "count no number": (
        edit("job", "routine_states", 0, "activations", to="many"),
        InvalidDocument,
        "job.routine_states[0].activations",
    ),
    "legacy of a field that is none": (
        edit("history", 0, to=lambda fact: {**fact, "fact": "job_forked", "legacy": {"__class__": 1}}),
        UnknownKey,
        "history[0].legacy",
    ),
}


@pytest.mark.parametrize(("change", "error", "message"), HOSTILE.values(), ids=HOSTILE)
def test_a_document_that_no_job_wrote_is_refused_by_name(change, error, message, timed_manager):
    document = json.loads(rich_document())
    change(document)
    state = JobState("untouched")
    with pytest.raises(InvalidDocument) as caught:
        state.deserialize(document)
    assert type(caught.value) is error
    assert message in str(caught.value)
    assert len(str(caught.value)) < 600
    assert (state.flow_id, state.status, len(state.facts)) == ("untouched", "pending", 0)


def test_the_document_that_they_are_made_from_is_accepted(timed_manager):
    """The control."""
    assert JobState().deserialize(json.loads(rich_document())).status == "paused"


@pytest.mark.parametrize("document", [None, [], "text", 5, {}])
def test_what_is_no_document_is_refused(document, manager):
    with pytest.raises(InvalidDocument):
        JobState().deserialize(document)


def test_a_state_that_something_has_happened_to_is_not_overwritten(timed_manager):
    state = JobState("flow")
    state.update_shared_data("mine", 1)
    with pytest.raises(InvalidOption, match="nothing has happened to"):
        state.deserialize(json.loads(rich_document()))
    assert state.shared_data == {"mine": 1}


STRANGE = [
    None,
    True,
    -1,
    10**30,
    1e308,
    float("nan"),
    "",
    [],
    {},
    [[]],
    {"a": 1},
    {"$set": [[1]]},
    {"$int": 1},
    {1: 2},
    (),
]


def places(plain, path=()):
    yield path
    if isinstance(plain, dict):
        for name, item in plain.items():
            yield from places(item, (*path, name))
    elif isinstance(plain, list):
        for index, item in enumerate(plain):
            yield from places(item, (*path, index))


def test_a_strange_value_anywhere_is_refused_or_harmless(manager):
    """Whatever is loaded can be looked at and saved again; what cannot be loaded is an invalid document."""
    every = [path for path in places(json.loads(rich_document())) if path]
    refused = 0
    for number in range(400):
        document = json.loads(rich_document())
        edit(*every[number * 7919 % len(every)], to=STRANGE[number % len(STRANGE)])(document)
        state = JobState()
        try:
            state.deserialize(document)
        except InvalidDocument:
            refused += 1
        else:
            json.dumps(state.serialize(), allow_nan=False)
            assert list(state.execution_history) is not None
    assert 200 < refused < 400
