"""JobManager: which one is used, what it knows of its jobs, and how it ends."""

import subprocess
import sys
import threading
import warnings

import pytest

from routilux_core import (
    Flow,
    InvalidOption,
    JobManager,
    JobState,
    ManagerClosed,
    UnknownComponent,
    get_execution_context,
    get_job_manager,
    hookimpl,
    routine,
)
from routilux_plugins.executors import sequential
from tests.architecture.source import ROOT
from tests.core.gate import WAIT, Gate


def fresh(**options):
    return JobManager(plugins=[sequential], discover=False, **options)


@routine
def keep(n):
    return {"n": n}


@routine
def which():
    return {"manager": get_execution_context().manager}


def alone(made, flow_id=None):
    flow = Flow(flow_id)
    flow.add_routine(made, "a")
    return flow


def holding(gate):
    @routine
    def held():
        gate.pass_through()

    return alone(held())


def ours():
    return {thread for thread in threading.enumerate() if thread.name.startswith("routilux")}


# -- the one of the process ----------------------------------------------------------------------------


@pytest.fixture
def process_manager():
    made = get_job_manager()
    yield made
    made.shutdown(wait=False)


def test_many_threads_that_ask_get_one(process_manager):
    """Control: a manager that is made without a lock is made more than once now and then."""
    process_manager.shutdown()
    barrier, found = threading.Barrier(16), []

    def ask():
        barrier.wait(WAIT)
        found.append(get_job_manager())

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT)
    assert len(found) == 16
    assert len(set(map(id, found))) == 1
    found[0].shutdown()


def test_after_a_shutdown_there_is_a_new_one(process_manager):
    process_manager.shutdown()
    following = get_job_manager()
    assert following is not process_manager
    assert not following.closed
    following.shutdown()


def test_another_number_of_workers_warns(process_manager):
    process_manager.shutdown()
    made = get_job_manager(max_workers=4)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert get_job_manager() is made
        assert get_job_manager(max_workers=4) is made
    with pytest.warns(UserWarning, match="max_workers=4, not 5"):
        assert get_job_manager(max_workers=5) is made
    made.shutdown()


# -- which one is used ---------------------------------------------------------------------------------


def used(flow):
    return flow.execute("a").results["a.output"][0]["manager"]


def test_the_innermost_with_is_used():
    flow = alone(which())
    with fresh() as outer:
        with fresh() as inner:
            assert used(flow) is inner
        assert used(flow) is outer


def test_without_one_the_manager_of_the_process_is_used(process_manager):
    assert used(alone(which())) is process_manager


def test_inside_a_job_the_jobs_own_is_used():
    @routine
    def nested():
        with fresh():
            return {"manager": used(alone(which()))}

    with fresh() as manager:
        assert used(alone(nested())) is manager


def test_a_manager_may_be_used_without_with():
    manager = fresh()
    try:
        state = manager.execute(alone(which()), "a")
        assert state.results["a.output"][0]["manager"] is manager
    finally:
        manager.shutdown()


# -- what it knows -------------------------------------------------------------------------------------


def test_running_jobs_are_those_that_run(manager):
    with Gate() as gate:
        states = [holding(gate).start("a") for _ in range(3)]
        assert {job.job_id for job in manager.running_jobs} == {state.job_id for state in states}
        assert all(job.is_running for job in manager.running_jobs)
        assert manager.get_job(states[1].job_id).job_state is states[1]
        gate.open()
        assert manager.wait_for_all_jobs(WAIT)
    assert manager.running_jobs == []
    assert manager.get_job(states[1].job_id) is None


def test_an_unknown_job_is_none(manager):
    assert manager.get_job("nobody") is None


def test_wait_for_all_jobs_may_time_out(manager):
    with Gate() as gate:
        holding(gate).start("a")
        assert manager.wait_for_all_jobs(0.001) is False
        gate.open()
        assert manager.wait_for_all_jobs(WAIT) is True


def test_a_finished_job_has_left_when_its_waiters_wake(manager):
    """Control: a job that is forgotten after its waiters are woken is still found now and then."""
    flow = alone(keep())
    for n in range(50):
        state = flow.execute("a", {"n": n})
        assert manager.get_job(state.job_id) is None


def test_a_job_whose_monitor_raises_at_its_end_leaves_too(manager):
    def watch(job, fact):
        if type(fact).__name__ == "JobCompleted":
            raise OSError("no disk")

    assert alone(keep()).execute("a", {"n": 1}, monitors=[watch]).status == "completed"
    assert manager.running_jobs == []


def test_a_failed_job_leaves_too(manager):
    @routine
    def fail():
        raise OSError("no disk")

    state = alone(fail()).execute("a")
    assert state.status == "failed"
    assert manager.running_jobs == []


def test_something_else_is_no_flow(manager):
    with pytest.raises(InvalidOption, match="a Flow"):
        manager.execute(42, "a")
    with pytest.raises(UnknownComponent, match="no flow named 'orders'"):
        manager.execute("orders", "a")
    assert manager.running_jobs == []


def test_a_start_returns_at_once_with_a_running_job(manager):
    with Gate() as gate:
        state = holding(gate).start("a")
        assert state.status == "running"
        gate.wait()


# -- its end -------------------------------------------------------------------------------------------


