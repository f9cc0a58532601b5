"""The history: which lines it has, in which order, and how much of it is kept."""

import json
from datetime import UTC, timedelta

import pytest
from attrs import evolve

from routilux_core import (
    ErrorHandler,
    ErrorStrategy,
    ExecutionRecord,
    Flow,
    InvalidOption,
    JobManager,
    NewerStore,
    Routine,
    StoreError,
    routine,
)
from routilux_core.views import ListView
from routilux_plugins.executors import sequential
from routilux_plugins.stores.memory.shelf import Shelf
from routilux_plugins.stores.memory.store import Memory


class Sender(Routine):
    def __init__(self):
        super().__init__()
        self.define_slot("trigger", self.send)
        self.define_event("first", ["n"])
        self.define_event("second", ["n"])

    def send(self, n):
        self.emit("first", n=n)
        self.emit("second", n=n + 1)


@routine
def swallow(n):
    return None


@routine
def broken(n):
    raise OSError("no disk")


def sending():
    flow = Flow("flow")
    flow.add_routine(Sender(), "a")
    flow.add_routine(swallow(), "b")
    flow.connect("a.first", "b.trigger")
    return flow


def lines(state, routine_id=None):
    return [(one.routine_id, one.event_name) for one in state.get_execution_history(routine_id)]


def failing(strategy, **options):
    flow = Flow("flow")
    flow.add_routine(broken(), "a")
    flow.set_error_handler(ErrorHandler(strategy, **options))
    return flow


def test_each_activation_has_start_emissions_and_completed(manager):
    state = sending().execute("a", {"n": 1})
    assert state.execution_history[:4] == [
        ExecutionRecord("a", "start", {"n": 1}, state.execution_history[0].timestamp),
        ExecutionRecord("a", "first", {"n": 1}, state.execution_history[1].timestamp),
        ExecutionRecord("a", "second", {"n": 2}, state.execution_history[2].timestamp),
        ExecutionRecord("a", "completed", {}, state.execution_history[3].timestamp),
    ]
    assert lines(state)[4:] == [("b", "start"), ("b", "completed")]


def test_the_history_of_one_routine(manager):
    state = sending().execute("a", {"n": 1})
    assert lines(state, "b") == [("b", "start"), ("b", "completed")]
    assert lines(state, "c") == []


def test_a_stopping_failure_is_a_line(manager):
    state = failing("stop").execute("a", {"n": 1})
    assert lines(state) == [("a", "start"), ("a", "failed")]
    assert state.execution_history[-1].data == {"type": "OSError", "message": "no disk", "attempt": 1}


def test_a_skipped_failure_is_a_line(manager):
    assert lines(failing("skip").execute("a", {"n": 1})) == [("a", "start"), ("a", "skipped")]


def test_each_retry_is_a_line(manager):
    state = failing("retry", max_retries=1, retry_delay=0).execute("a", {"n": 1})
    assert lines(state) == [("a", "start"), ("a", "retry"), ("a", "start"), ("a", "failed")]
    assert [one.data["attempt"] for one in state.execution_history[1::2]] == [1, 2]


def test_a_generator_has_a_line_for_each_item(manager):
    @routine
    def count(n):
        yield from range(n)

    flow = Flow()
    flow.add_routine(count(), "a")
    state = flow.execute("a", {"n": 2})
    assert lines(state) == [("a", "start"), ("a", "output"), ("a", "output"), ("a", "completed")]


def test_a_line_of_the_users_own(manager):
    state = sending().execute("a", {"n": 1})
    state.record_execution("a", "audited", {"by": "me"})
    last = state.execution_history[-1]
    assert (last.routine_id, last.event_name, last.data) == ("a", "audited", {"by": "me"})


