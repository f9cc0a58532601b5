"""For random flows and all that is done to their jobs, the facts account for all and make the state."""

import logging
import threading
from collections import defaultdict
from functools import partial
from random import Random

import pytest
from attrs import frozen
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routilux_core import InvalidTransition, Job, JobManager, hookimpl
from routilux_core.engine import Engine
from routilux_core.observers import Observers
from routilux_core.routing import Routing
from routilux_plugins.executors import sequential
from tests.reliability.dice import Dice, DrawnDice
from tests.reliability.flows import STYLES, World, random_flow
from tests.reliability.laws import Violation, check_all

ROUNDS = 4
PATIENCE = 20.0


class EagerClock:
    """Time that is always the moment that somebody waits for."""

    def __init__(self):
        self._now = 0.0

    def time(self):
        return 4_000_000_000.0 + self._now

    def monotonic(self):
        return self._now

    def wait(self, condition, until):
        if until is None:
            condition.wait()
        else:
            self._now = max(self._now, until)


class Watcher:
    """A plugin that keeps all facts of all jobs, and does to a job what was planned for certain facts."""

    def __init__(self, plans):
        self.plans = plans
        self.seen = defaultdict(list)
        self.job: Job | None = None

    @hookimpl
    def on_fact(self, job, fact):
        self.job = job
        self.seen[job.job_id].append(fact)
        plan = self.plans.pop(fact.number, None)
        if plan is not None:
            act_on(job, plan)


def tried(state, act, *given):
    """Do something to a job that others may end at the same moment."""
    try:
        act(*given)
    except InvalidTransition:
        assert state.status in {"completed", "failed", "cancelled"}


def act_on(job, plan):
    if plan == "pause":
        tried(job.job_state, job.pause, "planned")
    elif plan == "cancel":
        tried(job.job_state, job.cancel, "planned")
    else:
        tried(job.job_state, partial(job.post, n=1, hops=1), "r0", "side")


def drawn_plans(dice):
    acts = ("pause", "pause", "post", "cancel")
    return {dice.number(1, 40): dice.pick(acts) for _ in range(dice.number(0, 3))}


@frozen
class Round:
    """What is done to a job that stands still, if it may go on."""

    forks: bool
    posts: bool
    cancels: bool
    number: int
    plans: dict[int, str]

    @classmethod
    def drawn(cls, dice):
        return cls(dice.chance(20), dice.chance(30), dice.chance(10), dice.number(0, 9), drawn_plans(dice))


def check_told(watcher, told, state):
    """Monitors hear of what happens in a job; what a fork took over came before its job."""
    happened = list(state.facts)
    if watcher.seen[state.job_id] != happened:
        raise Violation(f"a plugin saw {watcher.seen[state.job_id]} of {happened}")
    if told and told != happened:
        raise Violation(f"a monitor saw {told} of {happened}")


def live(dice, blob=None, check=check_all, **options):
    """Let a random job live, with all that may be done to it, and check the laws whenever it stands still."""
    flow = random_flow(dice, World(), styles=(*STYLES, "coroutine"))
    entry = {"n": dice.number(0, 9), "hops": dice.number(0, 4), **({} if blob is None else {"blob": blob})}
    timeout = 6.0 if dice.chance(10) else None
    watcher, told = Watcher(drawn_plans(dice)), []
    rounds = [Round.drawn(dice) for _ in range(ROUNDS)]  # beforehand: what is drawn may not depend on threads
    with JobManager(
        plugins=[sequential, watcher],
        discover=False,
        clock=EagerClock(),
        settings={"max_activations": 120, "max_ready": 3, "scan_seconds": None},
        **options,
    ) as manager:
        monitors = [lambda job, fact: told.append(fact)]
        state = manager.execute(flow, "r0", entry, timeout, monitors=monitors)
        check(flow, state)
        check_told(watcher, told, state)
        for one in rounds:
            if state.status == "completed":
                break
            if state.status == "paused" and not one.forks:
                if one.posts:
                    tried(state, partial(watcher.job.post, n=one.number, hops=1), "r0", "trigger")
                if one.cancels:
                    tried(state, manager.cancel_state, flow, state, "enough")
                else:
                    tried(state, manager.resume_state, flow, state)
            else:
                watcher.plans, told = one.plans, []
                state = manager.fork_state(flow, state, start=True)
            assert manager.wait_for_all_jobs(PATIENCE), watcher.job.explain()
            check(flow, state)
            check_told(watcher, told, state)


@pytest.fixture(autouse=True)
def _quiet_log():
    """Handlers fail by the thousand here, on purpose."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


BLOBS = st.one_of(
    st.none(),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.binary(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
        max_leaves=5,
    ),
    st.builds(threading.Lock),
    st.builds(lambda: {1, 2}),
)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_every_delivery_and_activation_is_accounted_for_and_the_facts_make_the_state(data):
    live(DrawnDice(data.draw), data.draw(BLOBS))


# -- controls ------------------------------------------------------------------------------------------


def finds_a_violation(seeds=80):
    for seed in range(seeds):
        try:
            live(Dice(Random(seed)))  # noqa: S311 - a flow, no secret
        except Violation:
            return True
    return False


def test_what_is_changed_besides_the_facts_is_found(monkeypatch):
    """The control of the fold: an engine that keeps a note of its own in the state."""
    finished = Engine.finished

    def noting(engine, activation, outcome):
        engine.data.checkpoint = activation.id
        return finished(engine, activation, outcome)

    monkeypatch.setattr(Engine, "finished", noting)
    assert finds_a_violation()


def test_a_lost_delivery_is_found(monkeypatch):
    """The control of the accounts: every third delivery to a slot that merges or holds is lost."""
    deliver, count = Routing.deliver, iter(range(1_000_000))

    def losing(routing, *delivery):
        if next(count) % 3:
            deliver(routing, *delivery)

    monkeypatch.setattr(Routing, "deliver", losing)
    assert finds_a_violation()


def test_a_monitor_that_is_not_told_everything_is_found(monkeypatch):
    """The control of what monitors see: the last fact of each round is withheld where there are many."""
    show = Observers.show

    def withholding(observers, *given):
        *job, news = given
        show(observers, *job, news if len(news) < 4 else news[:-1])

    monkeypatch.setattr(Observers, "show", withholding)
    assert finds_a_violation()
