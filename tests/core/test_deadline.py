"""Time limits of jobs and of activations, and what a handler that is too late can know and do."""

import asyncio
import threading

import pytest

from routilux_core import (
    ErrorHandler,
    Flow,
    InvalidOption,
    JobFailed,
    JobManager,
    JobTimeout,
    Routine,
    get_execution_context,
    routine,
)
from tests.core.gate import WAIT, Gate
from tests.core.pool import Pool


class Slow(Routine):
    """Waits at the gate on its first call, unless told for all; notes what it knew of being too late."""

    def __init__(self, gate, *, always=False, **options):
        super().__init__()
        self.gate = gate
        self.always = always
        self.cancelled = []
        self.returned = threading.Event()
        self.define_slot("trigger", self.act, **options)
        self.define_event("out")

    def act(self):
        context = get_execution_context()
        if self.always or not self.cancelled:
            before = context.cancelled
            self.gate.pass_through()
            self.cancelled += [before, context.cancelled]
            self.returned.set()
        context.job_state.update_shared_data("attempt", context.attempt)
        self.emit("out", attempt=context.attempt)


class Hearing:
    """A monitor that one can wait for until it has heard of a fact."""

    def __init__(self, kind):
        self.kind = kind
        self._heard = threading.Event()

    def __call__(self, job, fact):
        if type(fact).__name__ == self.kind:
            self._heard.set()

    def wait(self):
        assert self._heard.wait(WAIT)


def slow(gate, **options):
    flow = Flow("flow")
    flow.add_routine(Slow(gate, **options), "a")
    return flow


# -- of jobs -------------------------------------------------------------------------------------------


def test_a_job_that_reaches_its_limit_fails(clock, timed_manager):
    with Gate() as gate:
        flow = slow(gate)
        state = flow.start("a", timeout=10)
        gate.wait()
        clock.advance(10)
        assert flow.wait_for_completion(WAIT)
        assert state.status == "failed"
        assert state.errors[-1].type == "JobTimeout"
        assert [task.routine_id for task in state.pending_tasks] == ["a"]


def test_nothing_happens_before_the_limit(clock, timed_manager):
    with Gate() as gate:
        flow = slow(gate)
        state = flow.start("a", timeout=10)
        gate.wait()
        clock.advance(9.9)
        gate.open()
        assert flow.wait_for_completion(WAIT)
    assert state.status == "completed"


def test_what_comes_after_the_limit_is_refused_and_its_handler_can_know(clock, timed_manager):
    with Gate() as gate:
        flow = slow(gate)
        state = flow.start("a", timeout=10)
        gate.wait()
        clock.advance(10)
        assert flow.wait_for_completion(WAIT)
        facts = len(state.facts)
        gate.open()
        assert flow.routine("a").returned.wait(WAIT)
    timed_manager.shutdown()
    assert flow.routine("a").cancelled == [False, True]
    assert (state.shared_data, state.results, len(state.facts)) == ({}, {}, facts)


def test_the_error_is_raised_as_what_it_is(clock, timed_manager):
    with Gate() as gate:
        flow = slow(gate)
        state = flow.start("a", timeout=10)
        gate.wait()
        clock.advance(10)
        assert flow.wait_for_completion(WAIT)
    with pytest.raises(JobFailed) as caught:
        state.raise_for_status()
    assert isinstance(caught.value.__cause__, JobTimeout)
    assert isinstance(caught.value.__cause__, TimeoutError)
    assert "10 s" in str(caught.value)


def test_the_flows_own_limit_holds_where_none_is_given(clock, timed_manager):
    with Gate() as gate:
        flow = Flow(execution_timeout=5)
        flow.add_routine(Slow(gate), "a")
        state = flow.start("a")
        gate.wait()
        clock.advance(5)
        assert flow.wait_for_completion(WAIT)
        assert state.status == "failed"


def test_execute_on_sequential_returns_when_the_running_handler_does(clock, timed_manager):
    """Nothing starts after the limit; the handler itself cannot be ended, so it is waited for."""
    flow = Flow()

    @routine
    def late():
        job = get_execution_context().job
        clock.advance(10)
        job.wait_outside(WAIT)
        return {"n": 1}

    flow.add_routine(late(), "a")
    flow.add_routine(late(), "b")
    flow.connect("a.output", "b.trigger")
    state = flow.execute("a", timeout=10)
    assert (state.status, state.results) == ("failed", {})
    assert [one.event_name for one in state.execution_history] == ["start"]


def test_the_clock_stands_still_while_the_job_is_paused(clock, timed_manager):
    steps = []

    @routine
    def step():
        steps.append(1)
        if len(steps) == 1:
            clock.advance(4)
            get_execution_context().job.pause()
        return {}

    with Gate() as gate:
        flow = slow(gate)
        flow.add_routine(step(), "first")
        flow.connect("first.output", "a.trigger")
        state = flow.execute("first", timeout=10)
        assert state.status == "paused"
        clock.advance(1000)
        flow.resume(state)
        gate.wait()
        clock.advance(5)
        assert state.status == "running"
        clock.advance(1)
        assert flow.wait_for_completion(WAIT)
        assert state.status == "failed"
        assert state.errors[-1].type == "JobTimeout"


