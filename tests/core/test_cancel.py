"""Cancel: what is refused, what stays pending, and what a handler can know of it."""

import threading

import pytest

from routilux_core import (
    ErrorHandler,
    Flow,
    JobManager,
    JobState,
    Routine,
    UnknownJob,
    get_execution_context,
    routine,
)
from routilux_plugins.executors import sequential
from tests.core.gate import WAIT, Gate


@routine
def keep(n):
    return {"n": n}


class Held(Routine):
    """Emits, waits at the gate, and notes whether it was cancelled by then."""

    def __init__(self, gate):
        super().__init__()
        self.gate = gate
        self.cancelled = []
        self.define_slot("trigger", self.act)
        self.define_event("out")

    def act(self, n=0):
        context = get_execution_context()
        self.emit("out", n=n)
        self.cancelled.append(context.cancelled)
        self.gate.pass_through()
        self.cancelled.append(context.cancelled)
        self.send_output("late")


def held_flow(gate):
    flow = Flow("flow")
    flow.add_routine(Held(gate), "a")
    flow.add_routine(keep(), "b")
    flow.connect("a.out", "b.trigger")
    return flow


def test_a_cancelled_job_ends_at_once_and_refuses_what_still_runs(manager):
    with Gate() as gate:
        flow = held_flow(gate)
        state = flow.start("a", {"n": 1})
        job = manager.get_job(state.job_id)
        gate.wait()
        flow.cancel(state, reason="enough")
        assert state.status == "cancelled"
        assert job.wait(WAIT)
        assert manager.running_jobs == []
        gate.open()
    manager.shutdown()
    assert flow.routine("a").cancelled == [False, True]
    assert (state.results, state.output_log) == ({}, [])
    assert [(task.routine_id, task.data) for task in state.pending_tasks] == [("a", {"n": 1})]
    assert state.facts[-1].reason == "enough"


def test_nothing_starts_once_a_cancel_was_accepted(manager):
    with Gate() as gate:
        flow = held_flow(gate)
        state = flow.start("a")
        gate.wait()
        job = manager.get_job(state.job_id)
        for n in range(5):
            job.post("b", n=n)
        flow.cancel(state)
        gate.open()
    manager.shutdown()
    assert [one.routine_id for one in state.execution_history] == ["a"]
    assert len(state.pending_tasks) == 6


def test_a_handler_may_cancel_its_own_job(manager):
    @routine
    def give_up():
        get_execution_context().job.cancel("by itself")
        return {"n": 1}

    flow = Flow()
    flow.add_routine(give_up(), "a")
    state = flow.execute("a")
    assert state.status == "cancelled"
    assert state.results == {}
    assert [task.routine_id for task in state.pending_tasks] == ["a"]


def test_a_monitor_may_cancel_the_job_that_it_watches(manager):
    def watch(job, fact):
        if type(fact).__name__ == "ActivationStarted":
            job.cancel("seen enough")

    flow = Flow()
    flow.add_routine(keep(), "a")
    assert flow.execute("a", {"n": 1}, monitors=[watch]).status == "cancelled"


def test_a_job_waiting_for_a_retry_is_cancelled_at_once(clock, timed_manager):
    flow, failed = Flow(), threading.Event()

    @routine
    def fail():
        raise OSError("no disk")

    flow.add_routine(fail(), "a")
    flow.set_error_handler(ErrorHandler("retry", retry_delay=3600))
    watch = [lambda job, fact: failed.set() if type(fact).__name__ == "ActivationRetried" else None]
    state = flow.start("a", monitors=watch)
    assert failed.wait(WAIT)
    flow.cancel(state)
    assert state.status == "cancelled"
    assert [task.attempt for task in state.pending_tasks] == [2]
    clock.advance(7200)
    assert timed_manager.wait_for_all_jobs(WAIT)
    assert len(state.errors) == 1


def test_a_paused_job_can_be_cancelled(manager):
    @routine
    def pause():
        get_execution_context().job.pause()
        return {"n": 1}

    flow = Flow()
    flow.add_routine(pause(), "a")
    flow.add_routine(keep(), "b")
    flow.connect("a.output", "b.trigger")
    state = flow.execute("a")
    flow.cancel(state, "not needed")
    assert state.status == "cancelled"
    assert [task.routine_id for task in state.pending_tasks] == ["b"]


