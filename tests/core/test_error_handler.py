"""Failures: what becomes of the job, whose word counts, and where the error is to be found."""

import logging

import pytest

from routilux_core import (
    ErrorHandler,
    ErrorStrategy,
    Flow,
    InvalidOption,
    JobFailed,
    Monitor,
    Routine,
    routine,
)

PLACES = ("slot", "routine", "flow")


class Fan(Routine):
    """Sends 0, 1 and 2 to those who listen."""

    def __init__(self):
        super().__init__()
        self.define_slot("trigger", self.act)
        self.define_event("out")

    def act(self):
        for n in range(3):
            self.emit("out", n=n)


class Picky(Routine):
    """Fails over 1."""

    def __init__(self, **options):
        super().__init__()
        self.define_slot("trigger", self.act, **options)
        self.define_event("out")

    def act(self, n):
        if n == 1:
            raise OSError("no disk")
        self.emit("out", n=n)


def picky(handler=None, place="slot"):
    flow = Flow("flow")
    made = Picky(retry=handler) if place == "slot" else Picky()
    flow.add_routine(Fan(), "fan")
    flow.add_routine(made, "a")
    flow.connect("fan.out", "a.trigger")
    if handler is not None and place == "routine":
        made.set_error_handler(handler)
    if handler is not None and place == "flow":
        flow.set_error_handler(handler)
    return flow


def numbers(state):
    return [payload["n"] for payload in state.results.get("a.out", ())]


# -- the strategies ------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", PLACES)
def test_stop_fails_the_job_and_keeps_what_was_not_run(manager, place):
    state = picky(ErrorHandler("stop"), place).execute("fan")
    assert (state.status, numbers(state)) == ("failed", [0])
    assert sorted(task.data["n"] for task in state.pending_tasks) == [1, 2]


def test_stop_is_what_happens_where_nothing_is_said(manager):
    assert picky().execute("fan").status == "failed"


@pytest.mark.parametrize("place", PLACES)
def test_continue_records_and_goes_on(manager, place):
    state = picky(ErrorHandler("continue"), place).execute("fan")
    assert (state.status, numbers(state), state.pending_tasks) == ("completed", [0, 2], [])
    assert [error.message for error in state.errors] == ["no disk"]


@pytest.mark.parametrize("place", PLACES)
def test_skip_goes_on_and_marks_the_routine(manager, place):
    marks = []

    class Watch(Monitor):
        def on_activation_skipped(self, job, fact):
            marks.append(job.job_state.routine_states["a"]["status"])

    state = picky(ErrorHandler("skip"), place).execute("fan", monitors=[Watch()])
    assert (state.status, numbers(state), marks) == ("completed", [0, 2], ["skipped"])


@pytest.mark.parametrize("place", PLACES)
def test_retry_tries_again(manager, place):
    state = picky(ErrorHandler("retry", max_retries=2, retry_delay=0), place).execute("fan")
    assert state.status == "failed"
    assert [error.attempt for error in state.errors] == [1, 2, 3]


def test_a_skipped_routine_stays_marked(manager):
    @routine
    def fail():
        raise OSError("no disk")

    flow = Flow()
    made = fail()
    made.set_error_handler(ErrorHandler(ErrorStrategy.SKIP))
    flow.add_routine(made, "a")
    state = flow.execute("a")
    assert state.routine_states["a"]["status"] == "skipped"
    assert state.routine_states["a"]["error"].message == "no disk"


# -- whose word counts ---------------------------------------------------------------------------------


def test_the_slot_goes_before_the_routine_and_the_routine_before_the_flow(manager):
    flow = picky(ErrorHandler("continue"), "slot")
    flow.routine("a").set_error_handler(ErrorHandler("stop"))
    flow.set_error_handler(ErrorHandler("stop"))
    assert flow.execute("fan").status == "completed"
    flow = picky(ErrorHandler("continue"), "routine")
    flow.set_error_handler(ErrorHandler("stop"))
    assert flow.execute("fan").status == "completed"


def test_an_inner_flow_goes_before_the_outer(manager):
    outer, inner = Flow("outer"), picky(ErrorHandler("continue"), "flow")
    outer.add_routine(inner, "sub")
    outer.set_error_handler(ErrorHandler("stop"))
    assert outer.execute("sub.fan").status == "completed"


def test_a_handler_that_is_set_later_counts_for_the_next_job(manager):
    flow = picky()
    assert flow.execute("fan").status == "failed"
    flow.set_error_handler(ErrorHandler("continue"))
    assert flow.execute("fan").status == "completed"
    flow.routine("a").set_error_handler(ErrorHandler("stop"))
    assert flow.execute("fan").status == "failed"


def test_optional_and_critical_are_shorthands(manager):
    flow = picky()
    flow.routine("a").set_as_optional()
    assert flow.execute("fan").status == "completed"
    flow.routine("a").set_as_critical("continue")
    assert flow.execute("fan").status == "failed"


