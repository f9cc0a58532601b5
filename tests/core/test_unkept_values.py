"""Values that no store can keep are refused with the place where they are, and nothing else is harmed."""

import logging
import threading
from functools import reduce

import pytest

from routilux_core import (
    ErrorHandler,
    Event,
    Flow,
    JobManager,
    JobState,
    NotSerializable,
    Routine,
    all_sources,
    get_execution_context,
    slot,
)
from routilux_plugins.executors import aio, pooled, sequential, threaded
from routilux_plugins.stores.memory.store import Memory

PATIENCE = 20.0
ADVICE = "send plain data that it can be made from again, or teach it to the converter"


@pytest.fixture(autouse=True)
def _quiet_log():
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(params=["sequential", "threaded", "pooled", "asyncio"])
def manager(request):
    with JobManager(
        plugins=[aio, pooled, sequential, threaded],
        discover=False,
        executor=request.param,
        store=Memory(),
        settings={"scan_seconds": None, "max_workers": 2},
    ) as made:
        yield made
        made.shutdown(wait=False)


def itself():
    """Return a list that contains itself."""
    made = []
    made.append(made)
    return made


def state_of():
    return get_execution_context().job_state


class Doing(Routine):
    """Does what a test says, and what it has sent before is not heard when that fails."""

    output = Event("n")

    def __init__(self, deed, handler="trigger_plain"):
        super().__init__()
        self.deed = deed
        self.define_slot("trigger", getattr(self, handler))

    def trigger_plain(self):
        self.emit("output", n="before")
        self.deed(self)

    def trigger_items(self):
        self.emit("output", n="before")
        yield
        self.deed(self)
        yield

    async def trigger_async(self):
        self.emit("output", n="before")
        self.deed(self)


class Hearing(Routine):
    @slot
    def trigger(self, n=None, **more):
        state_of().append_to_shared_log(n)


def doing(deed, handler="trigger_plain", **how):
    flow = Flow("doing", **how)
    flow.add_routine(Doing(deed, handler), "do")
    flow.add_routine(Hearing(), "hear")
    flow.connect("do.output", "hear.trigger")
    return flow


DEEDS = {
    "do.output['n']: object": lambda routine: routine.emit("output", n=object()),
    "do.output['n']['a'][1]['b']: Lock": lambda routine: routine.emit(
        "output", n={"a": [1, {"b": threading.Condition()}]}
    ),
    "do.output['n'][0][0]": lambda routine: routine.emit("output", n=itself()),
    "of more than 200 levels": lambda routine: routine.emit("output", n=reduce(_within, range(3_000), 1)),
    "do.output['n'][<object object": lambda routine: routine.emit("output", n={object(): 1}),
    "output 'x'['n']: object": lambda routine: routine.send_output("x", n=object()),
    "the type of an output: object": lambda routine: routine.send_output(object(), n=1),
    "shared_data_set.value: object": lambda _: state_of().update_shared_data("key", object()),
    "shared_data_set.value: function": lambda _: state_of().modify_shared_data("key", lambda old: _within),
    "shared_log_appended.entry: object": lambda _: state_of().append_to_shared_log(object()),
    "stat_set.value: object": lambda routine: routine.set_stat("key", object()),
    "routine_state_updated.update['z']: object": lambda _: state_of().update_routine_state(
        "do", {"z": object()}
    ),
    "execution_recorded.data['z']: object": lambda _: state_of().record_execution("do", "e", {"z": object()}),
    "deferred_event_added.data['n']: object": lambda routine: routine.emit_deferred_event(
        "output", n=object()
    ),
    "checkpoint: object": lambda _: get_execution_context().job.pause("why", object()),
    "reason: object": lambda _: get_execution_context().job.pause(object()),
    "job_cancelled.reason: object": lambda _: get_execution_context().job.cancel(object()),
}


def _within(inner, _):
    return [inner]


def check(manager, state):
    """Demand that the store has the job as it is, to the end, and that it may be saved."""
    kept = manager.load(state.job_id)
    assert kept.status == state.status
    assert len(kept.facts) == len(state.facts)
    assert kept.results == state.results
    JobState().deserialize(kept.serialize())


