"""Jobs as documents: what goes in comes out, whatever the job was at; what cannot be is refused by name."""

import json
import socket
import stat
import sys
from collections import deque
from functools import cache
from pathlib import Path
from threading import Event as Signal
from threading import Thread

import attrs
import pytest

from routilux_core import (
    Event,
    Fact,
    Flow,
    FlowMismatch,
    InsideJob,
    InvalidDocument,
    InvalidOption,
    JobManager,
    JobState,
    Monitor,
    NewerSchema,
    NotSerializable,
    Routine,
    UnknownKey,
    UnknownTag,
    routine,
    slot,
)
from routilux_core.activation_document import Reader, Writer
from routilux_core.facts_document import TAGS, decode_fact, encode_fact
from routilux_core.job_data import FIELDS
from routilux_core.job_data_document import PARTS
from routilux_core.testing.clock import ManualClock
from routilux_core.views import ListView
from routilux_plugins.executors import sequential
from tests.core.gate import WAIT, Gate
from tests.core.pool import Pool
from tests.core.rich_job import DELAY, VALUES, rich_flow, rich_state
from tests.reliability.laws import Book, check_fold, data_of

DOCUMENTS = Path(__file__).parent / "documents"


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


@pytest.fixture
def pool_manager():
    with JobManager(plugins=[sequential], discover=False, executor=Pool()) as made:
        yield made
        made.shutdown(wait=False)


# -- there and back ------------------------------------------------------------------------------------


def test_every_field_of_a_job_and_every_kind_of_fact_has_its_place():
    kinds, found = [Fact], set()
    while kinds:
        kind = kinds.pop()
        kinds += kind.__subclasses__()
        found |= {kind} if kind.__module__ == "routilux_core.facts" else set()
    assert tuple(sorted(PARTS)) == tuple(sorted(FIELDS))
    assert set(TAGS.values()) == found


def test_a_job_comes_back_with_all_its_fields_and_their_types(timed_manager):
    state = rich_state(rich_flow())
    assert whole(reloaded(state)) == whole(state)


def test_a_field_that_were_lost_would_be_seen(timed_manager):
    """The control: one value of another type makes a difference."""
    state = rich_state(rich_flow())
    other = reloaded(state)
    data_of(other).shared_data["tuple"] = [1, (2, [3])]
    assert whole(other) != whole(state)


def test_what_users_put_in_comes_back_equal(timed_manager):
    state = rich_state(rich_flow())
    assert reloaded(state).shared_data == VALUES
    assert reloaded(state).checkpoint == {"page": (3, 4)}
    assert reloaded(state).metadata == {"asked by": ("me", 1)}


def test_the_facts_of_a_loaded_job_add_up_to_its_state(timed_manager):
    flow = rich_flow()
    state = reloaded(rich_state(flow))
    check_fold(state)
    book = Book(flow)
    book.read(state.facts)
    book.balance()
    book.compare(state)


def test_a_document_is_always_the_same_and_shares_nothing_with_its_job(timed_manager):
    flow = rich_flow()
    state = rich_state(flow)
    document = state.serialize()
    before = json.dumps(document)
    timed_manager.clock.advance(2 * DELAY)
    other = JobState().deserialize(document)
    finish(flow, state)
    finish(flow, other)
    assert json.dumps(document) == before
    assert json.dumps(JobState().deserialize(document).serialize()) == before


def test_what_facts_and_pending_work_share_is_written_once(timed_manager):
    document = rich_state(rich_flow()).serialize()
    ids = [(entry["id"], entry.get("attempt"), entry.get("items")) for entry in document["activations"]]
    assert len(ids) == len(set(ids))
    messages = [entry["message"] for entry in document["error_records"]]
    assert len(messages) == len(set(map(str, messages))) == 2


def test_a_document_does_not_grow_with_the_square_of_what_a_slot_has_gathered(manager):
    def size(upto):
        flow = Flow("flow")
        flow.add_routine(numbers(), "numbers")
        flow.add_routine(Gathering(), "gathering")
        flow.connect("numbers.output", "gathering.trigger")
        return len(json.dumps(flow.execute("numbers", {"upto": upto}).serialize()))

    assert size(400) < 5 * size(100)


