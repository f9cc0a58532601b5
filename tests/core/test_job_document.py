"""Jobs as documents: what goes in comes out, whatever the job was at, and goes on as if nothing had been."""

import json
import stat
from pathlib import Path

import pytest

from routilux_core import (
    Fact,
    Flow,
    FlowMismatch,
    InvalidDocument,
    JobManager,
    JobState,
    NotSerializable,
)
from routilux_core.activation_document import Reader, Writer
from routilux_core.facts_document import TAGS, decode_fact, encode_fact
from routilux_core.job_data import FIELDS
from routilux_core.job_data_document import PARTS
from routilux_core.testing.clock import ManualClock
from routilux_plugins.executors import sequential
from tests.core.gate import WAIT
from tests.core.rich_job import DELAY, VALUES, rich_flow, rich_state
from tests.core.saved import (
    Failing,
    Gathering,
    content,
    double,
    finish,
    numbers,
    reloaded,
    rich_document,
    through_text,
    whole,
)
from tests.reliability.laws import Book, check_fold, data_of

DOCUMENTS = Path(__file__).parent / "documents"


# -- there and back --------------------------------------------------------------------------------


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


# -- going on --------------------------------------------------------------------------------------


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
    assert "routine new: tests.core.saved.double is new" in caught.value.differences
    assert "connection source.number -> new.trigger is new" in caught.value.differences
    assert state.status == "paused"

    timed_manager.clock.advance(2 * DELAY)
    changed.resume(state, accept_changes=True)
    assert changed.wait_for_completion(WAIT)
    assert state.status == "completed"


# -- files -----------------------------------------------------------------------------------------


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


# -- documents of earlier versions -----------------------------------------------------------------


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
