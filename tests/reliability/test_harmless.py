"""Monitors that raise, sleep, hang or change what they are given harm no job: its results and its speed."""

import logging
import os
import threading
from itertools import pairwise
from time import perf_counter, sleep

import pytest

from routilux_core import Flow, JobManager, Monitor, MonitorQueue, hookimpl, routine
from routilux_core.fact_view import VIEWS
from routilux_plugins.executors import aio, pooled, process, sequential, threaded
from tests.benchmarks.flows import chain
from tests.benchmarks.measure import Case, measure
from tests.reliability.watched import results, work

EXECUTORS = ["sequential", "threaded", "pooled", "asyncio", "process"]
PLUGINS = [aio, pooled, process, sequential, threaded]
ROUNDS = int(os.environ.get("TEST_ROUNDS", "8"))
"""How often speed is measured."""
SLOWER = 1.10
"""How much longer a job may take with a monitor that has a queue, whatever that does."""
PATIENCE = 20.0


class Raising(Monitor):
    def __init__(self):
        self.calls = 0

    def on_fact(self, job, fact):
        self.calls += 1
        raise OSError("no disk")


class Sleeping(Monitor):
    def on_fact(self, job, fact):
        sleep(0.002)


class Hanging(Monitor):
    def __init__(self):
        self.gate = threading.Event()

    def on_fact(self, job, fact):
        self.gate.wait()


class Computing(Monitor):
    def on_fact(self, job, fact):
        sum(range(2000))


class Changing(Monitor):
    """Changes whatever it can get hold of."""

    def __init__(self):
        self.refused = 0

    def on_fact(self, job, fact):
        self.change(fact)

    def change(self, thing):
        for name in ("data", "payload", "update", "metadata", "value", "entry"):
            self.spoil(getattr(thing, name, None))
        for name in (
            "activation",
            "follows",
            "activations",
            "data",
            "routine_id",
            "number",
            "error",
            "seconds",
        ):
            inner = getattr(thing, name, None)
            for one in inner if isinstance(inner, tuple) else (inner,):
                if hasattr(one, "routine_id") and hasattr(one, "attempt"):
                    self.spoil(getattr(one, "data", None))
            try:
                setattr(thing, name, None)
            except AttributeError:
                self.refused += 1

    def spoil(self, value):
        if isinstance(value, dict):
            for inner in value.values():
                self.spoil(inner)
            value.clear()
            value["n"] = "spoilt"
        elif isinstance(value, list):
            for inner in value:
                self.spoil(inner)
            value.append("spoilt")


class Meddling(Changing):
    """Does so in its hooks too, for which a job waits."""

    @hookimpl
    def hold(self, activation):
        self.change(activation)

    @hookimpl
    def around_activation(self, activation):
        self.change(activation)


QUEUED = [Raising, Sleeping, Hanging, Changing]
BAD = [*QUEUED, Meddling]


@pytest.fixture(scope="module")
def manager():
    with JobManager(plugins=PLUGINS, discover=False, settings={"max_workers": 3}) as made:
        yield made


@pytest.fixture
def hanging():
    """Lets the hanging ones go at the end."""
    made = []
    yield made
    for monitor in made:
        if isinstance(monitor, Hanging):
            monitor.gate.set()


def run(manager, executor, *monitors):
    state = manager.execute(work(), "items", {"count": 20}, executor=executor, monitors=monitors)
    state.raise_for_status()
    return state


def messages(caplog):
    return [record.getMessage() for record in caplog.records if record.name == "routilux.monitor"]


# -- results -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("kind", [Raising, Sleeping, Changing, Meddling], ids=lambda kind: kind.__name__)
def test_results_stay_the_same(manager, executor, kind):
    alone, watched = run(manager, executor), run(manager, executor, kind())
    assert results(watched) == results(alone)
    assert [fact.data["n"] for fact in watched.facts if fact.tag == "event_emitted"]


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("kind", BAD, ids=lambda kind: kind.__name__)
def test_results_stay_the_same_with_a_queue(manager, executor, kind, hanging):
    hanging.append(kind())
    queue = MonitorQueue(hanging[0], size=50, patience=0)
    assert results(run(manager, executor, queue)) == results(run(manager, executor))


def test_a_monitor_that_is_given_the_facts_themselves_does_harm(manager, monkeypatch):
    """The control: without the views of facts, the same monitor changes what comes of a job."""
    views = dict(VIEWS)
    monkeypatch.setattr("routilux_core.observers.VIEWS", {kind: lambda fact: fact for kind in views})
    alone, state = (
        run(manager, "sequential"),
        manager.execute(work(), "items", {"count": 20}, executor="sequential", monitors=[Changing()]),
    )
    assert state.status != "completed" or results(state) != results(alone)


def test_what_a_monitor_changes_no_other_monitor_sees(manager):
    alone, seen = [], []

    def keep_in(kept):
        return lambda job, fact: kept.append(repr(getattr(fact, "data", None)))

    run(manager, "sequential", keep_in(alone))
    run(manager, "sequential", Changing(), keep_in(seen))
    assert sorted(seen) == sorted(alone)  # when an item is tried again is a matter of time


def test_nothing_can_be_set_on_what_a_monitor_is_given(manager):
    monitor = Changing()
    run(manager, "sequential", monitor)
    assert monitor.refused > 100


