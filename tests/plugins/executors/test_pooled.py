"""`pooled`: how many workers there are, what they do for whom, and how they end."""

import threading
from collections import Counter
from time import monotonic, sleep, thread_time

import pytest

from routilux_core import (
    Event,
    Flow,
    InvalidOption,
    JobManager,
    ManagerClosed,
    Routine,
    UnknownOption,
    get_execution_context,
    get_job_manager,
    routine,
    slot,
)
from routilux_plugins.executors import pooled, sequential
from routilux_plugins.executors.pooled import Pooled, PooledSettings
from tests.benchmarks import flows
from tests.core.gate import WAIT, Gate

NAME = "routilux-pooled-"


def manager_of(**settings):
    return JobManager(plugins=[sequential, pooled], discover=False, executor="pooled", settings=settings)


def pool_of(workers):
    return manager_of(executors={"pooled": {"max_workers": workers}})


def workers():
    return [thread.name for thread in threading.enumerate() if thread.name.startswith(NAME)]


def alone(made, flow_id="alone", **options):
    flow = Flow(flow_id, **options)
    flow.add_routine(made, "first")
    return flow


class Held(Routine):
    """Waits in its handler until the test lets it go on, and notes which thread it is in."""

    def __init__(self, gate, threads=None):
        super().__init__()
        self.gate, self.threads = gate, [] if threads is None else threads

    @slot
    def trigger(self, n=0):
        self.threads.append(threading.current_thread().name)
        self.gate.pass_through()


@routine
def step():
    return {"thread": threading.current_thread().name}


# -- how many --------------------------------------------------------------------------------------------


def test_nobody_works_before_there_is_work():
    with pool_of(4) as manager:
        manager.executor("pooled")
        assert workers() == []
        manager.execute(alone(step()), "first")
        assert workers() == [f"{NAME}1"]


def test_handlers_that_wait_get_as_many_workers_as_there_may_be():
    """Each waits until four are there."""
    meeting, threads = threading.Barrier(4), set()

    class Meeting(Routine):
        @slot
        def trigger(self, n):
            threads.add(threading.current_thread().name)
            meeting.wait(WAIT)

    with pool_of(4) as manager:
        state = manager.execute(flows.fan(Meeting()), "first", {"n": 40})
        assert len(workers()) == 4
    assert state.status == "completed"
    assert threads == {f"{NAME}{number}" for number in range(1, 5)}


def test_never_more_than_there_may_be():
    with pool_of(3) as manager, Gate() as gate:
        threads = []
        for _ in range(20):
            manager.start_job(alone(Held(gate, threads)), "first")
        for _ in range(3):
            gate.wait()
        assert len(workers()) == len(threads) == 3
        gate.open()
        assert manager.wait_for_all_jobs(WAIT)
        assert len(workers()) == 3
    assert len(threads) == 20


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"max_workers": 2}, 2),
        ({"executors": {"pooled": {"max_workers": 3}}}, 3),
        ({"executors": {"concurrent": {"max_workers": 3}}}, 3),
        ({"max_workers": 2, "executors": {"pooled": {"max_workers": 3}}}, 3),
    ],
    ids=["manager", "executor", "its other name", "both"],
)
def test_the_number_is_the_executors_option_or_the_managers_setting(settings, expected):
    with manager_of(**settings) as manager, Gate() as gate:
        manager.start_job(flows.fan(Held(gate)), "first", {"n": 10})
        for _ in range(expected):
            gate.wait()
        assert len(workers()) == expected
        gate.open()


def test_an_object_that_was_given_its_number_keeps_it():
    pool = Pooled(PooledSettings(max_workers=1))
    with JobManager(discover=False, executor=pool, settings={"max_workers": 5}) as manager, Gate() as gate:
        manager.start_job(flows.fan(Held(gate)), "first", {"n": 3})
        gate.wait()
        assert len(workers()) == 1
        gate.open()


