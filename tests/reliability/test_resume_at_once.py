"""Of several who resume a paused job at the same moment one does, and the others are told who.

The control lets a manager take the job from itself, and must be seen.
"""

import logging
import os
import threading
from contextlib import nullcontext
from contextvars import copy_context

import pytest

from routilux_core import ClaimRefused, InvalidTransition, JobManager, JobState, RoutiluxError
from routilux_core.reservation import Reservations
from routilux_core.testing.executor_contract.meeting import Meeting
from routilux_plugins.stores.memory.store import Memory
from tests.reliability import crashed
from tests.reliability.killing import STORES, Nursery, calm
from tests.reliability.laws import check_all
from tests.reliability.mortal import JOB, PLUGINS, SETTINGS

ROUNDS = int(os.environ.get("TEST_ROUNDS", "3"))
"""How often two processes do it on each store."""
TURNS = 20 * ROUNDS
"""How often the threads of one process do it."""
THREADS = 4
WIDTH = 4
PATIENCE = 20.0


@pytest.fixture(autouse=True)
def _quiet_log():
    """Handlers fail here on purpose."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


def paused(manager, flow):
    """Have a job paused in the store."""
    state = JobState(flow.flow_id, JOB)
    manager.start_job(flow, "source", {"width": WIDTH}, job_state=state)
    flow.pause(state)
    return state


def check(manager, flow):
    """Demand that the job has come to its end as if nobody had been in its way, and forget it."""
    state = manager.load(JOB)
    check_all(flow, state)
    assert crashed.story(state) == calm(WIDTH)
    manager.delete(JOB)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", STORES)
def test_one_of_two_processes_resumes_it(kind, url):
    flow = crashed.mixed()
    with (
        JobManager(store=url, plugins=PLUGINS, discover=False, settings=SETTINGS) as manager,
        Meeting(PATIENCE) as meeting,
        Nursery() as one,
        Nursery() as other,
    ):
        what = {"url": url, "options": {"executor": "pooled"}, "entry": {"meeting": meeting.address}}
        for _ in range(ROUNDS):
            paused(manager, flow)
            for nursery in (one, other):
                nursery.bear(role="resume_with_others", **what)
            guests = meeting.guests(2)
            for guest in guests:
                guest.let_go()
            (told, *_), resumed = sorted((one.rest([]), other.rest([])))
            assert resumed == ["resumed", "0"]
            refusals = {str(ClaimRefused(JOB, has_it(guest.word))) for guest in guests}
            late = "InvalidTransition: job 'job' is completed"  # it came when the job was over
            assert told.removeprefix("ClaimRefused: ") in refusals or told.startswith(late)
            check(manager, flow)


def has_it(owner):
    return f"{owner!r} has it"


def resume(flow, state, barrier, heard):
    barrier.wait(PATIENCE)
    try:
        flow.resume(state)
    except RoutiluxError as error:
        heard.append(error)


def resume_in_threads(manager, flow):
    """Let threads resume a job at once, each with a state of its own; return what they were told."""
    barrier, heard = threading.Barrier(THREADS), []
    states = [manager.load(JOB) for _ in range(THREADS)]
    threads = [
        threading.Thread(target=copy_context().run, args=(resume, flow, state, barrier, heard))
        for state in states
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert manager.wait_for_all_jobs(PATIENCE)
    return heard


def attack(turns):
    flow = crashed.mixed()
    with JobManager(store=Memory(), plugins=PLUGINS, discover=False, settings=SETTINGS) as manager:
        for _ in range(turns):
            paused(manager, flow)
            refused = resume_in_threads(manager, flow)
            assert len(refused) == THREADS - 1
            told = str(ClaimRefused(JOB, has_it(manager.keeping.owner)))
            for error in refused:  # who comes when the job is over is told that
                assert isinstance(error, InvalidTransition) or str(error) == told
            check(manager, flow)


def test_one_of_many_threads_resumes_it():
    """With a manager that takes a job from itself, each of them ends the claim of the one before."""
    attack(TURNS)


def test_a_manager_that_takes_a_job_from_itself_is_seen(monkeypatch):
    monkeypatch.setattr(Reservations, "of", lambda *_: nullcontext())
    with pytest.raises(AssertionError):
        attack(TURNS)