def test_a_shutdown_waits_for_what_runs():
    manager = fresh()
    with Gate() as gate:
        state = manager.start_job(holding(gate), "a")
        gate.wait()
        closing = threading.Thread(target=manager.shutdown)
        closing.start()
        while not manager.closed:
            closing.join(0.001)
        assert state.status == "running"
        gate.open()
        closing.join(WAIT)
    assert state.status == "completed"


def test_a_shutdown_with_a_timeout_cancels_what_is_left(caplog):
    manager = fresh()
    with Gate() as gate:
        state = manager.start_job(holding(gate), "a")
        gate.wait()
        manager.shutdown(timeout=0.01)
        assert state.status == "cancelled"
        assert any("1 jobs were cancelled" in record.message for record in caplog.records)


def test_a_shutdown_without_waiting_cancels_at_once():
    manager = fresh()
    with Gate() as gate:
        state = manager.start_job(holding(gate), "a")
        gate.wait()
        closing = threading.Thread(target=manager.shutdown, args=(False,))
        closing.start()
        while state.status == "running":
            closing.join(0.001)
        assert state.status == "cancelled"
        gate.open()
        closing.join(WAIT)
    assert not closing.is_alive()


def test_a_closed_manager_takes_no_job():
    manager = fresh()
    manager.shutdown()
    flow = alone(keep())
    for use in (manager.start_job, manager.execute):
        with pytest.raises(ManagerClosed, match="make a new JobManager") as caught:
            use(flow, "a", {"n": 1})
        assert isinstance(caught.value, RuntimeError)
    assert manager.running_jobs == []


def test_a_closed_manager_resumes_no_job():
    @routine
    def pause():
        get_execution_context().job.pause()

    flow = alone(pause())
    with fresh() as manager:
        state = flow.execute("a")
    with pytest.raises(ManagerClosed):
        manager.resume_state(flow, state)
    assert state.status == "paused"
    with fresh():
        flow.resume(state)
        assert flow.wait_for_completion(WAIT)
    assert state.status == "completed"


def test_a_refused_state_can_be_used_elsewhere():
    manager, state, flow = fresh(), JobState(), alone(keep())
    manager.shutdown()
    with pytest.raises(ManagerClosed):
        manager.execute(flow, "a", {"n": 1}, job_state=state)
    assert state.status == "pending"
    with fresh() as other:
        assert other.execute(flow, "a", {"n": 1}, job_state=state).status == "completed"


def test_a_shutdown_may_be_asked_for_again():
    manager = fresh()
    manager.execute(alone(keep()), "a", {"n": 1})
    manager.shutdown()
    manager.shutdown(wait=False)
    assert manager.closed


def test_a_handler_cannot_shut_its_own_manager_down(manager):
    @routine
    def close():
        get_execution_context().manager.shutdown()

    state = alone(close()).execute("a")
    assert state.errors[0].type == "InsideJob"
    assert not manager.closed


def leaving_by_an_error(gate, states):
    with fresh() as manager:
        states.append(manager.start_job(holding(gate), "a"))
        gate.wait()
        threading.Timer(0.01, gate.open).start()
        raise OSError("no disk")


def test_leaving_with_by_an_error_cancels_what_runs():
    states = []
    with Gate() as gate, pytest.raises(OSError, match="no disk"):
        leaving_by_an_error(gate, states)
    assert states[0].status == "cancelled"


def test_no_thread_is_left_after_a_shutdown():
    @routine
    async def loose(n):
        return {"n": n}

    before = ours()
    manager = fresh()
    flow = alone(loose())
    manager.start_job(flow, "a", {"n": 1}, timeout=3600)
    assert manager.wait_for_all_jobs(WAIT)
    assert ours() - before
    manager.shutdown()
    assert ours() == before


def test_no_thread_is_there_before_it_is_needed():
    before = ours()
    with fresh() as manager:
        manager.execute(alone(keep()), "a", {"n": 1})
        assert ours() == before


def test_jobs_cost_no_threads(manager):
    with Gate() as gate:
        flow = holding(gate)
        flow.start("a")
        gate.wait()
        before = threading.active_count()
        for _ in range(50):
            flow.start("a")
        assert threading.active_count() == before


def test_plugins_hear_that_a_manager_closes_when_its_jobs_have_ended():
    heard = []

    class Closing:
        @hookimpl
        def manager_closing(self, manager):
            heard.append((manager.running_jobs, manager.closed))

    manager = JobManager(plugins=[sequential, Closing()], discover=False)
    manager.execute(alone(keep()), "a", {"n": 1})
    manager.shutdown()
    manager.shutdown()
    assert heard == [([], True)]


PROGRAM = """
import sys, threading
from routilux_core import Flow, JobManager, get_job_manager, routine
there = threading.Event()

@routine
def busy():
    n = 0
    while True:
        there.set()
        n += 1
        yield {"n": n}

@routine
async def loose():
    import asyncio
    there.set()
    await asyncio.Event().wait()

@routine
def stuck():
    there.set()
    threading.Event().wait()

flow = Flow()
flow.add_routine({handler}(), "a")
state = flow.start("a", timeout=3600)
there.wait()
print("leaving", state.status)
"""


@pytest.mark.parametrize("handler", ["busy", "loose", "stuck"])
def test_a_program_with_a_running_job_ends(handler):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.replace("{handler}", handler)],
        capture_output=True,
        text=True,
        timeout=WAIT,
        cwd=ROOT,
        check=False,
    )
    assert done.stdout.split() == ["leaving", "running"]
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