@pytest.mark.parametrize("kept", [0, 5])
def test_a_job_that_keeps_little_history_comes_back(kept):
    with JobManager(plugins=[sequential], discover=False, settings={"history": kept}):
        flow = Flow("flow")
        flow.add_routine(double(), "double")
        state = flow.execute("double", {"n": 4})
        assert len(state.facts) == kept
        assert whole(reloaded(state)) == whole(state)


@pytest.mark.parametrize("end", ["completed", "failed", "cancelled", "pending", "forked"])
def test_jobs_of_every_status_come_back(end, timed_manager):
    flow = rich_flow()
    state = JobState("rich")
    if end == "completed":
        state = rich_state(flow)
        timed_manager.clock.advance(2 * DELAY)
        finish(flow, state)
    elif end == "failed":
        other = Flow("other")
        other.add_routine(Failing(), "failing")
        state = other.execute("failing", {"n": 1})
    elif end == "cancelled":
        state = rich_state(flow)
        flow.cancel(state, "enough")
    elif end == "forked":
        state = flow.fork(rich_state(flow), start=False)
    state.update_shared_data("last", (1, 2))
    assert whole(reloaded(state)) == whole(state)


def test_a_fork_that_was_saved_goes_on_like_its_origin(timed_manager):
    flow = rich_flow()
    state = rich_state(flow)
    fork = reloaded(flow.fork(state, start=False))
    timed_manager.clock.advance(2 * DELAY)
    assert finish(flow, fork).results == finish(flow, state).results


def test_single_facts_are_plain_data_by_themselves(timed_manager):
    state = rich_state(rich_flow())
    writer, reader = Writer(timed_manager.converter), Reader(timed_manager.converter)
    plain = [through_text(encode_fact(fact, writer, "fact")) for fact in state.facts]
    facts = [decode_fact(one, reader, "fact") for one in plain]
    assert [content(fact) for fact in facts] == [content(fact) for fact in state.facts]


# -- going on ------------------------------------------------------------------------------------------


def test_a_loaded_job_finishes_like_the_one_that_was_never_saved(timed_manager):
    flow = rich_flow()
    state = rich_state(flow)
    other = reloaded(state)
    [retry] = [task for task in other.pending_tasks if task.due_at is not None]
    assert retry.attempt == 2
    assert len(other.deferred_events) == 2
    assert len(other.pending_tasks) > 10

    timed_manager.clock.advance(2 * DELAY)
    finish(flow, state)
    finish(flow, other)

    assert other.status == "completed"
    assert other.results == state.results
    assert other.shared_data == state.shared_data
    assert [record.event_name for record in other.execution_history] == [
        record.event_name for record in state.execution_history
    ]


def test_a_waiting_retry_still_waits_for_its_time(timed_manager):
    flow = rich_flow()
    state = reloaded(rich_state(flow))
    flow.resume(state)
    assert not flow.wait_for_completion(0)
    while not [one for one in state.results["keeping.output"] if one["value"] == 45]:
        assert state.status == "running"
    assert "flaky.output" not in state.results
    timed_manager.clock.advance(2 * DELAY)
    assert flow.wait_for_completion(WAIT)
    assert state.results["flaky.output"] == [{"attempt": 2}]


def test_keys_stay_the_same(timed_manager):
    flow = rich_flow()
    state = rich_state(flow)
    lineages = [activation.lineage for activation in data_of(state).activations.values()]
    loaded = data_of(reloaded(state))
    assert [activation.lineage for activation in loaded.activations.values()] == lineages
    assert loaded.root == state.job_id


def test_another_manager_goes_on_with_it(tmp_path):
    path = tmp_path / "job.json"
    with JobManager(plugins=[sequential], discover=False, clock=ManualClock()) as first:
        rich_state(rich_flow()).save(path)
        first.shutdown(wait=False)
    clock = ManualClock()
    clock.advance(2 * DELAY)
    with JobManager(plugins=[sequential], discover=False, clock=clock):
        state = finish(rich_flow(), JobState.load(path))
    assert state.status == "completed"
    assert {"what": "summed", "value": 45} in state.results["keeping.output"]


