"""A monitor with a queue: no job waits for it, it misses nothing while there is room, and its thread ends."""

import logging
import threading
from time import thread_time

import pytest

from routilux_core import (
    Flow,
    InvalidOption,
    JobCompleted,
    JobManager,
    Monitor,
    MonitorQueue,
    Routine,
    routine,
    slot,
)
from routilux_plugins.executors import sequential

PATIENCE = 20


class Slow(Monitor):
    """Keeps facts, but only after it was let."""

    def __init__(self):
        self.gate, self.begun = threading.Event(), threading.Event()
        self.seen, self.threads = [], set()

    def on_fact(self, job, fact):
        self.threads.add(threading.current_thread())
        self.begun.set()
        assert self.gate.wait(PATIENCE)
        self.seen.append(fact)


@routine
def count(n):
    for number in range(n):
        yield {"n": number}


class Pausing(Routine):
    @slot
    def trigger(self):
        self.get_execution_context().job.pause()


def counting():
    flow = Flow("counting")
    flow.add_routine(count(), "count")
    return flow


@pytest.fixture
def slow():
    monitor = Slow()
    yield monitor
    monitor.gate.set()


def messages(caplog):
    return [record.getMessage() for record in caplog.records if record.name == "routilux.monitor"]


def test_no_job_waits_for_it(manager, slow):
    """The control: without the queue the job would wait for the gate."""
    state = counting().execute("count", {"n": 3}, monitors=[MonitorQueue(slow)])
    assert state.status == "completed"
    assert slow.seen == []


def test_it_sees_all_facts_in_order(manager, slow):
    queue = MonitorQueue(slow)
    slow.gate.set()
    states = [counting().execute("count", {"n": 30}, monitors=[queue]) for _ in range(3)]
    assert queue.wait(PATIENCE)
    assert slow.seen == [fact for state in states for fact in state.facts]
    assert (queue.dropped, queue.waiting) == (0, 0)


def test_waiting_for_it_ends_when_the_time_is_up(manager, slow):
    queue = MonitorQueue(slow)
    counting().execute("count", {"n": 3}, monitors=[queue])
    assert not queue.wait(0)
    slow.gate.set()
    assert queue.wait(PATIENCE)


def test_what_finds_no_room_is_dropped_counted_and_said_once(manager, slow, caplog):
    queue = MonitorQueue(slow, size=5)
    state = counting().execute("count", {"n": 30}, monitors=[queue])
    slow.gate.set()
    assert queue.wait(PATIENCE)
    assert 5 <= len(slow.seen) <= 7
    assert slow.seen == [fact for fact in state.facts if fact in set(slow.seen)]
    assert queue.dropped == len(state.facts) - len(slow.seen)
    (text,) = messages(caplog)
    assert (
        text
        == f"monitor 'Slow' falls behind, facts are dropped: its queue of 5 is full at job {state.job_id}"
    )


def test_a_full_one_takes_in_how_jobs_begin_pause_go_on_and_end(slow):
    queue, flow = MonitorQueue(slow, size=1), Flow("pausing")
    flow.add_routine(Pausing(), "pausing")
    with JobManager(plugins=[sequential, queue], discover=False) as manager:
        for _ in range(2):
            state = manager.execute(flow, "pausing")
            manager.resume_state(flow, state)
            assert manager.wait_for_all_jobs(PATIENCE)
        slow.gate.set()
        assert queue.wait(PATIENCE)
    edges = ["job_started", "job_paused", "job_resumed", "job_completed"]
    assert [fact.tag for fact in slow.seen if fact.tag.startswith("job_")] == edges * 2
    assert queue.dropped


def test_there_is_room_again_when_it_has_caught_up(manager, slow):
    queue = MonitorQueue(slow, size=50)
    first = counting().execute("count", {"n": 100}, monitors=[queue])
    slow.gate.set()
    assert queue.wait(PATIENCE)
    missed, seen = queue.dropped, len(slow.seen)
    second = counting().execute("count", {"n": 5}, monitors=[queue])
    assert queue.wait(PATIENCE)
    assert missed + seen == len(first.facts)
    assert slow.seen[seen:] == list(second.facts)
    assert queue.dropped == missed


def test_one_that_raises_is_said_once_and_dropped_for_that_job(manager, caplog):
    calls = []

    def failing(job, fact):
        calls.append(fact)
        raise OSError("no disk")

    queue = MonitorQueue(failing)
    for _ in range(2):
        assert counting().execute("count", {"n": 3}, monitors=[queue]).status == "completed"
        assert queue.wait(PATIENCE)
    assert len(calls) == len(messages(caplog)) == 2
    assert all("failing" in text for text in messages(caplog))


def test_two_jobs_share_one_thread(manager, slow):
    queue = MonitorQueue(slow)
    first = counting().start("count", {"n": 3}, monitors=[queue])
    second = counting().start("count", {"n": 3}, monitors=[queue])
    slow.gate.set()
    for state in (first, second):
        job = manager.get_job(state.job_id)
        assert job is None or job.wait(PATIENCE)
    assert queue.wait(PATIENCE)
    assert len(slow.threads) == 1
    for state in (first, second):
        assert [fact for fact in slow.seen if fact in set(state.facts)] == list(state.facts)


