"""`job.explain()`: each reason for a job not to move is said in words."""

import threading

from routilux_core import (
    ErrorHandler,
    Flow,
    JobManager,
    Routine,
    batch,
    get_execution_context,
    hookimpl,
    routine,
)
from routilux_plugins.executors import sequential
from tests.core.gate import WAIT, Gate
from tests.core.pool import Pool


@routine
def keep(n):
    return {"n": n}


class Acting(Routine):
    def __init__(self, function, **options):
        super().__init__()
        self.function = function
        self.define_slot("trigger", self.act, **options)
        self.define_event("out")

    def act(self, **data):
        self.function(self, **data)


def held(manager, gate, flow=None, **options):
    flow = flow or Flow("flow")
    flow.add_routine(Acting(lambda routine: gate.pass_through(), **options), "a")
    flow.add_routine(keep(), "b")
    job = manager.get_job(flow.start("a").job_id)
    gate.wait()
    return flow, job


def lines(job):
    return job.explain().split("\n")


def test_it_begins_with_what_the_job_is(manager):
    with Gate() as gate:
        _, job = held(manager, gate)
        assert lines(job)[0] == f"job {job.job_id} of flow flow is running"


def test_it_names_the_handlers_that_run(manager):
    with Gate() as gate:
        _, job = held(manager, gate)
        assert any(line.startswith("a.trigger has been running since ") for line in lines(job))


def test_it_counts_what_is_ready_and_says_why_it_waits(manager):
    with Gate() as gate:
        _, job = held(manager, gate)
        for n in range(3):
            job.post("b", n=n)
        assert "3 activations are ready; as many run as may" in lines(job)


def test_it_says_that_no_worker_has_come(manager):
    """The one thread of the executor is held by another job."""
    with Gate() as gate:
        held(manager, gate)
        other = Flow("other")
        other.add_routine(keep(), "a")
        job = manager.get_job(other.start("a", {"n": 1}).job_id)
        assert "1 activations are ready; executor Sequential has not taken them yet" in lines(job)


def test_it_says_that_the_job_is_about_to_pause(manager):
    with Gate() as gate:
        flow, job = held(manager, gate)
        job.post("b", n=1)
        flow.pause(job.job_state, timeout=0.001)
        assert "it will pause when the running handlers have returned" in lines(job)
        assert "1 activations are ready and the gate is shut" in lines(job)


def test_it_says_why_a_job_was_paused(manager):
    jobs = []

    def act(routine):
        jobs.append(routine.get_execution_context().job)
        jobs[0].pause("for lunch")
        routine.emit_deferred_event("out", n=1)

    flow = Flow("flow")
    flow.add_routine(Acting(act), "a")
    flow.execute("a")
    assert "it was paused (for lunch); resume it to go on" in lines(jobs[0])
    assert "1 deferred events wait for a resume" in lines(jobs[0])


def test_it_says_that_no_reason_was_given(manager):
    with Gate() as gate:
        flow, job = held(manager, gate)
        flow.pause(job.job_state, timeout=0.001)
        gate.open()
        assert job.wait(WAIT)
    assert "it was paused (no reason given); resume it to go on" in lines(job)


def test_it_says_when_a_retry_comes(clock, timed_manager):
    retried = threading.Event()

    def fail(routine):
        raise OSError("no disk")

    def watch(job, fact):
        if type(fact).__name__ == "ActivationRetried":
            retried.set()

    flow = Flow("flow")
    flow.add_routine(Acting(fail, retry=ErrorHandler("retry", retry_delay=60, jitter=False)), "a")
    job = timed_manager.get_job(flow.start("a", monitors=[watch]).job_id)
    assert retried.wait(WAIT)
    due = job.job_state.pending_tasks[0].due_at
    assert f"a.trigger waits for attempt 2 of 4 at {due:%H:%M:%S} UTC" in lines(job)


def test_it_says_what_is_held_back():
    class Holding:
        @hookimpl
        def hold(self, job, activation):
            return activation.routine_id == "b"

    with JobManager(plugins=[sequential, Holding()], discover=False) as manager, Gate() as gate:
        parked = threading.Event()
        _, job = held(manager, gate)
        job.post("b", n=1)
        (number,) = [number for number in job.data.activations if number not in job.data.running]
        gate.open()
        while not job.parked:
            parked.wait(0.001)
        wanted = f"b.trigger is held back by a plugin; release({number}) lets it go on"
        assert wanted in lines(job)
        job.release(number)
        assert job.wait(WAIT)


def test_it_says_that_a_generator_waits_for_room():
    said = []

    @routine
    def count():
        yield {"n": 1}
        yield {"n": 2}

    def look(routine, n):
        said.append(get_execution_context().job.explain())

    with JobManager(plugins=[sequential], discover=False, settings={"max_ready": 1}):
        flow = Flow("flow")
        flow.add_routine(count(), "a")
        flow.add_routine(Acting(look), "b")
        flow.connect("a.output", "b.trigger")
        flow.execute("a")
    assert "1 generators wait until fewer than 1 activations are ready" in said[0]


def test_it_says_what_a_policy_holds(manager):
    with Gate() as gate:
        flow = Flow("flow")
        flow.add_routine(Acting(lambda routine, n: None, when=batch(5)), "c")
        _, job = held(manager, gate, flow)
        job.post("c", n=1)
        job.post("c", n=2)
        assert "2 payloads wait in c.trigger for its policy" in lines(job)


def test_it_says_that_a_job_is_about_to_fail():
    """Two handlers run; one has failed, the other has not returned yet."""
    with JobManager(executor=Pool(), discover=False) as manager, Gate() as gate:
        failed = threading.Event()

        def fail(routine):
            raise OSError("no disk")

        def watch(job, fact):
            if type(fact).__name__ == "ActivationFailed":
                failed.set()

        flow = Flow("flow")
        flow.add_routine(Acting(lambda routine: gate.pass_through()), "a")
        flow.add_routine(Acting(fail), "b")
        job = manager.get_job(flow.start("a", monitors=[watch]).job_id)
        gate.wait()
        job.post("b")
        assert failed.wait(WAIT)
        wanted = "it will fail when the running handlers have returned: OSError: no disk in b.trigger"
        assert wanted in lines(job)
        gate.open()
        assert job.wait(WAIT)


def test_it_says_how_a_job_ended_and_what_is_left(manager):
    jobs = []

    def fail(routine):
        jobs.append(routine.get_execution_context().job)
        routine.get_execution_context().job.post("a")
        raise OSError("no disk")

    flow = Flow("flow")
    flow.add_routine(Acting(fail), "a")
    state = flow.execute("a")
    first, second, third = lines(jobs[0])
    assert first == f"job {state.job_id} of flow flow is failed"
    assert second.startswith(f"it ended at {state.updated_at:%Y-%m-%d %H:%M:%S} UTC: OSError: no disk")
    assert third == "2 activations were not run; fork it to go on from there"


def test_a_completed_job_leaves_nothing_to_say(manager):
    with Gate() as gate:
        _, job = held(manager, gate)
        gate.open()
        assert job.wait(WAIT)
    assert len(lines(job)) == 2
    assert "completed" in lines(job)[0]
