"""`threaded`: each job has threads of its own, as many as it needs, for as long as it runs."""

import threading
from itertools import pairwise

import pytest

from routilux_core import (
    Flow,
    InvalidOption,
    JobManager,
    ManagerClosed,
    Routine,
    UnknownOption,
    routine,
    slot,
)
from routilux_plugins.executors import sequential, threaded
from routilux_plugins.executors.threaded import Threaded, ThreadedSettings
from tests.core.gate import WAIT, Gate

NAME = "routilux-threaded-"


@pytest.fixture
def two_each():
    """A manager whose jobs have two threads each."""
    settings = {"executors": {"threaded": {"max_workers": 2}}}
    with JobManager(
        plugins=[sequential, threaded], discover=False, executor="threaded", settings=settings
    ) as made:
        yield made


def workers():
    return [thread for thread in threading.enumerate() if thread.name.startswith(NAME)]


def see_them_go(threads):
    for thread in threads:
        thread.join(WAIT)
    assert not any(thread.is_alive() for thread in threads)


class Held(Routine):
    """Waits in its handler until the test lets it go on."""

    def __init__(self, gate):
        super().__init__()
        self.gate = gate

    @slot
    def trigger(self, n=0):
        self.gate.pass_through()


@routine
def fan(width):
    for n in range(width):
        yield {"n": n}


@routine
def step(n=0):
    return {"n": n + 1, "thread": threading.current_thread().name}


def line(*routines, **options):
    flow = Flow("line", **options)
    names = [flow.add_routine(made, f"r{number}") for number, made in enumerate(routines)]
    for name, following in pairwise(names):
        flow.connect(name, "output", following, "trigger")
    return flow


def test_nobody_works_before_there_is_work(two_each):
    two_each.executor("threaded")
    assert workers() == []


def test_what_comes_one_after_the_other_takes_one_thread(two_each):
    state = two_each.execute(line(*(step() for _ in range(50))), "r0")
    records = state.get_execution_history()
    assert len({record.data["thread"] for record in records if "thread" in record.data}) == 1


def test_a_job_has_as_many_threads_as_it_may(two_each):
    with Gate() as gate:
        state = two_each.start_job(line(fan(), Held(gate)), "r0", {"width": 6})
        gate.wait()
        gate.wait()
        there = workers()
        gate.open()
        assert two_each.wait_for_all_jobs(WAIT)
    assert len(there) == 2
    assert all(thread.daemon for thread in there)
    assert state.status == "completed"


@pytest.mark.parametrize("most", [1, 5])
def test_its_flow_says_how_many(two_each, most):
    with Gate() as gate:
        state = two_each.start_job(line(fan(), Held(gate), max_workers=most), "r0", {"width": 8})
        for _ in range(most):
            gate.wait()
        there = workers()
        gate.open()
        assert two_each.wait_for_all_jobs(WAIT)
    assert len(there) == most
    assert state.status == "completed"


def test_they_are_gone_when_the_job_is_over(two_each):
    with Gate() as gate:
        two_each.start_job(line(fan(), Held(gate)), "r0", {"width": 2})
        gate.wait()
        gate.wait()
        there = workers()
        gate.open()
        assert two_each.wait_for_all_jobs(WAIT)
    assert len(there) == 2
    see_them_go(there)


def test_they_are_gone_while_the_job_is_paused(two_each):
    with Gate() as gate:
        flow = line(fan(), Held(gate))
        state = two_each.start_job(flow, "r0", {"width": 4})
        gate.wait()
        there = workers()
        two_each.pause(state.job_id, timeout=0.01)
        gate.open()
        flow.wait_for_completion(WAIT)
        assert state.status == "paused"
        see_them_go(there)
        two_each.resume(state.job_id)
        assert two_each.wait_for_all_jobs(WAIT)
    assert state.status == "completed"


def test_jobs_do_not_take_each_others_threads(two_each):
    with Gate() as gate:
        for _ in range(3):
            two_each.start_job(line(fan(), Held(gate)), "r0", {"width": 2})
        for _ in range(6):
            gate.wait()
        assert len(workers()) == 6
        assert two_each.execute(line(step()), "r0").status == "completed"
        gate.open()
        assert two_each.wait_for_all_jobs(WAIT)


def test_no_thread_is_left_after_stop():
    executor = Threaded(ThreadedSettings(max_workers=8))
    with JobManager(executor=executor, discover=False) as manager:
        states = [manager.start_job(line(fan(), step()), "r0", {"width": 50}) for _ in range(20)]
    assert {str(state.status) for state in states} == {"completed"}
    assert workers() == []


def test_a_handler_that_stays_does_not_hold_up_stop():
    executor = Threaded()
    with Gate() as gate, JobManager(executor=executor, discover=False) as manager:
        state = manager.start_job(line(Held(gate)), "r0")
        gate.wait()
        manager.cancel(state.job_id)
        executor.stop(timeout=0.01)
        left = workers()
        gate.open()
        see_them_go(left)
    assert len(left) == 1


def test_stop_ends_a_worker_that_has_much_left_to_do():
    """Stopped by itself, not by its manager: what is ready stays where it is."""
    begun = threading.Event()

    @routine
    def go_round(n=0):
        begun.set()
        return {"n": n + 1}

    executor = Threaded()
    with JobManager(executor=executor, discover=False) as manager:
        flow = Flow("round")
        flow.add_routine(go_round(), "go")
        flow.connect("go", "output", "go", "trigger")
        state = manager.start_job(flow, "go")
        assert begun.wait(WAIT)
        executor.stop(WAIT)
        assert workers() == []
        assert state.status == "running"
        assert len(state.pending_tasks) == 1
        manager.cancel(state.job_id)


def test_once_stopped_it_takes_no_jobs():
    executor = Threaded()
    executor.stop()
    with (
        JobManager(executor=executor, discover=False) as manager,
        pytest.raises(ManagerClosed, match="executor 'threaded' was asked of"),
    ):
        manager.execute(line(step()), "r0")


@pytest.mark.parametrize("value", [0, -1, "four", True, 1.5])
def test_a_number_that_is_none_is_refused(value):
    settings = {"executors": {"threaded": {"max_workers": value}}}
    with pytest.raises(InvalidOption, match=r"threaded\.max_workers cannot be .*; it takes a whole number"):
        JobManager(plugins=[threaded], discover=False, settings=settings, executor="threaded")
    with pytest.raises(InvalidOption, match=r"max_workers cannot be .*; it takes a whole number from 1 up"):
        ThreadedSettings(max_workers=value)


def test_an_option_that_there_is_not_is_refused_with_the_nearest():
    settings = {"executors": {"threaded": {"workers": 3}}}
    with pytest.raises(UnknownOption, match=r"has no 'workers'; .*did you mean 'max_workers'"):
        JobManager(plugins=[threaded], discover=False, settings=settings, executor="threaded")


@pytest.mark.parametrize("way", ["environment", "file", "flow", "call"])
def test_it_is_chosen_by_its_name(monkeypatch, tmp_path, way):
    monkeypatch.chdir(tmp_path)
    if way == "environment":
        monkeypatch.setenv("ROUTILUX_EXECUTOR", "threaded")
    if way == "file":
        (tmp_path / "routilux.toml").write_text('executor = "threaded"\n')
    flow = line(step(), execution_strategy="threaded" if way == "flow" else None)
    options = {"executor": "threaded"} if way == "call" else {}
    with JobManager(plugins=[sequential, threaded], discover=False) as manager:
        state = manager.execute(flow, "r0", **options)
    assert state.results["r0.output"][0]["thread"].startswith(NAME)
