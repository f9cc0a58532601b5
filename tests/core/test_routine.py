"""Three ways to write a routine, and what one may ask of it."""

import threading

import pytest

from routilux_core import (
    DuplicateName,
    ErrorHandler,
    ErrorStrategy,
    Event,
    ExecutionContext,
    Flow,
    InsideJob,
    InvalidName,
    InvalidOption,
    JobManager,
    NoActiveJob,
    Routine,
    Slot,
    UnknownEvent,
    UnknownSlot,
    get_execution_context,
    routine,
    slot,
)
from routilux_plugins.executors import sequential


class Imperative(Routine):
    def __init__(self):
        super().__init__()
        self.define_slot("trigger", self.trigger)
        self.define_event("output", ["value"])

    def trigger(self, value):
        self.emit("output", value=2 * value)


class Declarative(Routine):
    output = Event("value")

    @slot
    def trigger(self, value):
        self.emit("output", value=2 * value)


@routine
def function_style(value):
    return {"value": 2 * value}


STYLES = pytest.mark.parametrize("made", [Imperative, Declarative, function_style])


@STYLES
def test_every_style_has_the_same_slot(made):
    found = made().get_slot("trigger")
    assert type(found) is Slot
    assert found.name == "trigger"
    assert callable(found.handler)
    plain = Slot("trigger")
    for option in ("merge_strategy", "when", "concurrency", "timeout", "priority", "retry"):
        assert getattr(found, option) == getattr(plain, option)


@STYLES
def test_every_style_has_the_same_event(made):
    found = made().get_event("output")
    assert type(found) is Event
    assert found.name == "output"


@STYLES
def test_every_style_runs_alike(manager, made):
    flow = Flow("styles")
    flow.add_routine(made(), "double")
    state = flow.execute("double", {"value": 21})
    assert state.status == "completed"
    assert state.results == {"double.output": [{"value": 42}]}


def test_the_fields_of_both_class_styles_agree():
    assert Imperative().get_event("output").output_params == ["value"]
    assert Declarative().get_event("output").output_params == ["value"]


def test_typed_fields_are_the_same_in_both_styles():
    class Typed(Routine):
        output = Event(value=int)

    made = Routine()
    made.define_event("output", {"value": int})
    assert Typed().get_event("output").fields == made.get_event("output").fields == {"value": int}


def test_options_of_the_decorator_reach_the_slot():
    class Busy(Routine):
        @slot(name="work", concurrency=2, priority=5, timeout=1.5, merge_strategy="append")
        def handle(self, value):
            """Take one."""

    found = Busy().get_slot("work")
    assert (found.concurrency, found.priority, found.timeout) == (2, 5, 1.5)
    assert found.merge_strategy == "append"


def test_a_subclass_inherits_and_replaces():
    class Louder(Declarative):
        extra = Event("note")

        @slot
        def trigger(self, value):
            self.emit("extra", note=value)

    made = Louder()
    assert set(made.events) == {"output", "extra"}
    assert made.get_slot("trigger").handler == made.trigger


def test_two_objects_of_one_class_share_nothing():
    one, other = Declarative(), Declarative()
    one.define_event("more")
    one.set_config(size=1)
    assert "more" not in other.events
    assert other.config() == {}


def test_a_routine_without_its_own_init_call_still_works():
    class Forgetful(Routine):
        output = Event("value")

        def __init__(self):
            self.factor = 3

        @slot
        def trigger(self, value):
            self.emit("output", value=self.factor * value)

    assert list(Forgetful().slots) == ["trigger"]


def test_slots_and_events_cannot_be_changed_from_outside():
    made = Declarative()
    with pytest.raises(TypeError):
        made.slots["more"] = Slot("more")
    with pytest.raises(TypeError):
        made.events["more"] = Event()


def test_an_unknown_slot_names_what_there_is():
    with pytest.raises(UnknownSlot) as caught:
        Declarative().get_slot("triger")
    text = str(caught.value)
    assert "'Declarative' has no slot 'triger'" in text
    assert "it has: trigger" in text
    assert "did you mean 'trigger'?" in text


def test_an_unknown_event_names_what_there_is():
    with pytest.raises(UnknownEvent) as caught:
        Declarative().get_event("outputs")
    text = str(caught.value)
    assert "'Declarative' has no event 'outputs'" in text
    assert "it has: output" in text
    assert "did you mean 'output'?" in text


def test_an_unknown_name_is_a_lookup_error_and_a_value_error():
    with pytest.raises(LookupError):
        Declarative().get_slot("nothing")
    with pytest.raises(ValueError, match=r"nothing"):
        Declarative().get_event("nothing")


