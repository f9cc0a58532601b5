"""Pause and resume: from outside and from inside, what is pending meanwhile, and how a job goes on."""

import threading

import pytest

from routilux_core import (
    ErrorHandler,
    Executor,
    Flow,
    FlowMismatch,
    InvalidOption,
    JobManager,
    JobState,
    Lane,
    Outcome,
    OutputSent,
    Routine,
    UnknownEvent,
    UnknownRoutine,
    batch,
    get_execution_context,
    routine,
)
from routilux_plugins.executors import sequential
from tests.core.gate import WAIT, Gate


class Acting(Routine):
    """Its trigger calls the function with the routine and the fields."""

    def __init__(self, function, **options):
        super().__init__()
        self.function = function
        self.define_slot("trigger", self.act, **options)
        self.define_event("out")

    def act(self, **data):
        self.function(self, **data)


@routine
def keep(n):
    return {"n": n}


def pausing(routine, **data):
    routine.get_execution_context().job.pause("for a look", {"page": 3})
    routine.emit("out", n=1)


def flow_of(*, connect=(), **routines):
    flow = Flow("flow")
    for name, made in routines.items():
        flow.add_routine(made, name)
    for source, target in connect:
        flow.connect(source, target)
    return flow


def self_pausing():
    return flow_of(a=Acting(pausing), b=keep(), connect=[("a.out", "b.trigger")])


def done(flow, state):
    assert flow.wait_for_completion(WAIT)
    return state


# -- from inside ---------------------------------------------------------------------------------------


def test_a_handler_pauses_its_job_and_what_it_made_is_pending(manager):
    state = self_pausing().execute("a")
    assert state.status == "paused"
    assert [task.routine_id for task in state.pending_tasks] == ["b"]
    assert state.results == {}


def test_the_rest_of_the_handler_still_runs(manager):
    def act(routine):
        flow.pause(routine.get_execution_context().job_state, reason="early")
        routine.emit("out", n=1)

    flow = flow_of(a=Acting(act))
    state = flow.execute("a")
    assert state.results == {"a.out": [{"n": 1}]}


def test_a_job_paused_from_inside_is_paused_even_if_nothing_is_pending(manager):
    flow = flow_of(a=Acting(pausing))
    state = flow.execute("a")
    assert (state.status, state.pending_tasks) == ("paused", [])
    assert done(flow, flow.resume(state)).status == "completed"


def test_a_failed_attempt_has_paused_nothing(manager):
    def act(routine):
        pausing(routine)
        raise OSError("no disk")

    flow = flow_of(a=Acting(act))
    assert flow.execute("a").status == "failed"


def test_reason_and_checkpoint_are_kept(manager):
    state = self_pausing().execute("a")
    assert state.checkpoint == {"page": 3}
    (point,) = state.pause_points
    assert (point.reason, point.checkpoint, point.pending, point.running) == ("for a look", {"page": 3}, 1, 0)
    assert point.time == pytest.approx(state.updated_at.timestamp(), abs=0.001)


def test_each_pause_is_a_point(manager):
    flow = flow_of(a=Acting(pausing), b=Acting(pausing), connect=[("a.out", "b.trigger")])
    state = done(flow, flow.resume(flow.execute("a")))
    assert state.status == "paused"
    assert len(state.pause_points) == 2


# -- from outside --------------------------------------------------------------------------------------


def held(gate, **options):
    def act(routine, **data):
        gate.pass_through()
        routine.emit("out", n=1)

    flow = flow_of(a=Acting(act), b=keep(), connect=[("a.out", "b.trigger")])
    state = flow.start("a", **options)
    gate.wait()
    return flow, state


def test_a_pause_returns_when_no_handler_runs_any_more(manager):
    with Gate() as gate:
        flow, state = held(gate)
        seen = []
        caller = threading.Thread(target=lambda: (flow.pause(state), seen.append(state.status)))
        caller.start()
        while state.status == "running":
            caller.join(0.001)
        assert (state.status, seen) == ("pausing", [])
        gate.open()
        caller.join(WAIT)
    assert seen == ["paused"]
    assert [task.routine_id for task in state.pending_tasks] == ["b"]


def test_a_pause_with_a_timeout_returns_pausing(manager):
    with Gate() as gate:
        flow, state = held(gate)
        flow.pause(state, timeout=0.001)
        assert state.status == "pausing"
        assert manager.get_job(state.job_id) is not None
        gate.open()
        assert done(flow, state).status == "paused"


def test_a_pause_needs_a_timeout_that_can_pass(manager):
    with Gate() as gate:
        flow, state = held(gate)
        with pytest.raises(InvalidOption, match="timeout"):
            flow.pause(state, timeout=0)
        assert state.status == "running"