def test_something_else_is_no_error_handler():
    for use in (Flow().set_error_handler, Picky().set_error_handler):
        with pytest.raises(InvalidOption, match="an ErrorHandler"):
            use("stop")


# -- where it is to be found ---------------------------------------------------------------------------


def test_the_error_is_in_the_state_with_all_that_is_known(manager):
    state = picky().execute("fan")
    (error,) = state.errors
    assert (error.type, error.message, error.attempt) == ("OSError", "no disk", 1)
    assert (error.routine_id, error.slot) == ("a", "trigger")
    assert 'raise OSError("no disk")' in error.traceback
    assert state.created_at.timestamp() <= error.at <= state.updated_at.timestamp()
    assert str(error) == "OSError: no disk in a.trigger"
    assert state.routine_states["a"]["error"] is error


@pytest.mark.parametrize(
    ("strategy", "event"),
    [("stop", "failed"), ("continue", "failed"), ("skip", "skipped"), ("retry", "retry")],
)
def test_the_error_is_in_the_history(manager, strategy, event):
    state = picky(ErrorHandler(strategy, retry_delay=0, max_retries=1)).execute("fan")
    found = [one for one in state.get_execution_history("a") if one.event_name == event]
    assert found[0].data == {"type": "OSError", "message": "no disk", "attempt": 1}


@pytest.mark.parametrize(
    ("strategy", "level"),
    [
        ("stop", logging.ERROR),
        ("continue", logging.ERROR),
        ("skip", logging.ERROR),
        ("retry", logging.WARNING),
    ],
)
def test_the_error_is_in_the_log_with_its_traceback(manager, caplog, strategy, level):
    state = picky(ErrorHandler(strategy, retry_delay=0, max_retries=1)).execute("fan")
    record = caplog.records[0]
    assert record.levelno == level
    assert state.job_id in record.getMessage()
    assert "a.trigger" in record.getMessage()
    assert record.exc_info[0] is OSError


@pytest.mark.parametrize(
    ("strategy", "kind"),
    [
        ("stop", "ActivationFailed"),
        ("continue", "ActivationFailed"),
        ("skip", "ActivationSkipped"),
        ("retry", "ActivationRetried"),
    ],
)
def test_the_error_reaches_monitors(manager, strategy, kind):
    seen = []
    state = picky(ErrorHandler(strategy, retry_delay=0, max_retries=1)).execute(
        "fan", monitors=[lambda job, fact: seen.append(fact)]
    )
    (first, *_) = [fact for fact in seen if type(fact).__name__ == kind]
    assert first.error is state.errors[0]


def test_an_error_whose_text_cannot_be_made_is_not_lost(manager):
    class Mute(Exception):
        def __str__(self):
            raise RuntimeError("no words")

    @routine
    def fail():
        raise Mute

    flow = Flow()
    flow.add_routine(fail(), "a")
    state = flow.execute("a")
    assert state.errors[0].type == "Mute"
    assert "RuntimeError" in state.errors[0].message


@pytest.mark.parametrize("kind", [SystemExit, GeneratorExit, KeyboardInterrupt])
def test_what_ends_a_program_is_a_failure_of_its_handler_in_another_thread(manager, kind):
    @routine
    def fail():
        raise kind("out of here")

    flow = Flow()
    flow.add_routine(fail(), "a")
    state = flow.start("a")
    assert flow.wait_for_completion(20)
    assert state.status == "failed"
    assert state.errors[0].type == kind.__name__


# -- raising -------------------------------------------------------------------------------------------


def test_execute_returns_the_failed_state(manager):
    assert picky().execute("fan").status == "failed"


def test_raise_on_error_raises_from_the_original(manager):
    with pytest.raises(JobFailed, match=r"is failed: OSError: no disk in a\.trigger") as caught:
        picky().execute("fan", raise_on_error=True)
    assert isinstance(caught.value.__cause__, OSError)
    assert isinstance(caught.value, RuntimeError)
    assert caught.value.flow_id == "flow"


def test_the_first_error_that_stopped_is_the_one_that_is_raised(manager):
    flow = picky(ErrorHandler("continue"), "slot")

    @routine
    def last(n):
        raise KeyError("second")

    flow.add_routine(last(), "b")
    flow.connect("a.out", "b.trigger")
    with pytest.raises(JobFailed, match="KeyError") as caught:
        flow.execute("fan", raise_on_error=True)
    assert isinstance(caught.value.__cause__, KeyError)


def test_an_ignored_error_raises_nothing(manager):
    flow = picky(ErrorHandler("continue"))
    assert flow.execute("fan", raise_on_error=True).status == "completed"


def test_a_fork_that_fails_raises_its_own_error(manager):
    flow = picky()
    failed = flow.execute("fan")
    fork = flow.fork(failed)
    assert flow.wait_for_completion(20)
    assert fork.status == "failed"
    with pytest.raises(JobFailed, match=fork.job_id) as caught:
        fork.raise_for_status()
    assert isinstance(caught.value.__cause__, OSError)