def test_emitting_an_undeclared_event_outside_a_job_lists_the_declared():
    with pytest.raises(UnknownEvent, match=r"'Declarative' has no event 'result'; it has: output"):
        Declarative().emit("result", value=1)


def test_a_slot_or_event_is_defined_once():
    made = Declarative()
    with pytest.raises(DuplicateName, match=r"already has slot 'trigger'; choose another name"):
        made.define_slot("trigger")
    with pytest.raises(DuplicateName, match=r"already has event 'output'; choose another name"):
        made.define_event("output")
    assert list(made.slots) == ["trigger"]
    assert list(made.events) == ["output"]


@pytest.mark.parametrize("name", ["", "a.b", "a b", "ä", "x" * 129, 7, None])
def test_a_slot_or_event_name_has_a_grammar(name):
    made = Routine()
    with pytest.raises(InvalidName):
        made.define_slot(name)
    with pytest.raises(InvalidName):
        made.define_event(name)
    assert not made.slots
    assert not made.events


def test_output_params_that_are_one_text_are_refused():
    with pytest.raises(
        InvalidOption, match=r"output_params cannot be 'value'; it takes a list of field names"
    ):
        Routine().define_event("output", "value")


# -- configuration -------------------------------------------------------------------------------------


def test_configuration_is_kept_and_given_as_a_copy():
    made = Routine()
    made.set_config(size=3)
    made.set_config(name="x")
    copy = made.config()
    copy["size"] = 4
    assert made.config() == {"size": 3, "name": "x"}
    assert made.get_config("size") == 3
    assert made.get_config("missing") is None
    assert made.get_config("missing", 7) == 7


def test_configuration_may_come_by_the_constructor():
    assert Declarative(size=3).config() == {"size": 3}


def test_configuration_inside_a_job_is_refused_and_unchanged(manager):
    class Changing(Routine):
        @slot
        def trigger(self):
            self.set_config(size=4)

    made = Changing(size=3)
    flow = Flow("changing")
    flow.add_routine(made, "changing")
    state = flow.execute("changing")
    assert state.status == "failed"
    assert state.errors[0].type == "InsideJob"
    assert "keep what changes in the job's shared data" in state.errors[0].message
    assert made.config() == {"size": 3}
    made.set_config(size=5)
    assert made.get_config("size") == 5


def test_configuration_of_another_routine_inside_a_job_is_refused(manager):
    bystander = Routine()

    @routine
    def meddle():
        with pytest.raises(InsideJob):
            bystander.set_config(size=1)

    flow = Flow("meddling")
    flow.add_routine(meddle(), "meddle")
    assert flow.execute("meddle").status == "completed"
    assert bystander.config() == {}


# -- stats ---------------------------------------------------------------------------------------------


class Counting(Routine):
    output = Event("seen")

    @slot
    def trigger(self, times=1):
        for _ in range(times):
            self.increment_stat("calls")
        self.set_stat("last", times)
        self.emit("output", seen=self.stats())


@pytest.fixture
def counting(manager):
    flow = Flow("counting")
    made = Counting()
    flow.add_routine(made, "counting")
    return flow, made


def test_stats_inside_a_job_are_that_jobs_own(counting):
    flow, _ = counting
    first = flow.execute("counting", {"times": 2})
    second = flow.execute("counting", {"times": 3})
    assert first.results["counting.output"] == [{"seen": {"calls": 2, "last": 2}}]
    assert second.results["counting.output"] == [{"seen": {"calls": 3, "last": 3}}]


def test_stats_outside_a_job_are_the_totals(counting):
    flow, made = counting
    flow.execute("counting", {"times": 2})
    flow.execute("counting", {"times": 3})
    assert made.stats()["calls"] == 5


def test_stats_count_a_running_job_too(manager):
    counted, go_on = threading.Event(), threading.Event()

    class Slow(Routine):
        output = Event()

        @slot
        def trigger(self):
            self.increment_stat("calls")
            self.emit("output")

        @slot
        def wait(self):
            counted.set()
            go_on.wait(10)

    made = Slow()
    flow = Flow("slow")
    flow.add_routine(made, "slow")
    flow.connect("slow.output", "slow.wait")
    state = flow.start("slow")
    assert counted.wait(10)
    assert made.stats() == {"calls": 1}
    go_on.set()
    assert flow.wait_for_completion(10)
    assert state.status == "completed"
    assert made.stats() == {"calls": 1}


def test_stats_of_a_failed_attempt_do_not_count(manager):
    class Failing(Routine):
        @slot
        def trigger(self):
            self.increment_stat("calls")
            raise OSError

    made = Failing()
    flow = Flow("failing")
    flow.add_routine(made, "failing")
    assert flow.execute("failing").status == "failed"
    assert made.stats() == {}


