"""Waiting for jobs: from outside, inside handlers, and for jobs that cannot end before the waiter does."""

import threading

from routilux_core import Flow, InsideJob, Routine, get_execution_context, routine
from tests.core.gate import WAIT, Gate


@routine
def keep(n):
    return {"n": n}


class Acting(Routine):
    def __init__(self, function):
        super().__init__()
        self.function = function
        self.define_slot("trigger", self.act)
        self.define_event("out")

    def act(self, **data):
        self.function(self, **data)


def acting(function, flow_id=None):
    flow = Flow(flow_id)
    flow.add_routine(Acting(function), "a")
    return flow


def keeping():
    flow = Flow("keeping")
    flow.add_routine(keep(), "a")
    flow.add_routine(keep(), "b")
    flow.connect("a.output", "b.trigger")
    return flow


# -- from outside --------------------------------------------------------------------------------------


def test_a_wait_returns_whether_the_job_is_over(manager):
    with Gate() as gate:
        flow = acting(lambda routine: gate.pass_through())
        job = manager.get_job(flow.start("a").job_id)
        assert job.wait(0.001) is False
        assert job.is_running
        gate.open()
        assert job.wait(WAIT) is True
        assert not job.is_running
        assert job.wait() is True


def test_a_paused_job_counts_as_waited_for(manager):
    with Gate() as gate:

        def act(routine):
            routine.get_execution_context().job.pause()
            gate.pass_through()

        flow = acting(act)
        job = manager.get_job(flow.start("a").job_id)
        gate.open()
        assert job.wait(WAIT) is True
        assert job.status == "paused"


def test_many_may_wait_for_one_job(manager):
    ended = []
    with Gate() as gate:
        flow = acting(lambda routine: gate.pass_through())
        job = manager.get_job(flow.start("a").job_id)
        waiters = [threading.Thread(target=lambda: ended.append(job.wait(WAIT))) for _ in range(8)]
        for waiter in waiters:
            waiter.start()
        gate.open()
        for waiter in waiters:
            waiter.join(WAIT)
    assert ended == [True] * 8


def test_waiting_for_a_flow_leaves_other_flows_alone(manager):
    with Gate() as gate:
        held = acting(lambda routine: gate.pass_through())
        held.start("a")
        assert keeping().wait_for_completion(0.001) is True
        assert held.wait_for_completion(0.001) is False


# -- inside handlers -----------------------------------------------------------------------------------


def test_a_nested_execute_works_on_one_worker(manager):
    def act(routine, n):
        routine.emit("out", **keeping().execute("a", {"n": n}).results["b.output"][0])

    flow = acting(act)
    state = flow.start("a", {"n": 7})
    assert flow.wait_for_completion(WAIT)
    assert state.results == {"a.out": [{"n": 7}]}


def test_executes_nest_deeply(manager):
    def act(routine, depth):
        if depth:
            inner = acting(act).execute("a", {"depth": depth - 1}, raise_on_error=True)
            depth = inner.results["a.out"][0]["depth"] + 1
        routine.emit("out", depth=depth)

    assert acting(act).execute("a", {"depth": 20}).results == {"a.out": [{"depth": 20}]}


def test_a_handler_starts_a_job_and_waits_for_it(manager):
    """Control: a wait that only sleeps never ends, as the one worker is the one that waits."""

    def act(routine):
        inner = keeping().start("a", {"n": 3})
        job = routine.get_execution_context().manager.get_job(inner.job_id)
        if job is not None:
            job.wait()
        routine.emit("out", status=str(inner.status), results=dict(inner.results))

    flow = acting(act)
    state = flow.start("a")
    assert flow.wait_for_completion(WAIT)
    assert state.results == {"a.out": [{"status": "completed", "results": {"b.output": [{"n": 3}]}}]}