def test_times_are_aware_and_never_run_backwards(clock, timed_manager):
    """The clock is set back between the two handlers, as a machine's is."""

    @routine
    def back(n):
        clock.advance(-3600)
        return {"n": n}

    flow = Flow()
    flow.add_routine(back(), "a")
    flow.add_routine(swallow(), "b")
    flow.connect("a.output", "b.trigger")
    times = [one.timestamp for one in flow.execute("a", {"n": 1}).execution_history]
    assert times == sorted(times)
    assert {time.tzinfo for time in times} == {UTC}
    assert times[-1] - times[0] < timedelta(seconds=1)


@pytest.mark.parametrize("monitored", [False, True])
@pytest.mark.parametrize("kept", [None, 3, 0])
def test_what_is_kept_in_memory_is_a_setting(kept, monitored):
    seen = []
    with JobManager(plugins=[sequential], discover=False, settings={"history": kept}):
        monitors = [lambda job, fact: seen.append(fact)] if monitored else ()
        state = sending().execute("a", {"n": 1}, monitors=monitors)
    whole = 9
    assert len(state.facts) == (whole if kept is None else kept)
    assert [fact.number for fact in state.facts] == list(range(1, whole + 1))[whole - len(state.facts) :]
    assert state.results == {"a.second": [{"n": 2}]}
    assert state.routine_states["b"]["activations"] == 1
    assert len(seen) == (whole if monitored else 0)


def test_a_count_below_nothing_is_refused():
    with pytest.raises(InvalidOption, match="history"):
        JobManager(discover=False, settings={"history": -1})


def test_an_unknown_setting_lists_the_known_ones():
    with pytest.raises(InvalidOption, match="max_activations"):
        JobManager(discover=False, settings={"histroy": 1})


def test_settings_of_another_kind_are_refused():
    with pytest.raises(InvalidOption, match="a dict of them"):
        JobManager(discover=False, settings=[("history", 1)])


class Collector(Routine):
    """Gathers what comes, and fails."""

    def __init__(self):
        super().__init__()
        self.define_slot("trigger", self.gather, merge_strategy="append")

    def gather(self, n):
        raise OSError("no disk")


@pytest.fixture
def kept():
    """A job in a store, which a test may damage: its manager, its id, and its entries."""
    flow = sending()
    flow.add_routine(Collector(), "c")
    flow.routines["c"].set_error_handler(ErrorHandler(ErrorStrategy.CONTINUE))
    flow.connect("a.second", "c.trigger")
    shelf = Shelf()
    settings = {"scan_seconds": None}
    with JobManager(plugins=[sequential], discover=False, store=Memory(shelf), settings=settings) as manager:
        job_id = manager.execute(flow, "a", {"n": 1}).job_id
        yield manager, job_id, shelf.jobs[job_id].entries


def damaged(plain):
    """Give plain data with one part of them replaced, each in turn."""
    for place, part in list(enumerate(plain) if type(plain) is list else plain.items()):
        parts = damaged(part) if type(part) in {list, dict} else ()
        for value in (None, [], {}, [[]], "x", -1, 1e300, {"fact": []}, *parts):
            found = plain.copy()
            found[place] = value
            yield found


def test_a_damaged_history_is_a_trouble_of_the_store_that_names_the_job(kept):
    """Whatever is wrong with it; of some damages nobody can know."""
    manager, job_id, entries = kept
    said = []
    for number, entry in enumerate(list(entries)):
        for plain in damaged(json.loads(entry.content)):
            entries[number] = evolve(entry, content=json.dumps(plain).encode())
            try:
                for record in manager.history(job_id).records:
                    repr({key: list(v) if isinstance(v, ListView) else v for key, v in record.data.items()})
            except StoreError as error:
                said.append(str(error))
        entries[number] = entry
    assert len(said) > 100
    assert all(job_id in one for one in said)


def test_a_history_of_a_later_version_is_refused(kept):
    manager, job_id, entries = kept
    entries[0] = evolve(entries[0], content=b"[9]")
    with pytest.raises(NewerStore, match=job_id):
        manager.history(job_id)