# -- the log and the counts ----------------------------------------------------------------------------


def test_one_that_raises_is_named_once_and_dropped_for_the_job(manager, caplog):
    """The others see everything; the control: the next job calls it again."""
    seen, monitor = [], Raising()
    state = run(manager, "pooled", monitor, lambda job, fact: seen.append(fact))
    assert monitor.calls == 1
    assert seen == list(state.facts)
    (text,) = messages(caplog)
    assert text == f"monitor 'Raising' raised at JobStarted of job {state.job_id} and is dropped for this job"
    run(manager, "pooled", monitor)
    assert monitor.calls == len(messages(caplog)) == 2


@pytest.mark.parametrize("kind", [Sleeping, Hanging], ids=lambda kind: kind.__name__)
def test_one_that_falls_behind_is_named_once_and_drops_are_counted(kind, hanging, caplog):
    monitor = kind()
    hanging.append(monitor)
    queue = MonitorQueue(monitor, size=10, patience=0.05)
    with JobManager(plugins=[*PLUGINS, queue], discover=False) as manager:
        states = [manager.execute(work(), "items", {"count": 100}) for _ in range(2)]
        (text,) = messages(caplog)
        dropped = manager.monitors.dropped[kind.__name__]
    assert f"monitor '{kind.__name__}' falls behind" in text
    facts = sum(len(state.facts) for state in states)
    assert facts // 2 < dropped < facts
    assert queue.dropped + queue.waiting <= facts


@pytest.mark.parametrize(("kind", "times"), [(Raising, 1), (Changing, 0)], ids=["Raising", "Changing"])
def test_with_a_queue_it_is_named_once_too_and_nothing_is_dropped(kind, times, caplog):
    queue = MonitorQueue(kind(), size=100_000, patience=PATIENCE)
    with JobManager(plugins=[*PLUGINS, queue], discover=False) as manager:
        state = manager.execute(work(), "items", {"count": 100})
        assert queue.wait(PATIENCE)
    assert queue.dropped == 0
    assert [state.job_id in text and f"'{kind.__name__}'" in text for text in messages(caplog)] == [
        True
    ] * times


def test_a_manager_with_a_hanging_monitor_shuts_down(hanging, caplog):
    monitor = Hanging()
    hanging.append(monitor)
    manager = JobManager(plugins=[*PLUGINS, MonitorQueue(monitor, patience=0.1)], discover=False)
    manager.execute(work(), "items", {"count": 20})
    begin = perf_counter()
    manager.shutdown()
    assert perf_counter() - begin < 2
    assert "its thread is left behind" in messages(caplog)[-1]


# -- speed ---------------------------------------------------------------------------------------------


@routine
def compute(n):
    """Take a third of a millisecond, as many handlers do."""
    sum(range(20_000))
    return {"n": n}


def computing():
    flow = Flow("computing")
    ids = ["first", *(f"r{number}" for number in range(1, 100))]
    for routine_id in ids:
        flow.add_routine(compute(), routine_id)
    for source, target in pairwise(ids):
        flow.connect(source, "output", target, "trigger")
    return flow


def nothing(job, fact):
    """Watch, and do nothing."""


SPEED = {
    "handlers that do nothing, against a monitor that does nothing": (chain(1000), 4, [nothing]),
    "handlers that compute, against no monitor": (computing(), 3, []),
}
"""What is measured: a flow, how many jobs of it, and with which monitors beside the one with a queue."""


@pytest.fixture
def quiet():
    """Leaves unsaid what is not looked at."""

    def nobody(record):
        return False

    log = logging.getLogger("routilux.monitor")
    log.addFilter(nobody)
    yield
    log.removeFilter(nobody)


@pytest.mark.speed
@pytest.mark.parametrize("kind", [*QUEUED, Computing], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("case", SPEED)
def test_with_a_queue_a_job_keeps_its_speed(case, kind, hanging, quiet, tell):
    """In its best round, which other work disturbs least."""
    flow, jobs, others = SPEED[case]

    def timed(*monitors):
        begin = perf_counter()
        for _ in range(jobs):
            manager.execute(flow, "first", {"n": 1}, monitors=monitors)
        return perf_counter() - begin

    def with_it():
        hanging.append(kind())
        queue = MonitorQueue(hanging[-1], size=1000, patience=0)
        seconds = timed(queue)
        queue.close("measured", 0)
        return seconds

    with JobManager(plugins=PLUGINS, discover=False, executor="pooled") as manager:
        found = measure(Case(case, with_it, lambda: timed(*others), SLOWER), ROUNDS)
    tell(f"{case}, {kind.__name__}: {found.ratios[0]:.2f}, median {found.ratio:.2f}")
    assert found.ratios[0] <= SLOWER


@pytest.mark.speed
def test_without_a_queue_it_would_not(manager):
    """The control: the job waits for a monitor that sleeps."""
    flow = chain(20)

    def timed(*monitors):
        begin = perf_counter()
        manager.execute(flow, "first", {"n": 1}, monitors=monitors)
        return perf_counter() - begin

    found = measure(Case("sleeping", lambda: timed(Sleeping()), lambda: timed(nothing), SLOWER), ROUNDS)
    assert found.ratios[0] > SLOWER