def test_a_paused_job_has_left_the_manager(manager):
    state = self_pausing().execute("a")
    assert manager.get_job(state.job_id) is None
    assert manager.running_jobs == []


def test_nothing_starts_once_a_pause_was_accepted(manager):
    with Gate() as gate:
        started = []
        flow = flow_of(
            a=Acting(lambda routine: (routine.emit("out"), gate.pass_through())),
            b=Acting(lambda routine: started.append(1)),
            connect=[("a.out", "b.trigger")],
        )
        state = flow.start("a")
        gate.wait()
        job = manager.get_job(state.job_id)
        for _ in range(5):
            job.post("b")
        flow.pause(state, timeout=0.001)
        job.post("b")
        gate.open()
        done(flow, state)
    assert started == []
    assert len(state.pending_tasks) == 7


def test_a_pausing_job_that_is_resumed_goes_on(manager):
    with Gate() as gate:
        flow, state = held(gate)
        flow.pause(state, timeout=0.001)
        assert flow.resume(state) is state
        assert state.status == "running"
        gate.open()
        assert done(flow, state).status == "completed"
    assert state.pause_points == []


@routine
def quick():
    """Do nothing."""


class ByHand(Executor):
    """Leaves everything to the test."""

    def open(self, job):
        return Nowhere()

    def stop(self, timeout=None):
        """Nothing runs here."""


class Nowhere(Lane):
    def wake(self, count):
        """The test takes it."""


def test_an_outcome_that_comes_twice_does_not_keep_a_resumed_job_from_going_on():
    flow = Flow("by_hand")
    flow.add_routine(quick(), "quick")

    def resume_and_repeat(job, fact):
        if isinstance(fact, OutputSent):
            flow.resume(job.job_state)
            job.finish(first, Outcome())

    with JobManager(executor=ByHand(), discover=False) as manager:
        state = manager.start_job(flow, "quick", monitors=[resume_and_repeat])
        job = manager.get_job(state.job_id)
        job.post("quick")
        first, second = job.take(), job.take()
        job.finish(first, Outcome())
        flow.pause(state, timeout=0.001)
        state.send_output("sent while the job is pausing")
        job.finish(second, Outcome())
        assert state.status == "completed"


def test_the_manager_pauses_and_resumes_by_id(manager):
    with Gate() as gate:
        flow, state = held(gate)
        manager.pause(state.job_id, "by id", timeout=0.001)
        assert state.status == "pausing"
        manager.resume(state.job_id)
        assert state.status == "running"
        gate.open()
        assert done(flow, state).status == "completed"


def test_a_pause_whose_effects_fail_to_apply_is_no_pause(manager):
    """Control: a gate that is shut by the request alone stays shut, and the retry never comes."""
    attempts = []

    def act(routine):
        context = routine.get_execution_context()
        attempts.append(context.attempt)
        if context.attempt == 1:
            context.job_state.modify_shared_data("n", calls.pop)
            context.job.pause()

    again = ErrorHandler("retry", retry_delay=0)
    calls = {None: 1}
    flow = flow_of(a=Acting(act, retry=again))
    state = done(flow, flow.start("a"))
    assert (state.status, attempts) == ("completed", [1, 2])
    assert state.errors[0].type == "KeyError"


def test_a_monitor_may_pause_the_job_that_it_watches(manager):
    def watch(job, fact):
        if type(fact).__name__ == "ActivationCompleted" and fact.activation.routine_id == "a":
            job.pause("seen enough")

    flow = flow_of(
        a=Acting(lambda routine: routine.emit("out", n=1)), b=keep(), connect=[("a.out", "b.trigger")]
    )
    state = flow.execute("a", monitors=[watch])
    assert state.status == "paused"
    assert state.pause_points[0].reason == "seen enough"


def test_a_handler_of_an_inner_job_may_pause_the_outer(manager):
    """It asks and does not wait: the outer cannot stand still before the inner has returned."""

    def act(routine):
        outer = routine.get_execution_context().job

        @globals()["routine"]
        def ask():
            outer.pause("from within")

        inner = flow_of(ask=ask()).execute("ask")
        assert inner.status == "completed"
        routine.emit("out", n=1)

    flow = flow_of(a=Acting(act), b=keep(), connect=[("a.out", "b.trigger")])
    state = flow.execute("a")
    assert (state.status, len(state.pending_tasks)) == ("paused", 1)


# -- going on ------------------------------------------------------------------------------------------


def test_resume_returns_the_same_state_and_continues_what_was_pending(manager):
    flow = self_pausing()
    state = flow.execute("a")
    assert flow.resume(state) is state
    assert done(flow, state).status == "completed"
    assert state.results == {"b.output": [{"n": 1}]}
    assert [one.event_name for one in state.get_execution_history("a")] == ["start", "out", "completed"]