def test_who_waits_just_after_it_has_run_empty_does_not_wait_for_its_rests():
    """The control: a thread that forgets in its pause that somebody waits rests for seconds here."""
    ended = threading.Event()

    def burning(job, fact):
        until = thread_time() + 0.005
        while thread_time() < until:
            pass
        if fact.tag == "job_completed":
            ended.set()

    queue = MonitorQueue(burning)
    with JobManager(plugins=[sequential, queue], discover=False):
        counting().execute("count", {"n": 0})
        assert ended.wait(PATIENCE)
        counting().execute("count", {"n": 15})
        assert queue.wait(2)


def test_its_thread_ends_with_the_job_that_brought_it(manager, slow):
    slow.gate.set()
    counting().execute("count", {"n": 3}, monitors=[MonitorQueue(slow)])
    assert slow.begun.wait(PATIENCE)
    (thread,) = slow.threads
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_its_thread_stays_as_long_as_its_manager(slow):
    slow.gate.set()
    queue = MonitorQueue(slow)
    with JobManager(plugins=[sequential, queue], discover=False):
        for _ in range(2):
            counting().execute("count", {"n": 3})
            assert queue.wait(PATIENCE)
        (thread,) = slow.threads
        assert thread.is_alive()
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_a_manager_that_shuts_down_waits_for_what_is_in_the_queue(slow):
    queue = MonitorQueue(slow, patience=PATIENCE)
    manager = JobManager(plugins=[sequential, queue], discover=False)
    state = manager.execute(counting(), "count", {"n": 50})
    threading.Thread(target=slow.gate.set).start()
    manager.shutdown()
    assert slow.seen == list(state.facts)


def test_a_manager_that_shuts_down_leaves_a_hanging_one_behind(slow, caplog):
    """The control: with the gate open nothing is left, see the test before."""
    queue = MonitorQueue(slow, patience=0.05)
    manager = JobManager(plugins=[sequential, queue], discover=False)
    state = manager.execute(counting(), "count", {"n": 50})
    assert slow.begun.wait(PATIENCE)
    manager.shutdown()
    (text,) = messages(caplog)
    assert text.startswith("monitor 'Slow' was not done 0.05 s after the jobs; its thread is left behind")
    assert manager.monitors.dropped == {"Slow": len(state.facts) - 1}
    (thread,) = slow.threads
    assert thread.daemon
    slow.gate.set()
    thread.join(PATIENCE)
    assert slow.seen == [state.facts[0]]


def test_a_shutdown_in_a_hurry_waits_no_longer_than_it_was_told(slow):
    manager = JobManager(plugins=[sequential, MonitorQueue(slow, patience=600)], discover=False)
    manager.execute(counting(), "count", {"n": 3})
    manager.shutdown(timeout=0.05)
    assert manager.closed


def test_many_hanging_ones_are_waited_for_together(caplog):
    monitors = [Slow() for _ in range(20)]
    queues = [MonitorQueue(monitor, patience=0.2) for monitor in monitors]
    manager = JobManager(plugins=[sequential, *queues], discover=False)
    manager.execute(counting(), "count", {"n": 3})
    closing = threading.Thread(target=manager.shutdown)
    closing.start()
    closing.join(2)
    assert not closing.is_alive()
    assert len(messages(caplog)) == 20
    for monitor in monitors:
        monitor.gate.set()


def test_a_monitor_that_was_dropped_by_one_job_sees_the_next(manager, caplog):
    caplog.set_level(logging.CRITICAL, "routilux.monitor")
    seen = []

    class Once(Monitor):
        def on_job_started(self, job, fact):
            seen.append(job.job_id)
            if len(seen) == 1:
                raise OSError("no disk")

        def on_job_completed(self, job, fact):
            seen.append(type(fact))

    queue = MonitorQueue(Once())
    states = [counting().execute("count", {"n": 1}, monitors=[queue]) for _ in range(2)]
    assert queue.wait(PATIENCE)
    assert [states[0].job_id, states[1].job_id] == seen[:2]
    assert issubclass(seen[2], JobCompleted)


@pytest.mark.parametrize("size", [0, -1, 1.5, True, "5", None])
def test_a_size_that_is_none(size):
    with pytest.raises(InvalidOption, match=r"^the size of a MonitorQueue cannot be "):
        MonitorQueue(print, size=size)


@pytest.mark.parametrize("patience", [-1, True, "5", None])
def test_patience_that_is_none(patience):
    with pytest.raises(InvalidOption, match=r"^the patience of a MonitorQueue cannot be "):
        MonitorQueue(print, patience=patience)


def test_what_is_no_monitor():
    with pytest.raises(InvalidOption, match="takes a Monitor, or a function"):
        MonitorQueue(5)