@pytest.mark.parametrize("value", [0, -1, "four", True, 1.5])
def test_a_number_that_is_none_is_refused(value):
    with pytest.raises(InvalidOption, match=r"pooled\.max_workers cannot be .*; it takes a whole number"):
        JobManager(settings={"executors": {"pooled": {"max_workers": value}}})
    with pytest.raises(InvalidOption, match=r"max_workers cannot be .*; it takes a whole number from 1 up"):
        PooledSettings(max_workers=value)


def test_an_option_that_there_is_not_is_refused_with_the_nearest():
    with pytest.raises(UnknownOption, match=r"has no 'max_worker'; .*did you mean 'max_workers'"):
        JobManager(settings={"executors": {"pooled": {"max_worker": 3}}})


def test_a_flow_may_have_fewer():
    with pool_of(4) as manager, Gate() as gate:
        threads = []
        flow = flows.fan(Held(gate, threads))
        flow.set_execution_strategy("pooled", max_workers=2)
        manager.start_job(flow, "first", {"n": 10})
        gate.wait()
        gate.wait()
        manager.execute(alone(step()), "first")
        assert len(threads) == 2
        gate.open()
    assert len(threads) == 10


def test_threads_that_cannot_be_had_are_done_without(monkeypatch):
    """One thread can be started, and no other."""
    real, started = threading.Thread.start, []

    def start(thread):
        if started:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        real(thread)

    with pool_of(4) as manager, monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", start)
        state = manager.execute(flows.fan(flows.Sink()), "first", {"n": 100})
    assert state.status == "completed"
    assert state.routine_states["target"]["activations"] == 100
    assert len(started) == 1


# -- for whom --------------------------------------------------------------------------------------------


def test_its_other_name_is_the_same_pool():
    with pool_of(2) as manager:
        flow = alone(step(), execution_strategy="concurrent")
        assert manager.executor("concurrent") is manager.executor(flow) is manager.executor("pooled")
        assert flow.execute("first").results["first.output"][0]["thread"] == f"{NAME}1"


def test_jobs_share_the_workers():
    with pool_of(2) as manager:
        for number in range(30):
            manager.start_job(flows.fan(flows.Relay()), "first", {"n": 30}, metadata={"number": number})
        assert manager.wait_for_all_jobs(WAIT)
        assert len(workers()) <= 2


def test_a_worker_that_waits_for_a_job_works_for_it():
    """Jobs within jobs, in a pool of one."""

    @routine
    def nest(depth):
        if depth:
            inner = alone(nest(), f"depth-{depth}")
            inner.execute("first", {"depth": depth - 1}, raise_on_error=True)
        return {"depth": depth}

    with pool_of(1) as manager:
        state = manager.execute(alone(nest()), "first", {"depth": 10})
        assert workers() == [f"{NAME}1"]
    assert state.results == {"first.output": [{"depth": 10}]}


def test_a_handler_that_keeps_the_interpreter_does_not_keep_the_other_workers():
    """It computes until another job's handler has run."""
    flag = threading.Event()

    @routine
    def compute():
        until = thread_time() + WAIT
        while not flag.is_set():
            assert thread_time() < until, "the other job was not served"

    @routine
    def let_go():
        flag.set()

    with pool_of(2) as manager:
        first = manager.start_job(alone(compute()), "first")
        second = manager.start_job(alone(let_go()), "first")
        assert manager.wait_for_all_jobs(WAIT)
    assert first.status == second.status == "completed"


def test_handlers_that_keep_the_interpreter_meet_each_other():
    """Four compute until all four are there."""
    there = []

    class Computing(Routine):
        @slot
        def trigger(self, n):
            there.append(n)
            until = thread_time() + WAIT
            while len(there) < 4:
                assert thread_time() < until, "the others were not called"

    with pool_of(4) as manager:
        manager.execute(flows.fan(Computing()), "first", {"n": 4}).raise_for_status()