def test_a_pausing_job_still_has_its_limit(clock, timed_manager):
    with Gate() as gate:
        flow = slow(gate)
        state = flow.start("a", timeout=10)
        gate.wait()
        flow.pause(state, timeout=0.001)
        clock.advance(10)
        assert flow.wait_for_completion(WAIT)
        assert state.status == "failed"


def test_a_limit_that_was_not_reached_leaves_nothing_behind(clock, timed_manager):
    @routine
    def quick():
        return None

    flow = Flow()
    flow.add_routine(quick(), "a")
    state = flow.execute("a", timeout=10)
    clock.advance(100)
    assert (state.status, state.errors) == ("completed", [])


@pytest.mark.parametrize("wrong", [0, -1, True, "10", float("nan")])
def test_a_limit_that_cannot_be_is_refused(manager, wrong):
    flow = Flow()
    with pytest.raises(InvalidOption, match="timeout"):
        flow.add_routine(Slow(Gate()), "a") and flow.start("a", timeout=wrong)
    with pytest.raises(InvalidOption, match="timeout"):
        Flow(execution_timeout=wrong)


# -- of activations ------------------------------------------------------------------------------------


def test_an_attempt_that_takes_too_long_fails(clock, timed_manager):
    with Gate() as gate:
        flow = slow(gate, timeout=5)
        state = flow.start("a")
        gate.wait()
        clock.advance(5)
        assert flow.wait_for_completion(WAIT)
        assert state.status == "failed"
        assert state.errors[0].type == "ActivationTimeout"
        assert (state.errors[0].routine_id, state.errors[0].slot) == ("a", "trigger")
        assert "5 s" in state.errors[0].message


def test_it_is_tried_again_as_the_error_handler_says_and_its_late_result_is_refused(clock, timed_manager):
    with Gate() as gate:
        flow = slow(gate, timeout=5, retry=ErrorHandler("retry", retry_delay=0))
        retried = Hearing("ActivationRetried")
        state = flow.start("a", monitors=[retried])
        gate.wait()
        clock.advance(5)
        retried.wait()
        gate.open()
        assert flow.wait_for_completion(WAIT)
    assert state.status == "completed"
    assert state.results == {"a.out": [{"attempt": 2}]}
    assert state.get_shared_data("attempt") == 2
    assert flow.routine("a").cancelled == [False, True]


def test_a_late_attempt_may_be_passed_over(clock, timed_manager):
    with Gate() as gate:
        flow = slow(gate, timeout=5, retry=ErrorHandler("continue"))
        failed = Hearing("ActivationFailed")
        state = flow.start("a", monitors=[failed])
        gate.wait()
        clock.advance(5)
        failed.wait()
        gate.open()
        assert flow.wait_for_completion(WAIT)
    assert (state.status, state.results) == ("completed", {})


def test_an_attempt_in_time_is_not_disturbed(clock, timed_manager):
    with Gate() as gate:
        flow = slow(gate, timeout=5)
        state = flow.start("a")
        gate.wait()
        clock.advance(4.9)
        gate.open()
        assert flow.wait_for_completion(WAIT)
        clock.advance(10)
    assert state.status == "completed"


def test_each_attempt_has_the_whole_time(clock, timed_manager):
    class Twice(Routine):
        def __init__(self):
            super().__init__()
            self.define_slot(
                "trigger", self.act, timeout=5, retry=ErrorHandler("retry", retry_delay=0, jitter=False)
            )
            self.attempts = 0

        def act(self):
            self.attempts += 1
            clock.advance(4)
            if self.attempts == 1:
                raise OSError("no disk")

    flow = Flow()
    flow.add_routine(Twice(), "a")
    state = flow.execute("a")
    assert (state.status, [error.type for error in state.errors]) == ("completed", ["OSError"])


def test_a_late_attempt_frees_its_place(clock):
    """The slot takes one at a time; the next one comes in while the late handler still holds its thread."""
    second = threading.Event()
    with JobManager(executor=Pool(2), discover=False, clock=clock) as manager, Gate() as gate:

        class One(Routine):
            def __init__(self):
                super().__init__()
                retry = ErrorHandler("continue")
                self.define_slot("trigger", self.act, timeout=5, concurrency=1, retry=retry)

            def act(self, n):
                if n == 1:
                    gate.pass_through()
                else:
                    second.set()

        flow = Flow()
        flow.add_routine(One(), "a")
        state = flow.start("a", {"n": 1})
        gate.wait()
        manager.post(state.job_id, "a", n=2)
        assert not second.is_set()
        clock.advance(5)
        assert second.wait(WAIT)
        assert flow.wait_for_completion(WAIT)
        gate.open()
    assert (state.status, [error.type for error in state.errors]) == ("completed", ["ActivationTimeout"])


def test_an_async_handler_that_takes_too_long_is_cancelled(clock, timed_manager):
    reached, cancelled = threading.Event(), threading.Event()

    class Endless(Routine):
        def __init__(self):
            super().__init__()
            self.define_slot("trigger", self.act, timeout=5)

        async def act(self):
            reached.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.set()
                raise

    flow = Flow()
    flow.add_routine(Endless(), "a")
    state = flow.start("a")
    assert reached.wait(WAIT)
    clock.advance(5)
    assert flow.wait_for_completion(WAIT)
    assert cancelled.wait(WAIT)
    assert state.errors[0].type == "ActivationTimeout"