def test_stats_recorded_outside_add_to_the_totals(counting):
    flow, made = counting
    made.increment_stat("calls", 10)
    made.set_stat("note", "by hand")
    flow.execute("counting")
    assert made.stats()["calls"] == 11
    assert made.stats()["note"] == "by hand"


def test_stats_live_in_the_manager_not_on_the_routine(counting):
    flow, made = counting
    flow.execute("counting")
    with JobManager(plugins=[sequential], discover=False):
        assert made.stats() == {}
    assert made.stats()["calls"] == 1


def test_stats_are_in_the_job_state(counting):
    flow, _ = counting
    assert flow.execute("counting").stats("counting") == {"calls": 1, "last": 1}


# -- error handlers ------------------------------------------------------------------------------------


def test_a_critical_routine_retries_and_then_stops():
    made = Routine()
    made.set_as_critical(max_retries=5)
    handler = made.error_handler
    assert (handler.strategy, handler.max_retries, handler.is_critical) == (ErrorStrategy.RETRY, 5, True)
    assert handler.last_resort() is ErrorStrategy.STOP


def test_a_critical_routine_stops_whatever_its_strategy():
    made = Routine()
    made.set_as_critical("continue")
    assert made.error_handler.last_resort() is ErrorStrategy.STOP


def test_an_optional_routine_goes_on():
    made = Routine()
    made.set_as_optional()
    assert made.error_handler.last_resort() is ErrorStrategy.CONTINUE


def test_an_optional_routine_may_retry_before_it_goes_on():
    made = Routine()
    made.set_as_optional(ErrorStrategy.RETRY, max_retries=2)
    handler = made.error_handler
    assert handler.retries(OSError(), 2)
    assert not handler.retries(OSError(), 3)
    assert handler.last_resort() is ErrorStrategy.CONTINUE


@pytest.mark.parametrize(
    ("shorthand", "status"), [("set_as_critical", "failed"), ("set_as_optional", "completed")]
)
def test_the_shorthands_decide_what_becomes_of_the_job(manager, shorthand, status):
    @routine
    def broken():
        raise OSError("no disk")

    made = broken()
    getattr(made, shorthand)("stop" if shorthand == "set_as_critical" else "continue")
    flow = Flow("broken")
    flow.add_routine(made, "broken")
    state = flow.execute("broken")
    assert state.status == status
    assert [error.message for error in state.errors] == ["no disk"]


def test_an_error_handler_must_be_one():
    made = Routine()
    with pytest.raises(InvalidOption, match=r"error handler cannot be 'retry'; it takes an ErrorHandler"):
        made.set_error_handler("retry")
    assert made.error_handler is None
    made.set_error_handler(ErrorHandler("skip"))
    assert made.error_handler.strategy == "skip"


# -- inside and outside --------------------------------------------------------------------------------


def test_outside_a_job_there_is_no_context():
    assert Routine().get_execution_context() is None
    assert get_execution_context() is None


def test_inside_a_job_both_ways_give_one_context(manager):
    seen = []

    class Looking(Routine):
        @slot
        def trigger(self):
            seen.append((self.get_execution_context(), get_execution_context()))

    flow = Flow("looking")
    flow.add_routine(Looking(), "looking")
    state = flow.execute("looking")
    mine, general = seen[0]
    assert isinstance(mine, ExecutionContext)
    assert mine is general
    assert mine.flow is flow
    assert mine.job_state is state
    assert mine.routine_id == "looking"


@pytest.mark.parametrize(
    "call",
    [
        lambda made: made.send_output("note", text="x"),
        lambda made: made.emit_deferred_event("output", value=1),
    ],
    ids=["send_output", "emit_deferred_event"],
)
def test_what_needs_a_job_says_so_outside_of_one(call):
    with pytest.raises(NoActiveJob, match=r"works inside a handler that a job runs"):
        call(Declarative())


def test_a_late_emission_of_a_thread_is_refused(manager):
    contexts = []

    class Leaking(Routine):
        output = Event("value")

        @slot
        def trigger(self):
            contexts.append(get_execution_context())

    made = Leaking()
    flow = Flow("leaking")
    flow.add_routine(made, "leaking")
    state = flow.execute("leaking")
    with pytest.raises(NoActiveJob, match=r"the handler has returned"):
        contexts[0].wrap(made.emit)("output", value=1)
    assert state.results == {}


def test_configuration_goes_by_name_and_the_error_says_so():
    class Fetch(Routine):
        pass

    with pytest.raises(InvalidOption, match=r"an argument of Fetch cannot be 'u'; .*Fetch\(name=value\)"):
        Fetch("u")