def test_handlers_that_begin_to_wait_get_help_from_workers_that_were_not_needed_before():
    """Thousands of short ones, on which one worker is enough; then four that wait for each other."""
    meeting = threading.Barrier(4)

    class Turning(Routine):
        @slot
        def trigger(self, n):
            if n % 5000 >= 4996:
                meeting.wait(WAIT)

    with pool_of(4) as manager:
        manager.execute(flows.fan(Turning()), "first", {"n": 20_000}).raise_for_status()


@pytest.mark.speed
def test_not_all_workers_crowd_upon_short_handlers():
    """Others would only be in its way; waiting ones, which are the control, are shared evenly."""

    class Counting(Routine):
        def __init__(self, act):
            super().__init__()
            self.act, self.seen = act, Counter()

        @slot
        def trigger(self, n):
            self.act()
            self.seen[threading.get_ident()] += 1

    def busiest(act, n):
        """Return how many of n the two busiest workers did, in the round that was disturbed least."""
        rounds = [Counting(act) for _ in range(3)]
        for one in rounds:
            manager.execute(flows.fan(one), "first", {"n": n}).raise_for_status()
        return max(sum(count for _, count in one.seen.most_common(2)) for one in rounds)

    with pool_of(4) as manager:
        assert busiest(lambda: None, 50_000) > 40_000
        assert busiest(lambda: sleep(0.002), 400) < 300


def test_a_paused_job_takes_no_worker_and_goes_on_when_resumed():
    with pool_of(2) as manager, Gate() as gate:

        class Starting(Routine):
            output = Event("n")

            @slot
            def trigger(self):
                self.emit("output", n=1)
                get_execution_context().job.pause("for now")

        flow = alone(Starting())
        flow.add_routine(Held(gate), "held")
        flow.connect("first.output", "held.trigger")
        state = manager.execute(flow, "first")
        assert state.status == "paused"
        assert manager.execute(alone(step()), "first").status == "completed"
        gate.open()
        flow.resume(state)
        assert manager.wait_for_all_jobs(WAIT)
    assert state.status == "completed"


def test_the_manager_of_the_process_sizes_it(monkeypatch):
    monkeypatch.setenv("ROUTILUX_MAX_WORKERS", "2")
    manager = get_job_manager()
    flow = alone(step(), execution_strategy="concurrent")
    try:
        with Gate() as gate:
            manager.start_job(flows.fan(Held(gate)), "first", {"n": 5}, executor="concurrent")
            gate.wait()
            gate.wait()
            assert len(workers()) == 2
            gate.open()
            assert manager.wait_for_all_jobs(WAIT)
        assert flow.execute("first").status == "completed"
    finally:
        manager.shutdown()


# -- how they end ----------------------------------------------------------------------------------------


def test_no_worker_is_left_after_a_shutdown():
    before = threading.active_count()
    for _ in range(20):
        with pool_of(4) as manager, Gate() as gate:
            manager.start_job(flows.fan(Held(gate)), "first", {"n": 4})
            for _ in range(4):
                gate.wait()
            assert len(workers()) == 4
            gate.open()
        assert threading.active_count() == before


def test_a_shutdown_that_does_not_wait_returns_while_a_handler_runs():
    with pool_of(2) as manager, Gate() as gate:
        state = manager.start_job(alone(Held(gate)), "first")
        gate.wait()
        begin = monotonic()
        manager.shutdown(wait=False)
        assert monotonic() - begin < WAIT / 2
        assert state.status == "cancelled"
        (left,) = [thread for thread in threading.enumerate() if thread.name.startswith(NAME)]
        gate.open()
        left.join(WAIT)
        assert workers() == []


def test_after_a_stop_it_takes_no_job():
    pool = Pooled()
    with JobManager(discover=False, executor=pool) as manager:
        manager.execute(alone(step()), "first")
        pool.stop()
        pool.stop()
        assert workers() == []
        with pytest.raises(ManagerClosed, match="executor 'pooled'"):
            manager.execute(alone(step()), "first")
        assert manager.running_jobs == []
