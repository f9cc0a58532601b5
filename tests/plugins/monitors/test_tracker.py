"""tracker: its figures are those of the facts, for routines, flows and jobs, whoever asks and when."""

import random
import threading

import pytest

from routilux_core import Flow, InvalidOption, JobManager, UnknownName, get_execution_context, routine
from routilux_plugins.executors import pooled, sequential
from routilux_plugins.monitors import tracker as plugin
from routilux_plugins.monitors.tracker.durations import Durations
from routilux_plugins.monitors.tracker.settings import TrackerSettings
from routilux_plugins.monitors.tracker.tracker import Tracker
from tests.plugins.monitors.shop import shop


@pytest.fixture
def tracker(manager):
    return Tracker()


def test_a_routine_is_counted_over_all_jobs(tracker):
    for items in ([1, 2, 4], [2, 4]):
        shop().execute("order", {"items": items}, monitors=[tracker])
    ship, bill = (tracker.get_routine_performance(name) for name in ("ship", "bill"))
    assert (ship.count, ship.completed, ship.failed, ship.retries, ship.success_rate) == (5, 5, 0, 1, 1.0)
    assert (bill.count, bill.completed, bill.failed, bill.retries, bill.success_rate) == (5, 3, 2, 0, 0.6)


def test_how_long_a_routine_took_is_what_the_facts_say(tracker):
    state = shop().execute("order", {"items": range(50)}, monitors=[tracker])
    taken = [fact.seconds for fact in state.facts if fact.tag == "activation_completed"]
    spread = tracker.get_job_performance(state.job_id).activations.seconds
    assert (spread.minimum, spread.maximum) == (min(taken), max(taken))
    assert spread.total == pytest.approx(sum(taken))
    assert spread.average == pytest.approx(sum(taken) / len(taken))


def test_a_flow_is_counted_by_how_its_jobs_end(tracker, manager):
    flow = shop()
    for items in ([0], [0], [0, 3]):
        flow.execute("order", {"items": items}, monitors=[tracker])
    state = flow.start("order", {"items": []}, monitors=[tracker])
    flow.wait_for_completion(20)
    assert state.status == "completed"
    found = tracker.get_flow_performance("shop")
    assert (found.count, found.completed, found.failed, found.cancelled) == (4, 3, 1, 0)
    assert (found.running, found.success_rate) == (0, 0.75)
    assert found.routines["ship"].count == found.activations.count - found.routines["order"].count - (
        found.routines["bill"].count + found.routines["check"].count
    )
    assert found.seconds.minimum <= found.seconds.p50 <= found.seconds.maximum


def test_flows_are_kept_apart(tracker):
    shop("one").execute("order", {"items": [0]}, monitors=[tracker])
    shop("two").execute("order", {"items": [0, 4]}, monitors=[tracker])
    assert set(tracker.flows) == {"one", "two"}
    assert tracker.get_routine_performance("ship", "one").count == 1
    assert tracker.get_routine_performance("ship", "two").count == 2
    assert tracker.get_routine_performance("ship").count == 3


def test_a_running_job_counts_with_what_it_has_done(tracker, manager):
    inside, gate = threading.Event(), threading.Event()

    @routine
    def give():
        yield {"n": 0}
        yield {"n": 1}

    @routine
    def wait(n):
        if n:
            inside.set()
            assert gate.wait(20)

    flow = Flow("waiting")
    flow.add_routine(give(), "give")
    flow.add_routine(wait(), "wait")
    flow.connect("give.output", "wait.trigger")
    state = flow.start("give", monitors=[tracker])
    assert inside.wait(20)
    found = tracker.get_flow_performance("waiting")
    assert (found.running, found.count, found.routines["wait"].count) == (1, 0, 1)
    assert tracker.get_job_performance(state.job_id).status == "running"
    gate.set()
    assert flow.wait_for_completion(20)