def test_a_state_of_another_flow_is_refused(timed_manager):
    state = reloaded(rich_state(rich_flow()))
    other = Flow("poor")
    other.add_routine(double(), "double")
    with pytest.raises(FlowMismatch, match="it belongs to flow 'rich'"):
        other.resume(state)
    assert state.status == "paused"


def test_a_state_of_a_changed_flow_is_refused_with_the_differences(timed_manager):
    state = reloaded(rich_state(rich_flow()))
    changed = rich_flow()
    changed.add_routine(double(), "new")
    changed.connect("source.number", "new.trigger")
    with pytest.raises(FlowMismatch) as caught:
        changed.resume(state)
    assert "routine new: tests.core.test_job_document.double is new" in caught.value.differences
    assert "connection source.number -> new.trigger is new" in caught.value.differences
    assert state.status == "paused"

    timed_manager.clock.advance(2 * DELAY)
    changed.resume(state, accept_changes=True)
    assert changed.wait_for_completion(WAIT)
    assert state.status == "completed"


# -- while it runs -------------------------------------------------------------------------------------


def held_flow():
    flow = Flow("held")
    held = Held()
    flow.add_routine(held, "held")
    flow.add_routine(double(), "double")
    flow.connect("held.output", "double.trigger")
    return flow, held.gate


def test_of_a_running_job_the_running_work_is_pending_again(pool_manager):
    flow, gate = held_flow()
    with gate:
        state = flow.start("held", {"n": 5})
        gate.wait()
        document = through_text(state.serialize())
    assert flow.wait_for_completion(WAIT)
    assert document["job"]["status"] == "running"

    other = JobState().deserialize(document)

    assert other.status == "paused"
    assert [task.routine_id for task in other.pending_tasks] == ["held"]
    assert other.pause_points[-1].reason == "its document was written while it ran"
    assert other.current_routine_id is None
    check_fold(other)
    assert finish(flow, other).results == state.results == {"double.output": [{"n": 10}]}


def test_a_pausing_job_comes_back_as_the_paused_one_that_it_would_have_been(pool_manager):
    flow, gate = held_flow()
    with gate:
        state = flow.start("held", {"n": 5})
        gate.wait()
        flow.pause(state, reason="to move", checkpoint=(1, 2), timeout=0.01)
        document = through_text(state.serialize())
    assert flow.wait_for_completion(WAIT)
    assert document["job"]["status"] == "pausing"

    other = JobState().deserialize(document)

    assert (other.status, other.checkpoint) == ("paused", (1, 2))
    assert other.pause_points[-1].reason == "to move"
    assert finish(flow, other).results == {"double.output": [{"n": 10}]}


def test_a_job_that_was_about_to_fail_comes_back_failed(pool_manager):
    flow, gate = held_flow()
    flow.add_routine(Failing(), "failing")
    failed = Signal()
    with gate:
        watch = lambda job, fact: failed.set() if fact.tag == "activation_failed" else None  # noqa: E731
        state = flow.start("held", {"n": 5}, monitors=[watch])
        gate.wait()
        pool_manager.post(state.job_id, "failing", n=1)
        assert failed.wait(WAIT)
        document = through_text(state.serialize())
    assert flow.wait_for_completion(WAIT)
    assert document["job"]["status"] == "running"

    other = JobState().deserialize(document)

    assert other.status == "failed"
    assert [error.message for error in other.errors] == ["no"]
    assert sorted(task.routine_id for task in other.pending_tasks) == ["failing", "held"]
    check_fold(other)
    assert flow.fork(other, start=False).status == "pending"


def test_a_running_job_with_nothing_left_to_do_completes_when_it_is_resumed(manager):
    documents = []

    class Saving(Monitor):
        def on_activation_completed(self, job, fact):
            documents.append(through_text(job.job_state.serialize()))

    flow = Flow("flow")
    flow.add_routine(double(), "double")
    state = flow.execute("double", {"n": 2}, monitors=[Saving()])
    [document] = documents
    assert (document["job"]["status"], document["job"]["pending_tasks"]) == ("running", [])

    other = finish(flow, JobState().deserialize(document))

    assert other.status == "completed"
    assert other.results == state.results


