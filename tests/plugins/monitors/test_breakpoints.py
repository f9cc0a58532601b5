"""breakpoints: a job stands where it is told to, shows what it is at, goes on in steps, and loses nothing."""

import threading

import pytest

from routilux_core import (
    ErrorHandler,
    Flow,
    InvalidOption,
    JobManager,
    Monitor,
    get_execution_context,
    hookimpl,
    routine,
)
from routilux_plugins.executors import aio, pooled, process, sequential, threaded
from routilux_plugins.monitors import breakpoints as plugin
from routilux_plugins.monitors.breakpoints.monitor import Breakpoints
from tests.plugins.monitors.traced import traced

PLUGINS = [aio, pooled, process, sequential, threaded, plugin]
PATIENCE = 20


@pytest.fixture
def manager():
    with JobManager(plugins=PLUGINS, discover=False, settings={"max_workers": 4}) as made:
        yield made
        made.shutdown(wait=False)


@pytest.fixture
def points():
    return Breakpoints()


@routine
def numbers(count):
    for n in range(count):
        yield {"n": n}


@routine
def double(n):
    get_execution_context().job_state.modify_shared_data("doubled", lambda old: old + 1, 0)
    return {"n": 2 * n}


@routine(retry=ErrorHandler("continue"))
def ship(n):
    if n == 10:
        raise OSError("no truck")
    return {"n": n}


def flow(executor="pooled"):
    made = Flow("shipping", execution_strategy=executor)
    made.add_routine(numbers(), "numbers")
    made.add_routine(double(), "double")
    made.add_routine(ship(), "ship")
    made.connect("numbers.output", "double.trigger")
    made.connect("double.output", "ship.trigger")
    return made


def start(manager, points, count=4, executor="pooled"):
    return manager.start_job(flow(executor), "numbers", {"count": count}, monitors=[points])


def shipped(state):
    return sorted(payload["n"] for payload in state.results.get("ship.output", ()))


def test_a_pooled_job_stands_before_a_routine_shows_its_payload_and_state_and_goes_on(manager, points):
    """Everything that somebody does who looks at a job, done in another thread than the job's."""
    points.before("ship", when=lambda job, work: work.data["n"] == 4)
    state = start(manager, points)
    stop = points.wait(PATIENCE)
    assert (stop.activation.routine_id, stop.payload, stop.reason) == (
        "ship",
        {"n": 4},
        "before ship.trigger",
    )
    assert stop.state is state
    assert stop.state.shared_data["doubled"] >= 3
    assert {"n": 4} in [task.data for task in stop.state.pending_tasks if task.routine_id == "ship"]
    assert points.stops == (stop,)
    assert not stop.over

    following = stop.step(PATIENCE)
    assert stop.over
    assert 4 in shipped(state)
    while following is not None:
        following.go_on()
        following = points.wait(0)
    assert stop.job.wait(PATIENCE)
    assert (state.status, shipped(state)) == ("completed", [0, 2, 4, 6])
    assert points.stops == ()


class Asked(Monitor):
    """Knows when somebody wants to start the routine that is late."""

    def __init__(self):
        self.asked = threading.Event()

    @hookimpl
    def hold(self, activation):
        if activation.routine_id == "late":
            self.asked.set()
        return False


@pytest.mark.parametrize("executor", ["sequential", "threaded", "pooled", "asyncio"])
def test_nothing_starts_while_a_job_stands(manager, points, executor):
    """The control: once the job goes on, what had wanted to start does."""
    made, asked = flow(executor), Asked()
    made.add_routine(double(), "late")
    points.before("ship")
    state = manager.start_job(made, "numbers", {"count": 1}, monitors=[asked, points])
    stop = points.wait(PATIENCE)
    stop.job.post("late", n=7)
    assert asked.asked.wait(PATIENCE)
    assert "late" not in state.routine_states
    stop.go_on()
    assert stop.job.wait(PATIENCE)
    assert state.results["late.output"] == [{"n": 14}]
    assert shipped(state) == [0]


def test_it_stands_before_each_that_is_chosen(manager, points):
    points.before("ship")
    state = start(manager, points)
    stood = []
    while len(stood) < 4:
        stop = points.wait(PATIENCE)
        stood.append(stop.payload["n"])
        stop.go_on()
    assert stop.job.wait(PATIENCE)
    assert (sorted(stood), shipped(state)) == ([0, 2, 4, 6], [0, 2, 4, 6])


