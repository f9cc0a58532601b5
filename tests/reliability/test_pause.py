"""After a pause or cancel is accepted nothing starts, nothing is lost, and nobody waits for long."""

import os
import sys
import threading
from random import Random
from statistics import median
from time import perf_counter, sleep

import pytest

from routilux_core import Event, Flow, InvalidTransition, Routine, get_execution_context, slot
from routilux_core.facts import ActivationStarted, JobCancelled, PauseRequested
from routilux_core.turn import Turn
from tests.reliability.laws import Book, Violation, check_all
from tests.reliability.pool import Pool

INTERLEAVINGS = int(os.environ.get("TEST_INTERLEAVINGS", "1500"))
PAUSES = 19
"""How often each job is paused before it is cancelled."""
PATIENCE = 20.0


class Witness:
    """What handlers saw for themselves."""

    def __init__(self):
        self.standing = False
        """True from the return of a pause to the resume."""
        self.late = 0
        self.entered = set()
        self.goal = 0
        self.reached = threading.Event()

    def see(self):
        self.late += self.standing
        self.entered.add(get_execution_context().activation.id)
        if len(self.entered) >= self.goal:
            self.reached.set()

    def wait_for(self, more, patience=PATIENCE):
        """Wait until so many more handlers were called."""
        self.reached.clear()
        self.goal = len(self.entered) + more
        return self.reached.wait(patience)


class Runner(Routine):
    """Goes round for ever, in as many strands as it was started with."""

    output = Event("n")

    def __init__(self, witness):
        super().__init__()
        self.witness = witness

    @slot
    def begin(self, strands):
        for number in range(strands):
            self.emit("output", n=number)

    @slot
    def trigger(self, n):
        self.witness.see()
        self.emit("output", n=n + 1)


def running_rounds(witness):
    flow = Flow("rounds")
    flow.add_routine(Runner(witness), "runner")
    flow.connect("runner.output", "runner.trigger")
    return flow


class Crowd(Routine):
    """Sends many numbers to itself; what handling one does is the test's."""

    output = Event("n")

    def __init__(self, act=lambda n: None):
        super().__init__()
        self.act = act

    @slot
    def begin(self, count):
        for number in range(count):
            self.emit("output", n=number)

    @slot
    def trigger(self, n):
        self.act(n)


def crowded(act=lambda n: None):
    flow = Flow("crowd")
    flow.add_routine(Crowd(act), "crowd")
    flow.connect("crowd.output", "crowd.trigger")
    return flow


