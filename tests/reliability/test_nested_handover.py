"""A job whose handler waits for another one changes hands together with it, and both end as if it had not."""

import logging
import threading
from contextlib import suppress
from itertools import pairwise
from time import monotonic, sleep

import pytest

from routilux_core import Flow, JobLeft, JobManager, get_execution_context, routine
from routilux_plugins.executors import aio, pooled, sequential, threaded
from routilux_plugins.stores.memory.shelf import Shelf
from routilux_plugins.stores.memory.store import Memory

PATIENCE = 20.0
PAUSE = 0.01


class Stage:
    """What the handlers of a test wait for and do, and the managers that it makes."""

    def __init__(self):
        self.shelf, self.managers = Shelf(), []
        self.begun, self.free = threading.Event(), threading.Event()
        self.call = execute

    def manager(self, executor="threaded", **settings):
        manager = JobManager(
            plugins=[aio, pooled, sequential, threaded],
            discover=False,
            store=Memory(self.shelf),
            executor=executor,
            settings={"scan_seconds": None, "max_workers": 3, **settings},
        )
        self.managers.append(manager)
        return manager

    def begin(self, manager):
        state = manager.start_job(outer(), "call")
        assert self.begun.wait(PATIENCE)
        return state.job_id

    def stands(self, manager):
        return {job.flow_id: (str(job.status), job.owner) for job in manager.jobs()}

    def done(self, manager):
        """Return how much of the inner job is in the store."""
        [job] = manager.jobs("inner")
        return len(manager.load(job.job_id).results.get("leaf.output", ()))

    def finish(self, manager, job_id):
        """Let both jobs go on to their end, and return what the outer one has to say of that."""
        self.free.set()
        manager.recover()
        assert manager.wait_for_all_jobs(PATIENCE)
        assert self.stands(manager) == {"inner": ("completed", None), "outer": ("completed", None)}
        return [dict(payload) for payload in manager.load(job_id).results["call.output"]]


def until(true):
    end = monotonic() + PATIENCE
    while not true():
        assert monotonic() < end
        sleep(PAUSE)


stage: Stage


@pytest.fixture(autouse=True)
def _stage():
    global stage  # noqa: PLW0603 - handlers are made again from the store, and have to find it
    logging.disable()
    stage = Stage()
    yield
    stage.free.set()
    for manager in stage.managers:
        manager.shutdown(wait=False)
    logging.disable(logging.NOTSET)


@routine
def leaf():
    while not stage.free.wait(PAUSE):
        yield {}
        stage.begun.set()


@routine
def call():
    return {"status": str(stage.call(get_execution_context().manager).status)}


def inner():
    flow = Flow("inner")
    flow.add_routine(leaf(), "leaf")
    return flow


def outer():
    flow = Flow("outer")
    flow.add_routine(call(), "call")
    return flow


def execute(manager):
    return manager.execute(inner(), "leaf")


def start_and_wait(manager):
    state = manager.start_job(inner(), "leaf")
    manager.wait_for_all_jobs()
    return state


def wait_whatever_comes(manager):
    state = manager.start_job(inner(), "leaf")
    with suppress(JobLeft):
        manager.get_job(state.job_id).wait()
    return state


LEFT = {"inner": ("running", None), "outer": ("running", None)}
COMPLETED = [{"status": "completed"}]


@pytest.mark.parametrize("how", [execute, start_and_wait, wait_whatever_comes])
@pytest.mark.parametrize("executor", ["sequential", "threaded", "pooled", "asyncio"])
def test_a_job_that_waits_for_another_is_left_with_it(executor, how):
    stage.call = how
    first, second = stage.manager(executor), stage.manager(executor)
    job_id = stage.begin(first)

    first.shutdown(wait=False)

    assert stage.stands(second) == LEFT
    assert stage.finish(second, job_id) == COMPLETED


def test_a_job_that_was_taken_up_by_itself_is_left_with_the_one_it_waits_for():
    first, second = stage.manager(), stage.manager(scan_seconds=0.01)
    job_id = first.submit(outer(), "call").job_id
    assert stage.begun.wait(PATIENCE)

    second.shutdown()

    assert stage.stands(first) == LEFT
    assert stage.finish(first, job_id) == COMPLETED


@pytest.mark.parametrize("executor", ["sequential", "threaded", "pooled", "asyncio"])
def test_a_job_that_was_lost_takes_along_the_one_it_waits_for(executor):
    first, second = stage.manager(executor, claim_seconds=0.5), stage.manager(executor)
    job_id = stage.begin(first)
    stage.shelf.jobs[job_id].until = 0  # it was slow to renew this one

    second.recover()
    assert first.wait_for_all_jobs(PATIENCE)

    assert stage.finish(second, job_id) == COMPLETED


def test_a_fork_starts_jobs_of_its_own():
    def fail_after(manager):
        manager.execute(inner(), "leaf").raise_for_status()
        raise LookupError

    stage.free.set()
    stage.call, manager = fail_after, stage.manager("sequential")
    flow = outer()
    state = manager.execute(flow, "call")
    assert state.status == "failed"

    stage.call = execute
    fork = manager.fork_state(flow, state, start=True)

    assert manager.wait_for_all_jobs(PATIENCE)
    assert fork.status == "completed"
    assert [dict(payload) for payload in fork.results["call.output"]] == COMPLETED
    assert len(manager.jobs("inner")) == 2


def test_a_job_that_a_handler_hands_in_is_handed_in_once():
    def submit_and_wait(manager):
        state = manager.submit(inner(), "leaf")
        stage.begun.set()
        stage.free.wait(PATIENCE)
        return state

    stage.call = submit_and_wait
    first, second = stage.manager(), stage.manager()
    job_id = stage.begin(first)
    first.shutdown(wait=False)

    stage.finish(second, job_id)

    assert len(second.jobs("inner")) == 1


def cancel(manager, job_id):
    manager.cancel(job_id, "enough")


def delete(manager, job_id):
    cancel(manager, job_id)
    manager.delete(job_id)


@pytest.mark.parametrize("end", [cancel, delete])
def test_a_job_that_was_waited_for_ends_without_the_one_that_waited(end):
    first, second = stage.manager(), stage.manager()
    job_id = stage.begin(first)
    first.shutdown(wait=False)

    end(second, job_id)
    assert second.recover() == 0

    assert [job.status for job in second.jobs("inner")] == ["cancelled"]


def test_a_job_that_is_waited_for_is_left_to_the_handler_each_time():
    managers = [stage.manager() for _ in range(3)]
    job_id = stage.begin(managers[0])
    for before, after in pairwise(managers):
        before.shutdown(wait=False)
        done = stage.done(after)
        assert after.recover() == 1
        until(lambda: stage.done(after) > done + 1)  # noqa: B023 - it is called here

    assert stage.finish(managers[-1], job_id) == COMPLETED