@pytest.mark.parametrize("executor", ["sequential", "threaded", "pooled", "asyncio", "process"])
def test_step_by_step_to_the_end(manager, points, executor):
    points.before("give" if executor == "process" else "numbers")
    if executor == "process":
        state = manager.start_job(traced(), "give", {"count": 2}, executor=executor, monitors=[points])
    else:
        state = start(manager, points, 2, executor)
    stop, steps = points.wait(PATIENCE), 0
    job = stop.job
    while stop is not None:
        stop, steps = stop.step(PATIENCE), steps + 1
    assert job.wait(PATIENCE)
    assert state.status == "completed"
    assert steps >= sum(one["activations"] for one in state.routine_states.values())


def test_it_stands_at_a_fact(manager, points):
    points.on("activation_failed", when=lambda job, fact: fact.activation.data["n"] == 10)
    state = start(manager, points, 8)
    stop = points.wait(PATIENCE)
    assert (stop.reason, stop.fact.error.message, stop.payload) == (
        "at activation_failed",
        "no truck",
        {"n": 10},
    )
    assert stop.activation is None
    stop.step(PATIENCE)
    for one in points.stops:
        one.go_on()
    assert stop.job.wait(PATIENCE)
    assert shipped(state) == [0, 2, 4, 6, 8, 12, 14]


def test_a_fact_that_comes_while_a_job_stands_is_stood_at_afterwards(manager, points):
    inside, gate = threading.Event(), threading.Event()

    @routine(retry=ErrorHandler("continue"))
    def fail():
        inside.set()
        assert gate.wait(PATIENCE)
        raise OSError("late")

    made, failed = flow(), threading.Event()
    made.add_routine(fail(), "fail")
    points.before("ship")
    points.on("activation_failed")
    watch = [points, lambda job, fact: failed.set() if fact.tag == "activation_failed" else None]
    state = manager.start_job(made, "fail", monitors=watch)
    assert inside.wait(PATIENCE)
    manager.post(state.job_id, "double", n=1)
    stop = points.wait(PATIENCE)
    gate.set()
    assert failed.wait(PATIENCE)
    stop.go_on()
    after = points.wait(PATIENCE)
    assert (stop.reason, after.reason) == ("before ship.trigger", "at activation_failed")
    after.go_on()
    assert after.job.wait(PATIENCE)
    assert shipped(state) == [2]


def test_a_fact_after_which_the_job_ends_can_be_looked_at(manager, points):
    points.on("event_emitted", when=lambda job, fact: fact.routine_id == "ship")
    state = start(manager, points, 1)
    stop = points.wait(PATIENCE)
    assert (stop.payload, stop.fact.event) == ({"n": 0}, "output")
    stop.go_on()
    assert stop.job.wait(PATIENCE)
    assert (stop.over, stop.state.status) == (True, "completed")
    assert shipped(state) == [0]


def test_a_slot_may_be_named(manager, points):
    points.before("ship.trigger")
    points.before("ship.other")
    start(manager, points, 1)
    stop = points.wait(PATIENCE)
    assert stop.payload == {"n": 0}
    stop.go_on()
    assert stop.job.wait(PATIENCE)


def test_each_attempt_is_stopped(manager, points):
    attempts = []

    @routine(retry=ErrorHandler("retry", max_retries=1, retry_delay=0))
    def fail():
        attempts.append(get_execution_context().attempt)
        if len(attempts) == 1:
            raise OSError("once")

    made = Flow("trying", execution_strategy="pooled")
    made.add_routine(fail(), "fail")
    points.before("fail")
    manager.start_job(made, "fail", monitors=[points])
    for attempt in (1, 2):
        stop = points.wait(PATIENCE)
        assert stop.activation.attempt == attempt
        stop.go_on()
    assert stop.job.wait(PATIENCE)


def test_what_is_looked_at_is_a_copy(manager, points):
    points.before("ship", when=lambda job, work: work.data.clear() or True)
    state = start(manager, points, 1)
    stop = points.wait(PATIENCE)
    stop.payload.clear()
    stop.go_on()
    assert stop.job.wait(PATIENCE)
    assert shipped(state) == [0]


def test_a_breakpoint_is_taken_back(manager, points):
    first, other = points.before("ship"), points.before("double")
    points.clear(other)
    state = start(manager, points)
    stop = points.wait(PATIENCE)
    assert stop.activation.routine_id == "ship"
    points.clear(first)
    stop.go_on()
    assert stop.job.wait(PATIENCE)
    assert shipped(state) == [0, 2, 4, 6]


def test_two_jobs_stand_each_for_itself(manager, points):
    points.before("ship", when=lambda job, work: work.data["n"] == 0)
    states = [start(manager, points, 3) for _ in range(2)]
    stops = [points.wait(PATIENCE) for _ in range(2)]
    assert {stop.job.job_id for stop in stops} == {state.job_id for state in states}
    stops[0].go_on()
    assert stops[0].job.wait(PATIENCE)
    assert not stops[1].over
    stops[1].go_on()
    assert stops[1].job.wait(PATIENCE)
    assert [shipped(state) for state in states] == [[0, 2, 4]] * 2