def test_a_handler_may_save_its_own_job(manager):
    """What it has done by then is not in the document, so that it is not done twice."""
    documents = []

    def act(routine, n):
        routine.emit("output")
        state = routine.get_execution_context().job_state
        state.modify_shared_data("calls", lambda calls: calls + 1, 0)
        documents.append(through_text(state.serialize()))

    flow = Flow("flow")
    flow.add_routine(Calling(act), "calling")
    flow.execute("calling", {"n": 1})

    other = JobState().deserialize(documents[0])
    assert [task.routine_id for task in other.pending_tasks] == ["calling"]
    assert finish(flow, other).shared_data == {"calls": 1}
    assert other.results == {"calling.output": [{}]}


def test_a_function_that_a_job_waits_for_cannot_save_it(manager):
    """Half of a message is no moment that a job can go on from."""
    caught = []

    def merge(old, new):
        try:
            get_state().serialize()
        except InsideJob as error:
            caught.append(str(error))
        return new

    states = []
    get_state = lambda: states[0]  # noqa: E731
    flow = Flow("flow")
    merging = Routine()
    merging.define_slot("trigger", lambda **data: None, merge_strategy=merge)
    flow.add_routine(numbers(), "numbers")
    flow.add_routine(merging, "merging")
    flow.connect("numbers.output", "merging.trigger")
    states.append(JobState("flow"))
    flow.execute("numbers", {"upto": 1}, job_state=states[0])
    assert len(caught) == 1
    assert "monitor" in caught[0]


def test_a_document_is_never_of_half_a_message(pool_manager):
    """Whoever saves while an event is on its way gets the job as it is after that.

    The control: with pictures that are taken without the job's turn, the laws are broken here.
    """
    gate = Gate()

    def merge(old, new):
        gate.pass_through()
        return new

    merging = Routine()
    merging.define_slot("trigger", lambda **data: None, merge_strategy=merge)
    flow = Flow("flow")
    flow.add_routine(numbers(), "numbers")
    flow.add_routine(merging, "merging")
    flow.connect("numbers.output", "merging.trigger")
    documents = []
    with gate:
        state = flow.start("numbers", {"upto": 1})
        gate.wait()
        saver = Thread(target=lambda: documents.append(state.serialize()))
        saver.start()
        saver.join(0.1)  # it waits; one that did not would be done by now
    saver.join(WAIT)
    assert flow.wait_for_completion(WAIT)

    other = JobState().deserialize(documents[0])
    book = Book(flow)
    book.read(other.facts)
    book.balance()
    book.compare(other)


