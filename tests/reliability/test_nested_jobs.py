"""A job that a handler starts is found again when the handler runs anew after a crash: it runs once."""

import logging
from itertools import count

import pytest

from routilux_core import Event, ExecutionContext, Flow, Routine, get_execution_context, routine, slot
from routilux_core.identity import new_id
from routilux_plugins.stores.memory.store import Memory
from tests.reliability.crashing import JOB, PATIENCE, crash, live, manager_of
from tests.reliability.laws import Violation

WIDTH = 2


@pytest.fixture(autouse=True)
def _quiet_log():
    """Stores fail by the hundred here, on purpose."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


@routine
def double(n):
    return {"n": n * 2}


@routine
def send(n):
    for number in range(n):
        yield {"n": number}


def inner():
    flow = Flow("inner")
    flow.add_routine(send(), "send")
    flow.add_routine(double(), "double")
    flow.connect("send.output", "double.trigger")
    return flow


class Source(Routine):
    output = Event("n")

    @slot
    def trigger(self, width):
        for n in range(width):
            self.emit("output", n=n + 2)


class Outer(Routine):
    output = Event("sum", "jobs")

    @slot
    def trigger(self, n):
        first = get_execution_context().manager.execute(inner(), "send", {"n": n})
        second = get_execution_context().manager.execute(inner(), "send", {"n": n + 1})
        numbers = [
            payload["n"] for state in (first, second) for payload in state.results.get("double.output", ())
        ]
        self.emit("output", sum=sum(numbers), jobs=[first.job_id, second.job_id])


def outer():
    flow = Flow("outer")
    flow.add_routine(Source(), "source")
    flow.add_routine(Outer(), "outer")
    flow.connect("source.output", "outer.trigger")
    return flow


def ended(store, **options):
    """Let the job go on to its end, and say how that is: sums, and what there is of inner jobs."""
    with manager_of(store, **options) as manager:
        live(manager, outer, WIDTH)
        assert manager.wait_for_all_jobs(PATIENCE)
        state = manager.load(JOB)
        jobs = manager.jobs(flow_id="inner")
        named = sorted(name for payload in state.results["outer.output"] for name in payload["jobs"])
        if sorted(job.job_id for job in jobs) != named or {job.status for job in jobs} != {"completed"}:
            raise Violation(f"{[(job.job_id, job.status) for job in jobs]} for {named}")
        done = sum(manager.load(job.job_id).routine_states["double"]["activations"] for job in jobs)
        return sorted(payload["sum"] for payload in state.results["outer.output"]), len(jobs), done


def check_every_crash(**options):
    expected = ended(Memory(), **options)
    for after in (False, True):
        for at in count(1):
            store = Memory()
            if not crash(outer, store, WIDTH, at, after=after, **options):
                break
            for job in store.jobs():  # the inner ones have lost their owner, too
                if job.owner is not None:
                    store.release([store.claim(job.job_id, "undertaker", PATIENCE, store.owners())])
            if (found := ended(store, **options)) != expected:
                raise Violation(f"{found} after a crash at call {at}, and {expected} without")


@pytest.mark.parametrize("executor", ["sequential", "pooled"])
def test_a_job_that_a_handler_waits_for_runs_once_whenever_the_process_ends(executor):
    check_every_crash(executor=executor)


def test_a_handler_that_starts_another_job_each_time_is_found(monkeypatch):
    """The control: ids that nobody can find again."""
    monkeypatch.setattr(ExecutionContext, "next_job_id", lambda _: new_id())

    with pytest.raises(Violation):
        check_every_crash(executor="sequential")