def test_waiting_ends_when_the_time_is_up(points):
    assert points.wait(0.01) is None


@pytest.mark.parametrize("status", ["cancelled", "paused"])
def test_a_job_that_ends_meanwhile_is_let_go(manager, points, status):
    points.before("ship", when=lambda job, work: work.data["n"] == 0)
    made = flow()
    state = manager.start_job(made, "numbers", {"count": 3}, monitors=[points])
    stop = points.wait(PATIENCE)
    manager.cancel(state.job_id) if status == "cancelled" else manager.pause(state.job_id)
    assert (state.status, stop.over, points.stops) == (status, True, ())
    stop.go_on()
    assert stop.step(0) is None
    if status == "paused":
        manager.resume(state.job_id)
        again = points.wait(PATIENCE)
        assert again.payload == {"n": 0}
        again.go_on()
        assert again.job.wait(PATIENCE)
        assert shipped(state) == [0, 2, 4]


def test_a_step_whose_job_is_cancelled_ends(manager, points):
    inside, gate = threading.Event(), threading.Event()

    @routine
    def wait():
        inside.set()
        assert gate.wait(PATIENCE)

    made = Flow("waiting", execution_strategy="pooled")
    made.add_routine(wait(), "wait")
    points.before("wait")
    state = manager.start_job(made, "wait", monitors=[points])
    stop, found = points.wait(PATIENCE), []
    stepping = threading.Thread(target=lambda: found.append(stop.step(PATIENCE)))
    stepping.start()
    assert inside.wait(PATIENCE)
    manager.cancel(state.job_id)
    stepping.join(PATIENCE)
    gate.set()
    assert found == [None]


def test_a_condition_that_raises_is_said_once_and_stops_nothing(manager, points, caplog):
    points.before("ship", when=lambda job, work: work.data["price"] > 3)
    state = start(manager, points)
    job = manager.get_job(state.job_id)
    assert job is None or job.wait(PATIENCE)
    assert shipped(state) == [0, 2, 4, 6]
    (record,) = [record for record in caplog.records if record.name == "routilux.breakpoints"]
    assert "the condition of the breakpoint before ship raised" in record.getMessage()


def test_a_job_that_nobody_looks_at_says_that_it_stands(manager, points, caplog):
    said = threading.Event()
    caplog.handler.addFilter(lambda record: said.set() or True)
    points.before("ship")
    state = start(manager, points, 1)
    assert said.wait(PATIENCE)
    (record,) = [record for record in caplog.records if record.name == "routilux.breakpoints"]
    assert record.getMessage().startswith(f"job {state.job_id} stands still before ship.trigger; wait()")
    assert "held back" in manager.get_job(state.job_id).explain()
    points.wait(PATIENCE).go_on()


def test_it_is_switched_on_by_settings():
    settings = {"monitors": {"breakpoints": {"before": ["ship"], "on": ["activation_failed"]}}}
    with JobManager(plugins=PLUGINS, discover=False, settings=settings) as manager:
        points = manager.monitors["breakpoints"]
        state = manager.start_job(flow(), "numbers", {"count": 6})
        reasons = []
        while len(reasons) < 7:
            stop = points.wait(PATIENCE)
            reasons.append(stop.reason)
            stop.go_on()
        assert stop.job.wait(PATIENCE)
    assert sorted(reasons) == ["at activation_failed", *["before ship.trigger"] * 6]
    assert shipped(state) == [0, 2, 4, 6, 8]


@pytest.mark.parametrize("tag", ["activation_fails", "job_completed", "job_paused"])
def test_a_fact_after_which_nothing_follows_is_refused(points, tag):
    with pytest.raises(InvalidOption, match=rf"on cannot be '{tag}'; it takes a kind of fact after which"):
        points.on(tag)


@pytest.mark.parametrize("seed", range(5))
def test_nothing_is_lost_however_it_goes_on(manager, seed):
    """Stops at many places, steps and goes on by turns, with four workers."""
    points = Breakpoints()
    points.before("double", when=lambda job, work: (work.id + seed) % 3 == 0)
    points.before("ship", when=lambda job, work: (work.id + seed) % 4 == 0)
    points.on("event_emitted", when=lambda job, fact: fact.number % 17 == seed)
    state = start(manager, points, 60)
    job, turns = manager.get_job(state.job_id), 0
    while job.is_running:
        stop = points.wait(0.05)
        while stop is not None:
            turns += 1
            if (turns + seed) % 3:
                stop.go_on()
                stop = None
            else:
                stop = stop.step(PATIENCE)
    assert turns > 20
    assert shipped(state) == [2 * n for n in range(60) if n != 5]