def test_a_state_that_never_ran_can_be_cancelled(manager):
    state = JobState("flow")
    Flow("flow").cancel(state)
    assert state.status == "cancelled"


def test_the_manager_cancels_by_id(manager):
    with Gate() as gate:
        state = held_flow(gate).start("a")
        gate.wait()
        manager.cancel(state.job_id)
        assert state.status == "cancelled"


def test_an_unknown_id_names_those_that_run(manager):
    with Gate() as gate:
        state = held_flow(gate).start("a")
        gate.wait()
        for use in (manager.cancel, manager.pause, lambda name: manager.post(name, "a")):
            with pytest.raises(UnknownJob, match=state.job_id):
                use("nobody")


@pytest.mark.parametrize("style", ["sync", "async"])
def test_a_generator_that_was_cancelled_is_closed(manager, style):
    closed = threading.Event()
    with Gate() as gate:

        @routine
        def count():
            try:
                yield 1
                yield 2
                gate.pass_through()
                yield 3
            finally:
                closed.set()

        @routine
        async def loosely():
            try:
                yield 1
                yield 2
                gate.pass_through()
                yield 3
            finally:
                closed.set()

        flow = Flow()
        flow.add_routine(count() if style == "sync" else loosely(), "a")
        state = flow.start("a")
        gate.wait()
        flow.cancel(state)
        gate.open()
        assert closed.wait(WAIT)
    assert state.results == {"a.output": [{"result": 1}, {"result": 2}]}
    assert [task.routine_id for task in state.pending_tasks] == ["a"]


@pytest.mark.parametrize("style", ["sync", "async"])
def test_a_generator_that_stands_between_two_items_is_closed(manager, style):
    """Its next item waits behind what it gave before, which holds the only worker."""
    closed = threading.Event()
    with Gate() as gate:

        @routine
        def count():
            try:
                yield 1
                yield 2
            finally:
                closed.set()

        @routine
        async def loosely():
            try:
                yield 1
                yield 2
            finally:
                closed.set()

        @routine(priority=1)
        def hold(result):
            gate.pass_through()

        flow = Flow()
        flow.add_routine(count() if style == "sync" else loosely(), "a")
        flow.add_routine(hold(), "b")
        flow.connect("a.output", "b.trigger")
        state = flow.start("a")
        gate.wait()
        assert not closed.is_set()
        flow.cancel(state)
        assert closed.wait(WAIT)


def test_an_executor_survives_the_cancelling_of_a_generator(manager):
    """Control: an error out of `finish` ends the one thread of the executor, and the other job never ends."""
    with Gate() as gate:

        @routine
        def count():
            yield 1
            gate.pass_through()
            yield 2

        flow, other = Flow(), Flow()
        flow.add_routine(count(), "a")
        other.add_routine(keep(), "a")
        state = flow.start("a")
        gate.wait()
        flow.cancel(state)
        gate.open()
        following = other.start("a", {"n": 1})
        assert other.wait_for_completion(WAIT)
    assert following.status == "completed"


def test_a_shutdown_beside_jobs_that_end_is_no_error():
    """Control: a shutdown that cancels each job it has found, ended meanwhile or not, raises now and then."""
    for _ in range(30):
        manager = JobManager(plugins=[sequential], discover=False)
        flow = Flow()
        flow.add_routine(keep(), "a")
        states = [manager.start_job(flow, "a", {"n": n}) for n in range(10)]
        manager.shutdown(wait=False)
        assert {str(state.status) for state in states} <= {"completed", "cancelled"}


def test_a_job_that_is_cancelled_before_anybody_works_for_it_keeps_its_entry_pending():
    """As it is when Ctrl-C comes while `execute` makes the job."""

    class Interrupted(sequential.Sequential):
        def drive(self, job):
            raise KeyboardInterrupt

    state = JobState()
    flow = Flow("flow")
    flow.add_routine(keep(), "a")
    with JobManager(executor=Interrupted(), discover=False), pytest.raises(KeyboardInterrupt):
        flow.execute("a", {"n": 1}, job_state=state)
    assert state.status == "cancelled"
    assert [task.routine_id for task in state.pending_tasks] == ["a"]
