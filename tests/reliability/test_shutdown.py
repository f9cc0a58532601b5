"""A manager that shuts down leaves its jobs to the store as they are, for others to go on with.

The control keeps the claims, and must be seen.
"""

import logging
import os
import threading
from random import Random

import pytest
from attrs import evolve

from routilux_core import JobLeft, JobManager, JobState, hookimpl
from routilux_core.facts import JobCompleted
from routilux_core.journal import Journal
from routilux_plugins.executors import aio, pooled, sequential, threaded
from routilux_plugins.stores.memory.shelf import Shelf
from routilux_plugins.stores.memory.store import Memory
from tests.reliability import crashed
from tests.reliability.killing import calm
from tests.reliability.laws import check_all

SHUTDOWNS = int(os.environ.get("TEST_SHUTDOWNS", "20"))
"""How many managers have to shut down on each executor before a job is over."""
EXECUTORS = ("sequential", "threaded", "pooled", "asyncio")
PATIENCE = 20.0
WIDTH = 4
FACTS = 200
"""A manager shuts down after at most so many, which is not half of the job."""
JOB = "job"


@pytest.fixture(autouse=True)
def _quiet_log():
    """Handlers fail here on purpose."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


def manager_of(shelf, executor, *more):
    plugins, settings = [aio, pooled, sequential, threaded, *more], {"scan_seconds": None, "max_workers": 3}
    return JobManager(
        plugins=plugins, discover=False, store=Memory(shelf), executor=executor, settings=settings
    )


class Bell:
    """A plugin that rings when so many facts of a job have been told, or the last one."""

    def __init__(self, left):
        self.left, self.rung = left, threading.Event()

    @hookimpl
    def on_fact(self, job, fact):
        self.left -= 1
        if self.left == 0 or isinstance(fact, JobCompleted):
            self.rung.set()

    @hookimpl
    def job_starting(self, job):
        self.job = job


def wait_for(job, heard):
    """Wait for the end of a job, and note what is heard of it."""
    try:
        heard.append(job.wait(PATIENCE))
    except JobLeft:
        heard.append("left")


def left(shelf, executor, facts):
    """Shut a manager down when so many facts of its job have been told; return how the job stands then."""
    flow, bell, heard = crashed.mixed(), Bell(facts), []
    with manager_of(shelf, executor, bell) as manager:
        if JOB in shelf.jobs:
            assert manager.recover() == 1
        else:
            manager.start_job(flow, "source", {"width": WIDTH}, job_state=JobState(flow.flow_id, JOB))
        thread = threading.Thread(target=wait_for, args=(bell.job, heard))
        thread.start()
        bell.rung.wait(PATIENCE)
        manager.shutdown(wait=False)
        thread.join()
    record, status = shelf.jobs[JOB], bell.job.status
    assert record.owner is None, "it did not give up its claim"
    assert record.head.status == status
    assert heard == (["left"] if status == "running" else [True])
    return status


def attack(executor, dice):
    """Leave a job again and again until it is over; return how often."""
    shelf, count = Shelf(), 0
    while left(shelf, executor, dice.randint(1, FACTS)) == "running":
        count += 1
        assert shelf.jobs[JOB].epoch == count, "it was claimed once more than there were managers"
    with manager_of(shelf, executor) as manager:
        state = manager.load(JOB)
        check_all(crashed.mixed(), state)
    assert crashed.story(state) == calm(WIDTH)
    return count


@pytest.mark.parametrize("executor", EXECUTORS)
def test_a_job_that_is_left_goes_on_with_the_next(executor):
    dice, count = Random(executor), 0  # noqa: S311 - moments, no secrets
    while count < SHUTDOWNS:
        count += attack(executor, dice)


def test_a_claim_that_is_kept_is_seen(monkeypatch):
    commit = Journal.commit
    monkeypatch.setattr(Memory, "release", lambda *_: None)
    monkeypatch.setattr(Journal, "commit", lambda *given: evolve(commit(*given), release=False))
    with pytest.raises(AssertionError, match="give up"):
        attack("sequential", Random(1))  # noqa: S311 - as above
