"""Recorder: every fact of the jobs that it watches, to look at and to wait for."""

import threading

import pytest

from routilux_core import ActivationStarted, EventEmitted, Flow, JobCompleted, routine
from routilux_core.testing import Recorder
from tests.core.gate import WAIT, Gate


@routine
def count(n):
    yield from range(n)


def flow_of(made):
    flow = Flow("flow")
    flow.add_routine(made, "it")
    return flow


def test_it_has_what_the_job_has(manager):
    recorder = Recorder()

    state = flow_of(count()).execute("it", {"n": 3}, monitors=[recorder])

    assert recorder.facts == list(state.facts)
    assert recorder.tags == [fact.tag for fact in state.facts]
    assert recorder.emitted("it.output") == [{"result": 0}, {"result": 1}, {"result": 2}]
    assert len(recorder.of(EventEmitted)) == 3


def test_jobs_are_told_apart(manager):
    recorder, flow = Recorder(), flow_of(count())

    first, second = (flow.execute("it", {"n": n}, monitors=[recorder]) for n in (1, 2))

    assert len(recorder.emitted("it.output", first.job_id)) == 1
    assert len(recorder.emitted("it.output", second.job_id)) == 2
    assert len(recorder.emitted("it.output")) == 3
    assert [len(recorder.of(JobCompleted, state.job_id)) for state in (first, second)] == [1, 1]


def test_it_waits_for_what_comes(manager):
    recorder = Recorder()
    with Gate() as gate:

        @routine
        def held():
            gate.pass_through()

        flow_of(held()).start("it", monitors=[recorder])
        gate.wait()
        waiter = threading.Thread(target=gate.open)
        waiter.start()

        assert recorder.wait_for(JobCompleted, timeout=WAIT).tag == "job_completed"
        waiter.join()


def test_it_waits_for_some_of_them(manager):
    recorder = Recorder()
    flow_of(count()).start("it", {"n": 5}, monitors=[recorder])

    found = recorder.wait_for(EventEmitted, lambda fact: fact.data["result"] % 2 == 0, count=2, timeout=WAIT)

    assert found.data == {"result": 2}


def test_what_never_comes_is_named_with_what_came(manager):
    recorder = Recorder()
    flow_of(count()).execute("it", {"n": 0}, monitors=[recorder])

    with pytest.raises(TimeoutError, match=r"2 facts 'activation_started'.*last facts: .*job_completed"):
        recorder.wait_for(ActivationStarted, count=2, timeout=0)
