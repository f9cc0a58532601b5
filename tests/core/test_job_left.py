"""A job that leaves before it ends: whoever watches it is told, once, after its last fact."""

import gc
import logging
from weakref import ref

import pytest

from routilux_core import ClaimLost, JobLeft, JobManager, Monitor, MonitorQueue, hookimpl
from routilux_plugins.executors import sequential
from routilux_plugins.stores.memory.store import Memory
from tests.core.leaving import PATIENCE, counting, leave


class Noting(Monitor):
    """Notes what it hears."""

    def __init__(self):
        self.heard = []

    def on_fact(self, job, fact):
        self.heard.append(fact)

    @hookimpl
    def job_left(self, job, error):
        self.heard.append((job.job_id, type(error)))


class Hearing:
    """A plugin that is no monitor."""

    def __init__(self):
        self.heard = []

    @hookimpl
    def job_left(self, error):
        self.heard.append(type(error))


@pytest.mark.parametrize(("lost", "kind"), [(False, JobLeft), (True, ClaimLost)])
def test_it_is_told_after_the_last_fact(lost, kind):
    noting = Noting()
    state = leave(noting, lost=lost)
    assert noting.heard == [*state.facts[: len(noting.heard) - 1], (state.job_id, kind)]
    assert len(noting.heard) > 1


@pytest.mark.parametrize("queue", [lambda monitor: monitor, lambda monitor: MonitorQueue(monitor, size=1)])
def test_a_monitor_of_one_job_is_told_and_one_with_a_queue(queue):
    noting = Noting()
    one = queue(noting)
    state = leave(monitors=[one])
    assert one is noting or one.wait(PATIENCE)
    assert noting.heard[-1] == (state.job_id, JobLeft)
    assert [one for one in noting.heard if isinstance(one, tuple)] == noting.heard[-1:]


def test_the_thread_of_a_queue_that_a_job_brought_ends_when_it_leaves():
    queue = MonitorQueue(lambda job, fact: None)
    leave(monitors=[queue])
    assert queue.wait(PATIENCE)
    thread = queue._thread  # noqa: SLF001 - nothing else names it
    if thread is not None:
        thread.join(PATIENCE)
        assert not thread.is_alive()


def test_a_plugin_that_is_no_monitor_is_told():
    hearing = Hearing()
    leave(hearing)
    assert hearing.heard == [JobLeft]


def test_one_that_raises_is_named_and_harms_no_other(caplog):
    class Failing(Monitor):
        @hookimpl
        def job_left(self, job):
            raise OSError("no disk")

    noting = Noting()
    state = leave(Failing(), noting)
    assert noting.heard[-1] == (state.job_id, JobLeft)
    found = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert found == [f"monitor 'Failing' raised in job_left for job {state.job_id}"]


def test_a_job_that_ends_or_is_paused_has_not_left():
    noting, flow = Noting(), counting()
    with JobManager(plugins=[sequential, noting], discover=False, store=Memory()) as manager:
        manager.execute(flow, "count", {"n": 1})

        def pause(job, fact):
            if fact.tag == "event_emitted":
                job.pause()

        paused = manager.execute(flow, "count", {"n": 3}, monitors=[pause])
        assert paused.status == "paused"
    assert [fact for fact in noting.heard if isinstance(fact, tuple)] == []


def test_who_only_wants_to_know_of_it_lets_no_facts_be_kept():
    with JobManager(plugins=[sequential, Hearing()], discover=False) as manager:
        job = manager.get_job(manager.start_job(counting(), "count", {"n": 1}).job_id)
        assert job is None or not job.observers


def test_it_is_free_afterwards():
    class Keeping(Monitor):
        def on_job_started(self, job, fact):
            self.job = ref(job)

    keeping = Keeping()
    leave(keeping)
    gc.collect()
    assert keeping.job() is None