def test_a_paused_state_goes_on_in_another_manager(manager):
    flow = self_pausing()
    state = flow.execute("a")
    with JobManager(plugins=[sequential], discover=False):
        flow.resume(state)
        assert done(flow, state).status == "completed"


def test_a_job_resumes_itself_by_its_live_object(manager):
    jobs = []

    def act(routine):
        jobs.append(routine.get_execution_context().job)
        pausing(routine)

    flow = flow_of(a=Acting(act), b=keep(), connect=[("a.out", "b.trigger")])
    state = flow.execute("a")
    jobs[0].resume()
    assert jobs[0].wait(WAIT)
    assert state.status == "completed"


def test_pending_work_keeps_its_order(manager):
    seen = []

    def fan(routine):
        pausing(routine)
        for n in range(2, 6):
            routine.emit("out", n=n)

    flow = flow_of(
        a=Acting(fan), b=Acting(lambda routine, n: seen.append(n)), connect=[("a.out", "b.trigger")]
    )
    done(flow, flow.resume(flow.execute("a")))
    assert seen == [1, 2, 3, 4, 5]


def test_a_state_of_another_flow_is_refused(manager):
    state = self_pausing().execute("a")
    for use in (Flow("other").resume, Flow("other").pause, Flow("other").cancel, Flow("other").fork):
        with pytest.raises(FlowMismatch, match="belongs to flow 'flow'"):
            use(state)
    assert state.status == "paused"


def test_a_state_of_a_changed_flow_is_refused_with_the_differences(manager):
    flow = self_pausing()
    state = flow.execute("a")
    flow.add_routine(keep(), "c")
    flow.connect("b.output", "c.trigger", param_mapping={"n": "n"})
    with pytest.raises(FlowMismatch, match=r"routine c: .* is new.*connection b\.output -> c\.trigger"):
        flow.resume(state)
    assert state.status == "paused"


def test_a_changed_flow_goes_on_where_the_caller_accepts_it(manager):
    flow = self_pausing()
    state = flow.execute("a")
    flow.add_routine(keep(), "c")
    flow.connect("b.output", "c.trigger")
    assert done(flow, flow.resume(state, accept_changes=True)).results == {"c.output": [{"n": 1}]}


def test_work_for_a_slot_that_is_gone_is_refused_even_then(manager):
    state = self_pausing().execute("a")
    changed = flow_of(a=Acting(pausing))
    with pytest.raises(FlowMismatch, match=r"b\.trigger, which is gone"):
        changed.resume(state, accept_changes=True)
    assert state.status == "paused"


def test_configuration_and_code_are_no_differences(manager):
    flow, same = self_pausing(), self_pausing()
    state = flow.execute("a")
    same.routine("b").set_config(colour="red")
    assert done(same, same.resume(state)).status == "completed"


# -- deferred events -----------------------------------------------------------------------------------


def deferring(routine):
    for n in range(3):
        routine.emit_deferred_event("out", n=10 + n)
    routine.emit("out", n=0)
    routine.get_execution_context().job.pause()


def test_deferred_events_wait_for_the_resume_and_follow_what_was_pending(manager):
    seen = []
    flow = flow_of(
        a=Acting(deferring), b=Acting(lambda routine, n: seen.append(n)), connect=[("a.out", "b.trigger")]
    )
    state = flow.execute("a")
    assert [one["data"]["n"] for one in state.deferred_events] == [10, 11, 12]
    assert seen == []
    done(flow, flow.resume(state))
    assert seen == [0, 10, 11, 12]
    assert state.deferred_events == []


def test_deferred_events_that_are_left_stay_listed_with_a_warning_and_a_record(manager, caplog):
    def act(routine):
        routine.emit_deferred_event("out", n=1)

    state = flow_of(a=Acting(act)).execute("a")
    assert state.status == "completed"
    assert len(state.deferred_events) == 1
    last = state.execution_history[-1]
    assert (last.event_name, last.data) == ("deferred events left", {"count": 1})
    assert any("deferred" in record.message and record.levelname == "WARNING" for record in caplog.records)


def test_a_deferred_event_must_be_declared(manager):
    state = flow_of(a=Acting(lambda routine: routine.emit_deferred_event("outt"))).execute("a")
    assert state.errors[0].type == "UnknownEvent"


def test_a_deferred_event_added_from_outside_goes_out_too(manager):
    flow = self_pausing()
    state = flow.execute("a")
    state.add_deferred_event("a", "out", {"n": 9})
    assert done(flow, flow.resume(state)).results == {"b.output": [{"n": 1}, {"n": 9}]}