def test_a_handler_waits_for_all_jobs_but_its_own(manager):
    done = []

    def act(routine):
        inner = keeping()
        states = [inner.start("a", {"n": n}) for n in range(3)]
        assert inner.wait_for_completion()
        assert routine.get_execution_context().manager.wait_for_all_jobs()
        done.extend(str(state.status) for state in states)

    flow = acting(act)
    flow.start("a")
    assert flow.wait_for_completion(WAIT)
    assert done == ["completed"] * 3


def test_a_wait_inside_a_handler_may_time_out(manager):
    seen = []
    with Gate() as gate:
        held = acting(lambda routine: gate.pass_through())
        state = held.start("a")
        gate.wait()
        job = manager.get_job(state.job_id)
        acting(lambda routine: seen.append(job.wait(0.001))).execute("a")
    assert seen == [False]


def test_the_context_is_the_own_one_again_after_an_inner_job(manager):
    def act(routine):
        before = get_execution_context()
        keeping().execute("a", {"n": 1})
        assert get_execution_context() is before
        routine.emit("out", who=get_execution_context().routine_id)

    assert acting(act).execute("a").results == {"a.out": [{"who": "a"}]}


def test_what_the_inner_does_stays_when_the_outer_fails(manager):
    inner_states = []

    def act(routine):
        inner_states.append(keeping().execute("a", {"n": 1}))
        raise OSError("no disk")

    assert acting(act).execute("a").status == "failed"
    assert inner_states[0].status == "completed"


# -- that cannot end -----------------------------------------------------------------------------------


def test_a_handler_cannot_wait_for_its_own_job(manager):
    state = acting(lambda routine: routine.get_execution_context().job.wait()).execute("a")
    assert state.errors[0].type == "InsideJob"


def test_a_handler_cannot_wait_for_the_job_around_its_own(manager):
    def act(routine):
        outer = routine.get_execution_context().job
        state = acting(lambda _: outer.wait()).execute("a")
        routine.emit("out", error=state.errors[0].type)

    assert acting(act).execute("a").results == {"a.out": [{"error": "InsideJob"}]}


def test_two_jobs_cannot_wait_for_each_other(manager):
    """Each of the two handlers waits for the other's job; the one that comes second is refused."""
    jobs, ready, errors = {}, threading.Barrier(2), []

    def act(routine, me, other):
        jobs[me] = routine.get_execution_context().job
        ready.wait(WAIT)
        try:
            jobs[other].wait()
        except InsideJob as error:
            errors.append(str(error))

    def run(me, other):
        manager.execute(acting(act), "a", {"me": me, "other": other})

    threads = [threading.Thread(target=run, args=pair) for pair in (("x", "y"), ("y", "x"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT)
    assert len(errors) == 1
    assert "cannot end before" in errors[0]


# -- cancelling ----------------------------------------------------------------------------------------


def test_cancelling_the_outer_cancels_the_inner(manager):
    inner_states = []
    with Gate() as gate:
        held = acting(lambda routine: gate.pass_through(), "inner")

        def act(routine):
            inner_states.append(held.start("a"))
            held.wait_for_completion()

        flow = acting(act, "outer")
        state = flow.start("a")
        gate.wait()
        flow.cancel(state)
        assert state.status == "cancelled"
        assert inner_states[0].status == "cancelled"


def test_an_outer_job_that_fails_cancels_what_it_had_started(manager):
    inner_states = []
    with Gate() as gate:
        held = acting(lambda routine: gate.pass_through(), "inner")

        def act(routine):
            inner_states.append(held.start("a"))
            raise OSError("no disk")

        assert acting(act, "outer").execute("a").status == "failed"
        assert inner_states[0].status == "cancelled"


def test_an_outer_job_that_completes_lets_the_inner_go_on(manager):
    inner_states = []

    def act(routine):
        inner_states.append(keeping().start("a", {"n": 1}))

    assert acting(act).execute("a").status == "completed"
    assert manager.wait_for_all_jobs(WAIT)
    assert inner_states[0].status == "completed"