@pytest.mark.parametrize("place", DEEDS, ids=str)
def test_a_handler_fails_that_does_what_cannot_be_kept(manager, place):
    state = manager.execute(doing(DEEDS[place]), "do", timeout=PATIENCE)

    assert state.status == "failed"
    [error] = state.errors
    assert (error.type, error.routine_id) == ("NotSerializable", "do")
    assert place.removesuffix("Lock") in error.message
    assert "cannot be saved; " in error.message
    assert list(state.shared_log) == []  # not even what it did before
    assert not state.shared_data
    check(manager, state)


@pytest.mark.parametrize("handler", ["trigger_items", "trigger_async"])
def test_any_kind_of_handler_does(manager, handler):
    state = manager.execute(doing(DEEDS["do.output['n']: object"], handler), "do", timeout=PATIENCE)

    assert state.status == "failed"
    assert [error.type for error in state.errors] == ["NotSerializable"]
    check(manager, state)


def test_the_others_go_on(manager):
    flow = doing(DEEDS["do.output['n']: object"])
    flow.set_error_handler(ErrorHandler("continue"))
    job_id = manager.submit(flow, "do").job_id
    manager.post(job_id, "hear", n="posted")
    assert manager.recover() == 1
    assert manager.wait_for_all_jobs(PATIENCE)

    state = manager.load(job_id)
    assert state.status == "completed"
    assert list(state.shared_log) == ["posted"]
    check(manager, state)


# -- from outside --------------------------------------------------------------------------------------

ASKED = {
    "shared_data_set.value": lambda state, _job, _manager: state.update_shared_data("key", object()),
    "shared_data_set.value: object": lambda state, _job, _manager: state.modify_shared_data(
        "key", lambda old: object()
    ),
    "shared_log_appended.entry": lambda state, _job, _manager: state.append_to_shared_log(object()),
    "routine_state_updated.update['z']": lambda state, _job, _manager: state.update_routine_state(
        "do", {"z": object()}
    ),
    "execution_recorded.data['z']": lambda state, _job, _manager: state.record_execution(
        "do", "e", {"z": object()}
    ),
    "deferred_event_added.data['n']": lambda state, _job, _manager: state.add_deferred_event(
        "do", "output", {"n": object()}
    ),
    "output 'x'['n']": lambda state, _job, _manager: state.send_output("x", n=object()),
    "hear.trigger['n']": lambda _state, job, _manager: job.post("hear", n=object()),
    "hear.trigger['n']: object": lambda state, _job, manager: manager.post(state.job_id, "hear", n=object()),
    "pause_requested.checkpoint": lambda _state, job, _manager: job.pause("why", object(), timeout=PATIENCE),
    "pause_requested.reason": lambda state, _job, manager: manager.pause(
        state.job_id, object(), timeout=PATIENCE
    ),
    "job_cancelled.reason": lambda _state, job, _manager: job.cancel(object()),
    "job_cancelled.reason: object": lambda state, _job, manager: manager.cancel(state.job_id, object()),
}


@pytest.mark.parametrize("stands", ["running", "paused"])
def test_who_asks_for_what_cannot_be_kept_is_told_and_the_job_goes_on(manager, stands):
    """A reason of a cancel that could not be kept used to end the job with that error."""
    gate, inside = threading.Event(), threading.Event()

    def wait(_):
        inside.set()
        if stands == "paused" and not state_of().pause_points:
            get_execution_context().job.pause("first")
        else:
            assert gate.wait(PATIENCE)

    flow = doing(wait)
    state = manager.start_job(flow, "do")
    job = manager.get_job(state.job_id) or state._job  # noqa: SLF001 - it may be paused by now
    assert inside.wait(PATIENCE)
    if stands == "paused":
        assert job.wait(PATIENCE)
        manager.post(state.job_id, "do")  # which finds the gate
    paused_already = {"pause_requested.checkpoint", "pause_requested.reason"} if stands == "paused" else set()
    for place, ask in ASKED.items():
        if place not in paused_already:
            with pytest.raises(NotSerializable) as caught:
                ask(state, job, manager)
            assert str(caught.value).startswith(place.partition(": ")[0])
            assert ADVICE in str(caught.value)
    assert state.status == stands
    gate.set()
    if stands == "paused":
        manager.resume(state.job_id)
    assert manager.wait_for_all_jobs(PATIENCE)
    assert state.status == "completed"
    assert not state.errors
    check(manager, state)