def test_an_event_that_does_not_exist_is_refused_where_it_is_added(manager):
    flow = self_pausing()
    state = flow.execute("a")
    with pytest.raises(UnknownRoutine, match="a, b"):
        state.add_deferred_event("nobody", "out", {"n": 9})
    with pytest.raises(UnknownEvent, match="did you mean 'out'"):
        state.add_deferred_event("a", "outt", {"n": 9})
    assert done(flow, flow.resume(state)).results["b.output"] == [{"n": 1}]


def test_a_deferred_event_that_is_gone_refuses_the_resume(manager):
    state = JobState("flow")
    state.add_deferred_event("nobody", "out")
    flow = self_pausing()
    flow.execute("a", job_state=state)
    with pytest.raises(FlowMismatch, match=r"nobody\.out, which is gone"):
        flow.resume(state)
    assert state.status == "paused"


# -- what waits for its time ---------------------------------------------------------------------------


def test_a_waiting_retry_is_pending_while_paused_and_keeps_its_time(clock, timed_manager):
    attempts, first = [], threading.Event()

    def act(routine):
        attempts.append(get_execution_context().attempt)
        first.set()
        if len(attempts) < 2:
            raise OSError("no disk")

    flow = flow_of(a=Acting(act))
    flow.set_error_handler(ErrorHandler("retry", retry_delay=60, jitter=False))
    with Gate() as retried:
        state = flow.start("a", monitors=[lambda job, fact: _at_retry(fact, retried)])
        retried.wait()
        retried.open()
    flow.pause(state, timeout=WAIT)
    (task,) = state.pending_tasks
    assert (state.status, task.attempt, task.due_at.timestamp()) == ("paused", 2, clock.time() + 60)
    clock.advance(30)
    flow.resume(state)
    clock.advance(29)
    assert attempts == [1]
    clock.advance(1)
    assert done(flow, state).status == "completed"
    assert attempts == [1, 2]


def _at_retry(fact, gate):
    if type(fact).__name__ == "ActivationRetried":
        gate.pass_through()


def test_a_retry_whose_time_came_while_paused_starts_at_the_resume(clock, timed_manager):
    attempts = []

    def act(routine):
        attempts.append(1)
        if len(attempts) < 2:
            raise OSError("no disk")

    flow = flow_of(a=Acting(act))
    flow.set_error_handler(ErrorHandler("retry", retry_delay=60, jitter=False))
    with Gate() as retried:
        state = flow.start("a", monitors=[lambda job, fact: _at_retry(fact, retried)])
        retried.wait()
        retried.open()
    flow.pause(state, timeout=WAIT)
    clock.advance(3600)
    assert len(attempts) == 1
    flow.resume(state)
    assert done(flow, state).status == "completed"


def test_a_half_full_timed_batch_survives_a_pause(clock, timed_manager):
    seen = []

    def act(routine):
        routine.emit("out", n=1)
        routine.emit("out", n=2)
        routine.get_execution_context().job.pause()

    flow = flow_of(
        a=Acting(act),
        b=Acting(lambda routine, n: seen.append(n), when=batch(5, seconds=60)),
        keeper=Acting(lambda routine: None),
        connect=[("a.out", "b.trigger")],
    )
    state = flow.execute("a")
    assert (state.status, seen) == ("paused", [])
    flow.resume(state)
    assert done(flow, state).status == "completed"
    assert seen == [[1, 2]]


def test_a_timed_batch_goes_when_its_time_has_come_after_a_pause(clock, timed_manager):
    """A held handler keeps the job from its end, so that only the alarm can let the batch go."""
    seen, let_go = [], threading.Event()

    def act(routine):
        routine.emit("out", n=1)
        routine.emit("out", n=2)
        routine.get_execution_context().job.pause()

    def gather(routine, n):
        seen.append(n)
        let_go.set()

    def fail(routine, n):
        raise OSError("no disk")

    flow = flow_of(
        a=Acting(act),
        b=Acting(gather, when=batch(5, seconds=60)),
        slow=Acting(
            fail, retry=ErrorHandler("retry", max_retries=1, retry_delay=600, jitter=False, max_delay=600)
        ),
        connect=[("a.out", "b.trigger"), ("a.out", "slow.trigger")],
    )
    state = flow.execute("a")
    assert seen == []
    with Gate() as retried:
        flow.resume(state)
        job = timed_manager.get_job(state.job_id)
        while len(state.errors) < 2:
            job.wait(0.001)
        clock.advance(60)
        assert let_go.wait(WAIT)
        retried.open()
    assert seen == [[1, 2]]
    flow.cancel(state)


def test_deferred_events_of_a_fresh_state_go_out_at_a_resume_only(manager):
    state = JobState("flow")
    state.add_deferred_event("a", "out", {"n": 5})
    flow = self_pausing()
    flow.execute("a", job_state=state)
    assert done(flow, flow.resume(state)).results == {"b.output": [{"n": 1}, {"n": 5}]}
