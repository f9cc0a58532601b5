"""What monitors see of jobs that are paused, resumed, tried again and cancelled is their history, in order.

`TEST_WATCHED=100000 pytest tests/reliability/test_watching.py` lets more happen.
"""

import os
from collections import Counter, defaultdict
from contextlib import suppress
from random import Random

import pytest

from routilux_core import InvalidTransition, JobManager, MonitorQueue
from routilux_core.observers import Observers
from routilux_plugins.executors import aio, pooled, process, sequential, threaded
from routilux_plugins.stores import memory, sqlite
from tests.reliability.watched import work

EVENTS = int(os.environ.get("TEST_WATCHED", "3000"))
"""So many events are sent on each executor."""
EXECUTORS = ["sequential", "threaded", "pooled", "asyncio", "process"]
PATIENCE = 30.0


def manager_of(store, plugins):
    """Make a manager whose monitors are these."""
    options = {"discover": False, "settings": {"max_workers": 3}, **store}
    return JobManager(plugins=[*plugins, memory, sqlite], **options)


STORES = {
    "no store": {},
    "memory, behind": {"store": "memory://", "durability": "batch"},
    "sqlite": {"store": "sqlite:///jobs.db"},
}
"""Whatever a manager keeps its jobs in, monitors see the same."""


class Ledger:
    """A monitor that keeps what it sees, by job."""

    def __init__(self):
        self.seen = defaultdict(list)

    def __call__(self, job, fact):
        self.seen[job.job_id].append(fact)


class Meddler:
    """A monitor that pauses a job now and then, and may cancel it in the end."""

    def __init__(self, seed):
        self.dice = Random(seed)  # noqa: S311 - unrest, not secrets
        self.cancels = seed % 3 == 0

    def __call__(self, job, fact):
        chance = self.dice.random()
        try:
            if chance < 0.005:
                job.pause("for a moment")
            elif chance < 0.006 and self.cancels:
                job.cancel("enough")
        except InvalidTransition:
            assert job.status.final


def lives(manager, executor, seed):
    """Let one job run to its end, resuming it after each pause; return its state."""
    flow = work()
    state = manager.start_job(flow, "items", {"count": 300}, executor=executor, monitors=[Meddler(seed)])
    with suppress(InvalidTransition):  # what a monitor asks for may come too late where it is told late
        if seed % 3 == 1:
            manager.pause(state.job_id, "at once")
        elif seed % 9 == 2:
            manager.cancel(state.job_id, "at once")
    while not state.status.final:
        job = manager.get_job(state.job_id)
        if job is not None:
            assert job.wait(PATIENCE), job.explain()
        if state.status == "paused":
            manager.resume_state(flow, state)
    return state


def watch_until_enough(store, executor):
    """Return the states of enough jobs, and what two monitors saw of them: one as it is, one with a queue."""
    direct, queued = Ledger(), Ledger()
    queue = MonitorQueue(queued, size=100 * EVENTS, patience=PATIENCE)
    states, events = [], 0
    with manager_of(store, [aio, pooled, process, sequential, threaded, direct, queue]) as manager:
        while events < EVENTS:
            states.append(lives(manager, executor, len(states)))
            events += sum(fact.tag == "event_emitted" for fact in states[-1].facts)
        assert queue.wait(PATIENCE)
    assert not queue.dropped
    return states, direct, queued


@pytest.mark.slow
@pytest.mark.parametrize("store", STORES.values(), ids=STORES)
@pytest.mark.parametrize("executor", EXECUTORS)
def test_monitors_see_the_history_in_order(tmp_path, monkeypatch, store, executor):
    monkeypatch.chdir(tmp_path)  # where the file of the store will be
    states, direct, queued = watch_until_enough(store, executor)
    for state in states:
        history = list(state.facts)
        assert direct.seen[state.job_id] == history
        assert queued.seen[state.job_id] == history
        assert [fact.number for fact in history] == list(range(1, len(history) + 1))
    happened = Counter(fact.tag for state in states for fact in state.facts)
    assert happened["event_emitted"] >= EVENTS
    for tag in ("job_paused", "job_resumed", "activation_retried", "job_completed", "job_cancelled"):
        assert happened[tag], (tag, happened)


def test_a_monitor_that_is_not_told_everything_is_found(monkeypatch):
    """The control: now and then the last of several facts is withheld."""
    show = Observers.show
    monkeypatch.setattr(
        Observers, "show", lambda self, job, news: show(self, job, news[: 4 if len(news) > 4 else 9])
    )
    monkeypatch.setattr("tests.reliability.test_watching.EVENTS", 500)
    states, direct, _ = watch_until_enough({}, "pooled")
    assert any(direct.seen[state.job_id] != list(state.facts) for state in states)