def test_who_starts_a_job_with_what_cannot_be_kept_is_told_and_there_is_no_job(manager):
    flow = doing(lambda _: None)
    for start in (manager.start_job, manager.execute, manager.submit):
        with pytest.raises(NotSerializable, match=r"^entry_params\['n'\]: object cannot be saved; "):
            start(flow, "hear", {"n": object()})
        with pytest.raises(NotSerializable, match=r"^metadata\['by'\]\[0\]: object cannot be saved; "):
            start(flow, "hear", {}, metadata={"by": [object()]})
    assert manager.jobs() == []
    assert manager.running_jobs == []


def test_a_state_with_what_cannot_be_kept_is_not_taken_in(manager):
    state = JobState("doing")
    state.update_shared_data("key", object())
    with pytest.raises(NotSerializable, match=r"shared_data_set\.value: object"):
        manager.start_job(doing(lambda _: None), "do", job_state=state)
    assert manager.jobs() == []
    assert state.status == "pending"

    state.update_shared_data("key", "mended")
    assert manager.execute(doing(lambda _: None), "do").status == "completed"


# -- what slots keep -----------------------------------------------------------------------------------


class Gathering(Routine):
    def __init__(self, **options):
        super().__init__()
        self.define_slot("trigger", self.take, **options)
        self.define_event("output")

    def take(self, **fields):
        self.emit("output", n=1)


class Thrice(Routine):
    output = Event("n")

    @slot
    def trigger(self):
        for n in range(3):
            self.emit("output", n=n)


def spoil(key):
    return lambda old, new: {**new, key: object()} if new.get("n") == 1 else new


NEVER_EQUAL = float("nan")
SLOTS = {
    "the merge function of slot 'take.trigger' failed: NotSerializable: take.trigger['z']: object": {
        "merge_strategy": spoil("z")
    },
    "the policy of slot 'take.trigger' failed: NotSerializable: take.trigger key: object": {
        "when": all_sources(by=lambda payload: object() if payload["n"] == 1 else "key")
    },
    "the policy of slot 'take.trigger' failed: NotSerializable: take.trigger key: nan cannot be saved; "
    "choose one that equals itself": {
        "when": all_sources(by=lambda payload: NEVER_EQUAL if payload["n"] == 1 else "key")
    },
}


@pytest.mark.parametrize("said", SLOTS, ids=str)
@pytest.mark.parametrize("strategy", ["stop", "continue"])
def test_a_delivery_fails_by_which_a_slot_would_keep_what_cannot_be_kept(manager, said, strategy):
    """A key that was not equal to itself was kept, and the job could not be read any more."""
    flow = Flow("gathering")
    flow.add_routine(Thrice(), "send")
    flow.add_routine(Gathering(**SLOTS[said], retry=ErrorHandler(strategy)), "take")
    flow.connect("send.output", "take.trigger")
    state = manager.execute(flow, "send", timeout=PATIENCE)

    assert state.status == ("failed" if strategy == "stop" else "completed")
    assert [error.type for error in state.errors] == ["DeliveryError"]
    assert said in state.errors[0].message
    check(manager, state)


def test_keys_of_many_kinds_are_kept(manager):
    keys = [("a", 1), frozenset({1, 2}), 1.5, None, b"key"]
    flow = Flow("gathering")
    flow.add_routine(Thrice(), "send")
    flow.add_routine(Gathering(when=all_sources(by=lambda payload: keys[payload["n"]])), "take")
    flow.connect("send.output", "take.trigger")
    state = manager.execute(flow, "send", timeout=PATIENCE)

    assert state.status == "completed"
    check(manager, state)


def test_a_flow_that_cannot_be_kept_says_why_where_it_is_missed(manager):
    """Its jobs run here; elsewhere nobody could make it again."""
    flow = doing(lambda _: get_execution_context().job.pause("to be resumed elsewhere"))
    store, state = manager.keeping.store, manager.execute(flow, "do", timeout=PATIENCE)
    assert state.status == "paused"
    with JobManager(
        plugins=[sequential], discover=False, store=store, settings={"scan_seconds": None}
    ) as other:
        other.resume(state.job_id)
        assert other.recover() == 0
        [listed] = other.jobs()
        assert "deed" in listed.note
        assert "resume the job where that flow is at hand" in listed.note
        assert other.load(state.job_id).status == "paused"
    manager.resume(state.job_id)
    assert manager.wait_for_all_jobs(PATIENCE)