def test_a_pause_does_not_count_as_time(timed_manager, clock):
    tracker = Tracker()

    @routine
    def step(n):
        clock.advance(10)
        if n:
            get_execution_context().job.pause()

    flow = Flow("stepping")
    flow.add_routine(step(), "step")
    state = flow.execute("step", {"n": 1}, monitors=[tracker])
    assert tracker.get_job_performance(state.job_id).status == "paused"
    clock.advance(1000)
    flow.resume(state)
    assert flow.wait_for_completion(20)
    found = tracker.get_job_performance(state.job_id)
    assert (found.status, found.seconds) == ("completed", 10)
    assert tracker.get_flow_performance("stepping").seconds.total == 10


def test_jobs_that_are_over_are_remembered_up_to_a_number(manager):
    tracker, flow = Tracker(jobs=2), shop()
    states = [flow.execute("order", {"items": [0]}, monitors=[tracker]) for _ in range(4)]
    with pytest.raises(UnknownName):
        tracker.get_job_performance(states[1].job_id)
    assert tracker.get_job_performance(states[2].job_id).routines["ship"].count == 1
    assert tracker.get_flow_performance("shop").count == 4


def test_jobs_of_which_facts_were_dropped_count_all_the_same():
    """The control: a queue that is full for the last facts of a job leaves it running for ever."""
    settings = {"monitors": {"tracker": {"queue": 1}}}
    with JobManager(plugins=[sequential, plugin], discover=False, settings=settings) as manager:
        for _ in range(5):
            manager.execute(shop(), "order", {"items": range(4, 40)})
        tracker = manager.monitors["tracker"]
    assert manager.monitors.dropped["tracker"]
    performance = tracker.get_flow_performance("shop")
    assert (performance.count, performance.running) == (5, 0)


def test_what_it_does_not_know_is_an_error_that_says_what_it_knows(tracker):
    shop().execute("order", {"items": [0]}, monitors=[tracker])
    with pytest.raises(UnknownName, match=r"nothing is named 'shp'; there is: .*did you mean 'ship'"):
        tracker.get_routine_performance("shp")
    with pytest.raises(UnknownName, match=r"did you mean 'shop'"):
        tracker.get_flow_performance("shp")


def test_many_jobs_at_once_lose_no_count():
    """The control of counting in one place: jobs of four workers, counted together."""
    settings = {"monitors": ["tracker"], "max_workers": 4}
    with JobManager(plugins=[sequential, pooled, plugin], discover=False, settings=settings) as manager:
        flow = shop()
        flow.set_execution_strategy("pooled")
        states = [manager.start_job(flow, "order", {"items": range(4, 24)}) for _ in range(20)]
        assert manager.wait_for_all_jobs(20)
        tracker = manager.monitors["tracker"]
    assert {str(state.status) for state in states} == {"completed"}
    assert tracker.get_flow_performance("shop").count == 20
    assert tracker.get_routine_performance("ship").count == 400


def test_its_settings_are_options():
    settings = {"monitors": {"tracker": {"jobs": 5}}}
    with JobManager(plugins=[sequential, plugin], discover=False, settings=settings) as manager:
        assert isinstance(manager.monitors["tracker"], Tracker)


@pytest.mark.parametrize("percent", [1, 10, 50, 90, 99])
@pytest.mark.parametrize("scale", [1e-6, 1e-3, 1.0, 3600.0])
def test_a_percentile_is_right_within_three_percent(percent, scale):
    dice = random.Random(percent)  # noqa: S311 - it is to be the same each time
    values = [dice.expovariate(1) * scale for _ in range(5000)]
    durations = Durations()
    for value in values:
        durations.add(value)
    wanted = sorted(values)[len(values) * percent // 100]
    assert durations.percentile(percent) == pytest.approx(wanted, rel=0.035)


def test_durations_too_short_for_the_clock_count():
    durations = Durations()
    for value in (0.0, 0.0, 0.0, 5.0):
        durations.add(value)
    assert durations.percentile(50) == pytest.approx(0.0, abs=1e-8)
    assert (durations.percentile(100), durations.least) == (5.0, 0.0)


def test_no_durations_are_zero():
    assert (Durations().percentile(50), Durations().average) == (0.0, 0.0)


def test_a_number_of_jobs_below_none_is_refused():
    with pytest.raises(InvalidOption, match="jobs cannot be -1; it takes a whole number from 0 up"):
        TrackerSettings(jobs=-1)
