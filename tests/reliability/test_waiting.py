"""Waiting costs nothing, and ends as soon as what it waits for."""

import subprocess
import sys
import threading
from pathlib import Path
from statistics import median
from time import perf_counter, sleep

import pytest

from routilux_core import Flow, PauseRequested, routine

ROOT = Path(__file__).parents[2]
WAITING = """
import sys, threading, time
from routilux_core import ErrorHandler, Flow, JobManager, Routine, slot
from routilux_plugins.executors import sequential

seconds, watching = float(sys.argv[1]), sys.argv[2] == "watching"
refused, count = threading.Semaphore(0), 100

class Guest(Routine):
    @slot(retry=ErrorHandler("retry", retry_delay=3600.0, max_delay=3600.0))
    def trigger(self):
        refused.release()
        raise ConnectionError("closed until tomorrow")

import logging
logging.disable()
manager = JobManager(plugins=[sequential], discover=False)
flow = Flow("guests")
flow.add_routine(Guest(), "guest")
states = [manager.start_job(flow, "guest") for _ in range(count)]
for _ in states:
    refused.acquire()
waiters = [threading.Thread(target=manager.get_job(state.job_id).wait, daemon=True) for state in states[:20]]
for waiter in waiters:
    waiter.start()

def watch():
    while True:
        all(job.is_running for job in manager.running_jobs)
        time.sleep(0.0002)

if watching:
    threading.Thread(target=watch, daemon=True).start()
time.sleep(0.1)
begin = time.process_time()
time.sleep(seconds)
used = time.process_time() - begin
assert len(manager.running_jobs) == count
print(used)
manager.shutdown(wait=False)
"""


def seconds_used(seconds, how):
    command = [sys.executable, "-c", WAITING, str(seconds), how]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    return float(done.stdout)


@pytest.mark.slow
def test_100_waiting_jobs_use_next_to_no_time():
    assert seconds_used(2.0, "asleep") < 0.02


@pytest.mark.slow
def test_jobs_that_somebody_looks_at_all_the_time_are_found():
    """The control: a thread that asks all the time whether the jobs still run uses more."""
    assert seconds_used(1.0, "watching") > 0.02


@routine
def work():
    sleep(0.002)
    return {"at": perf_counter()}


@pytest.mark.speed
def test_the_end_of_a_job_wakes_who_waits_for_it_at_once(manager):
    flow = Flow("work")
    flow.add_routine(work(), "work")
    delays = []
    for _ in range(51):
        state = manager.start_job(flow, "work")
        job = manager.get_job(state.job_id)
        assert job is None or job.wait(10.0)
        delays.append(perf_counter() - state.results["work.output"][0]["at"])

    assert median(delays) < 0.001


def test_who_waits_for_a_paused_job_is_woken(manager):
    entered, release, woken = threading.Event(), threading.Event(), []

    @routine
    def stay():
        entered.set()
        release.wait(10.0)

    flow = Flow("stay")
    flow.add_routine(stay(), "stay")
    state = manager.start_job(
        flow,
        "stay",
        monitors=[lambda job, fact: release.set() if isinstance(fact, PauseRequested) else None],
    )
    assert entered.wait(10.0)
    job = manager.get_job(state.job_id)
    waiter = threading.Thread(target=lambda: woken.append(job.wait(10.0)))
    waiter.start()
    job.pause()
    waiter.join(10.0)

    assert woken == [True]
    assert state.status == "paused"