@pytest.fixture
def hurried():
    """Let threads change places as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_documents_of_a_busy_job_are_each_of_one_moment(pool_manager, hurried):
    """Each picture, taken while four workers are at it, obeys the laws and goes on to the same end."""
    flow = Flow("busy")
    flow.add_routine(numbers(), "numbers")
    flow.add_routine(double(), "double")
    flow.add_routine(Gathering(), "gathering")
    flow.connect("numbers.output", "double.trigger")
    flow.connect("double.output", "gathering.trigger")
    state = flow.start("numbers", {"upto": 300})
    documents = []

    def save():
        while not state.status.final:
            documents.append(state.serialize())

    savers = [Thread(target=save) for _ in range(2)]
    for saver in savers:
        saver.start()
    assert flow.wait_for_completion(WAIT)
    for saver in savers:
        saver.join(WAIT)

    assert documents
    for document in documents[:: max(1, len(documents) // 40)]:
        other = JobState().deserialize(document)
        check_fold(other)
        book = Book(flow)
        book.read(other.facts)
        book.balance()
        book.compare(other)
    if not other.status.final:
        finish(flow, other)
    assert sorted(one["count"] for one in other.results["gathering.output"]) == list(range(1, 301))


def end_of(flow, state):
    """Let a job go on to its end, and return what came of it, but for the order."""
    while state.status == "paused":
        finish(flow, state)
    kept = state.results["keeping.output"]
    appended = [one["value"] for one in kept if one["what"] == "appended"]
    return {
        "status": state.status,
        "deferred": list(state.deferred_events),
        "gathered": (sorted(map(len, appended)), sorted(appended[-1])),
        "sums": [one["value"] for one in kept if one["what"] in {"summed", "added"}],
        "batches": sorted(n for one in kept if one["what"] == "batched" for n in one["value"]),
        "joined": sorted(one["value"] for one in kept if one["what"] == "joined"),
        "others": {name: value for name, value in state.results.items() if name != "keeping.output"},
        "shared": state.shared_data,
        "stats": state.stats("source"),
        "errors": sorted(error.message for error in state.errors),
    }


def test_from_whatever_moment_a_job_is_saved_it_goes_on_to_the_same_end(manager):
    documents = {}

    class Saving(Monitor):
        def on_fact(self, job, fact):
            document = job.job_state.serialize()
            documents[document["job"]["number"]] = document

    flow = rich_flow(delay=0)
    state = flow.execute("source", {"upto": 5}, monitors=[Saving()])
    expected = end_of(flow, state)
    assert expected["status"] == "completed"
    assert len(documents) > 30

    for document in list(documents.values())[::3]:
        other = JobState().deserialize(document)
        check_fold(other)
        assert end_of(flow, other) == expected


# -- files ---------------------------------------------------------------------------------------------


def test_a_file_is_private_and_whole(timed_manager, tmp_path):
    path = tmp_path / "job.json"
    state = rich_state(rich_flow())
    state.save(str(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert whole(JobState.load(path)) == whole(state)
    assert [file.name for file in tmp_path.iterdir()] == ["job.json"]


def test_what_cannot_be_saved_leaves_the_old_file_as_it_was(manager, tmp_path):
    path = tmp_path / "job.json"
    state = JobState("flow")
    state.save(path)
    before = path.read_text()
    state.update_shared_data("lock", object())
    with pytest.raises(NotSerializable):
        state.save(path)
    assert path.read_text() == before
    assert [file.name for file in tmp_path.iterdir()] == ["job.json"]


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda text: text[:-20], "cut off"),
        (lambda text: text.replace('"paused"', '"sleeping"', 1), "'sleeping' is no status"),
        (lambda text: text.replace('"used": ', '"used": NaN, "_": ', 1), "NaN is no JSON"),
        (lambda text: text.replace('"timeout": null', '"timeout": null, "timeout": 1', 1), "'timeout' twice"),
        (lambda text: "[" * 10_000 + text, "nested deeper"),
        (lambda text: "", "line 1"),
    ],
)
def test_a_damaged_file_is_refused_by_its_name(damage, reason, timed_manager, tmp_path):
    path = tmp_path / "job.json"
    path.write_text(damage(rich_document()))
    with pytest.raises(InvalidDocument, match=reason) as caught:
        JobState.load(path)
    assert str(path) in str(caught.value)


def test_a_missing_file_is_missing(manager, tmp_path):
    with pytest.raises(FileNotFoundError):
        JobState.load(tmp_path / "nothing.json")


# -- what is refused -----------------------------------------------------------------------------------


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


# -- documents of earlier versions ---------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted(DOCUMENTS.glob("job_state-*.json")), ids=lambda path: path.stem)
def test_a_stored_document_of_each_schema_loads_and_goes_on(path, manager):
    state = JobState.load(path)
    assert (state.flow_id, state.status, len(state.deferred_events)) == ("rich", "paused", 2)
    assert state.shared_data == VALUES

    finish(rich_flow(), state)

    assert state.status == "completed"
    values = [one["value"] for one in state.results["keeping.output"] if one["what"] == "batched"]
    assert values == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert state.results["flaky.output"] == [{"attempt": 2}]


def test_there_is_a_stored_document_of_each_schema():
    stored = {path.name for path in DOCUMENTS.glob("job_state-*.json")}
    assert stored == {
        f"job_state-{number}.json" for number in range(1, json.loads(rich_document())["schema"] + 1)
    }
