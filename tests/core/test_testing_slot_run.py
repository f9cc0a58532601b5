"""run_slot: one call of one handler, without a flow."""

import pytest

from routilux_core import (
    ErrorHandler,
    Event,
    Flow,
    JobManager,
    JobState,
    MissingField,
    Routine,
    UnknownEvent,
    UnknownSlot,
    batch,
    get_execution_context,
    routine,
    slot,
)
from routilux_core.testing import Recorder, run_slot


class Busy(Routine):
    """Does everything that a handler may do."""

    output = Event("value")
    other = Event()

    @slot
    def trigger(self, value):
        context = get_execution_context()
        self.emit("output", value=value)
        self.emit("other")
        self.emit("output", value=value + 1)
        self.send_output("note", text="here")
        self.emit_deferred_event("other", later=True)
        self.set_stat("last", value)
        self.increment_stat("calls")
        context.job_state.update_shared_data("seen", value)

    @slot(name="pausing")
    def stop(self):
        flow = get_execution_context().flow
        flow.pause(get_execution_context().job_state, "asked")

    @slot
    def wrong(self):
        self.emit("output", value=1)
        self.emit("nothing")


def test_it_shows_what_the_handler_did():
    run = run_slot(Busy(), value=4)

    assert run.emitted == [("output", {"value": 4}), ("other", {}), ("output", {"value": 5})]
    assert run.payloads("output") == [{"value": 4}, {"value": 5}]
    assert run.stats == {"last": 4, "calls": 1}
    assert [(one["output_type"], one["data"]) for one in run.outputs] == [("note", {"text": "here"})]
    assert run.deferred == [("other", {"later": True})]
    assert run.shared_data == {"seen": 4}
    assert run.error is None
    assert not run.paused
    assert run.raise_error() is run


def test_what_it_raises_is_shown_and_has_no_effects():
    run = run_slot(Busy(), "wrong")

    assert run.emitted == []
    with pytest.raises(UnknownEvent, match="nothing"):
        run.raise_error()


def test_a_missing_field_is_an_error_as_in_a_job():
    assert isinstance(run_slot(Busy()).error, MissingField)


def test_an_unknown_slot_is_named():
    with pytest.raises(UnknownSlot, match="trigge"):
        run_slot(Busy(), "trigge", value=1)


def test_a_pause_is_seen():
    assert run_slot(Busy(), "pausing").paused


def test_a_field_may_have_the_name_of_a_parameter():
    @routine
    def echo(routine, slot, state):
        return {"all": [routine, slot, state]}

    assert run_slot(echo(), routine=1, slot=2, state=3).payloads("output") == [{"all": [1, 2, 3]}]


@routine
async def waits(value):
    return {"value": value}


@routine
def counts(value):
    yield from range(value)


@routine
async def counts_waiting(value):
    for number in range(value):
        yield number


def test_an_async_handler_is_awaited():
    assert run_slot(waits(), value=3).payloads("output") == [{"value": 3}]


@pytest.mark.parametrize("kind", [counts, counts_waiting])
def test_a_generator_is_run_to_its_end(kind):
    assert run_slot(kind(), value=3).payloads("output") == [{"result": 0}, {"result": 1}, {"result": 2}]


def test_the_handler_gets_the_payload_as_it_is():
    class Gathers(Routine):
        def __init__(self):
            self.define_slot("batched", self.take, when=batch(3))
            self.define_slot("appended", self.take, merge_strategy="append")
            self.define_event("output")

        def take(self, values):
            self.emit("output", total=sum(values))

    for name in ("batched", "appended"):
        assert run_slot(Gathers(), name, values=[1, 2, 3]).payloads("output") == [{"total": 6}]


def test_nothing_is_tried_again():
    calls = []

    @routine(retry=ErrorHandler("retry", max_retries=3, retry_delay=3600))
    def fails():
        calls.append(1)
        raise ConnectionError

    assert isinstance(run_slot(fails()).error, ConnectionError)
    assert len(calls) == 1


def test_a_state_brings_shared_data():
    state = JobState()
    state.update_shared_data("seen", 1)

    run = run_slot(Busy(), "trigger", state, value=2)

    assert run.state is state
    assert run.shared_data == {"seen": 2}


def test_a_handler_may_run_a_flow_of_its_own():
    inner = Flow("inner")
    inner.add_routine(waits(), "waits")

    @routine
    def outer(value):
        return inner.execute("waits", {"value": value}).results["waits.output"][0]

    assert run_slot(outer(), value=7).payloads("output") == [{"value": 7}]


def test_it_runs_in_the_manager_around_it():
    recorder = Recorder()

    with JobManager(plugins=[recorder], discover=False):
        run_slot(Busy(), value=1)

    assert recorder.emitted("routine.other") == [{}]


def test_the_routine_belongs_to_no_flow_afterwards():
    busy = Busy()

    run_slot(busy, value=1)

    assert list(busy.flows) == []


def test_the_slots_stay_what_they_are():
    busy = Busy()
    flow = Flow("flow")
    flow.add_routine(busy, "busy")
    before = dict(busy.slots)

    run_slot(busy, value=1)

    assert dict(busy.slots) == before
    assert list(busy.flows) == [flow]