@pytest.fixture
def pool():
    """Four workers, and threads that change places often."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(0.00005)
    yield Pool(4)
    sys.setswitchinterval(interval)


def facts_of(state):
    return [type(fact).__name__ for fact in state.facts][-6:]


def race(manager, pool, interleavings, patience=PATIENCE):
    """Pause and cancel jobs in the midst of their work, so many times in all."""
    random = Random(1)  # noqa: S311 - moments, no secrets
    for _ in range(interleavings // (PAUSES + 1)):
        witness = Witness()
        flow = running_rounds(witness)
        state = manager.start_job(
            flow,
            "runner",
            {"strands": 6},
            entry_slot="begin",
            executor=pool,
            monitors=[lambda job, fact: None] if random.random() < 0.5 else (),
        )
        for _ in range(PAUSES):
            if not witness.wait_for(random.randrange(4), patience):
                raise Violation(
                    f"nothing goes on in a job that is {state.status}, and was resumed: {facts_of(state)}"
                )
            begin = perf_counter()
            flow.pause(state, timeout=patience)
            if perf_counter() - begin >= patience:
                raise Violation(f"a pause was not heard of; the job is {state.status}")
            witness.standing = True
            if state.status != "paused":
                raise Violation(f"{state.status} after a pause: {facts_of(state)}")
            if random.random() < 0.1:
                sleep(0.0005)  # gives workers an opportunity to do what they must not
            witness.standing = False
            flow.resume(state)
        witness.wait_for(random.randrange(4), patience)
        flow.cancel(state)
        if not manager.wait_for_all_jobs(patience):
            raise Violation("the end of a cancelled job was never heard of")
        check_all(flow, state)
        if witness.late:
            raise Violation(f"{witness.late} handlers were called while the job stood still")
        started = {fact.activation.id for fact in state.facts if isinstance(fact, ActivationStarted)}
        if not witness.entered <= started:
            raise Violation(f"{witness.entered - started} were called and not started before the cancel")


@pytest.mark.long
@pytest.mark.timeout(180)
def test_nothing_starts_after_a_pause_or_a_cancel_is_accepted(manager, pool):
    race(manager, pool, INTERLEAVINGS)


def test_a_gate_that_is_not_looked_at_is_found(manager, pool, monkeypatch):
    """The control: every third time, workers take what is ready though the gate is shut."""
    real = Turn._next  # noqa: SLF001 - where the bug is planted
    looks = iter(range(1_000_000_000))

    def careless(turn, *which):
        was = turn.open
        turn.open = was or next(looks) % 3 == 0
        try:
            return real(turn, *which)
        finally:
            turn.open = was

    monkeypatch.setattr(Turn, "_next", careless)
    with pytest.raises((Violation, InvalidTransition)):
        race(manager, pool, 600, patience=0.5)


@pytest.mark.speed
def test_a_pause_with_500_pending_returns_soon_after_the_running_handlers(manager, pool):
    delays = []
    for _ in range(9):
        ends, release, asked = [], threading.Event(), threading.Event()
        everyone = threading.Barrier(5)

        def act(n, ends=ends, release=release, everyone=everyone):
            everyone.wait(PATIENCE)
            release.wait(PATIENCE)
            ends.append(perf_counter())

        flow = crowded(act)
        state = manager.start_job(
            flow,
            "crowd",
            {"count": 504},
            entry_slot="begin",
            executor=pool,
            monitors=[
                lambda job, fact, asked=asked: asked.set() if isinstance(fact, PauseRequested) else None
            ],
        )
        returned = []

        def pause(flow=flow, state=state, returned=returned):
            flow.pause(state)
            returned.append(perf_counter())

        everyone.wait(PATIENCE)
        pauser = threading.Thread(target=pause)
        pauser.start()
        assert asked.wait(PATIENCE)
        release.set()
        pauser.join(PATIENCE)
        assert len(ends) == 4
        assert len(state.pending_tasks) == 500
        delays.append(returned[0] - max(ends))
        flow.cancel(state)

    assert median(delays) < 0.05


def test_a_pause_from_inside_a_handler_waits_for_no_other(manager, pool):
    asked, others = threading.Event(), threading.Barrier(4)
    waited = []

    def act(n):
        others.wait(PATIENCE)
        if n == 0:
            context = get_execution_context()
            context.flow.pause(context.job_state, "from inside")
            asked.set()
        else:
            waited.append(asked.wait(PATIENCE))

    flow = crowded(act)
    state = manager.start_job(flow, "crowd", {"count": 4}, entry_slot="begin", executor=pool)

    assert manager.wait_for_all_jobs(PATIENCE)
    assert state.status == "paused"
    assert waited == [True] * 3


@pytest.mark.slow
def test_200_rounds_of_pause_resume_and_cancel_with_a_full_queue_lose_nothing(manager, pool):
    entered, release = threading.Event(), threading.Event()

    def act(n):
        entered.set()
        release.wait(PATIENCE)

    def let_handlers_end(job, fact):
        if isinstance(fact, (PauseRequested, JobCancelled)):
            release.set()

    flow = crowded(act)
    for _ in range(200):
        release.clear()
        state = manager.start_job(
            flow, "crowd", {"count": 300}, entry_slot="begin", executor=pool, monitors=[let_handlers_end]
        )
        for _ in range(2):
            assert entered.wait(PATIENCE)
            flow.pause(state, timeout=PATIENCE)
            assert state.status == "paused"
            check_all(flow, state)
            release.clear()
            entered.clear()
            flow.resume(state)
        assert entered.wait(PATIENCE)
        flow.cancel(state)
        entered.clear()
        book = check_all(flow, state)
        assert book.made == 301
        assert len(state.pending_tasks) == 301 - book.ended["completed"] > 280


def test_a_start_after_a_cancel_would_be_seen_in_the_facts(manager, pool):
    """The control of the facts' order: a start put behind the cancel by hand breaks the law."""
    flow = crowded()
    state = manager.start_job(flow, "crowd", {"count": 50}, entry_slot="begin", executor=pool)
    flow.cancel(state)
    assert manager.wait_for_all_jobs(PATIENCE)
    facts = list(state.facts)
    cancelled = next(fact for fact in facts if isinstance(fact, JobCancelled))
    pending = list(check_all(flow, state).open.values())

    book = Book(flow)
    book.read(facts)
    with pytest.raises(Violation, match="starts after"):
        book.read([ActivationStarted(facts[-1].number + 1, facts[-1].at, pending[0])])
    assert cancelled in facts
