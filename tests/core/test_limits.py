"""Limits: of activations, of what is pending, of workers and slots, and what comes first."""

import threading

import pytest

from routilux_core import (
    ErrorHandler,
    Flow,
    InvalidOption,
    JobManager,
    Routine,
    RunawayLoop,
    get_execution_context,
    routine,
)
from routilux_plugins.executors import sequential
from tests.core.gate import WAIT
from tests.core.pool import Pool


@pytest.fixture
def pooled():
    with JobManager(executor=Pool(), plugins=[sequential], discover=False) as manager:
        yield manager


class Crowd:
    """Counts how many are in it at once, and lets each stay until as many came as are expected."""

    def __init__(self, expected):
        self.expected = expected
        self.most = 0
        self._now = 0
        self._met = False
        self._changed = threading.Condition()

    def __enter__(self):
        with self._changed:
            self._now += 1
            self.most = max(self.most, self._now)
            self._met = self._met or self._now >= self.expected
            self._changed.notify_all()
            assert self._changed.wait_for(lambda: self._met, WAIT)

    def __exit__(self, *_):
        with self._changed:
            self._now -= 1


class Crowded(Routine):
    def __init__(self, crowd, **options):
        super().__init__()
        self.crowd = crowd
        self.define_slot("trigger", self.act, **options)
        self.define_event("out")

    def act(self, n):
        with self.crowd:
            self.emit("out", n=n)


class Fan(Routine):
    def __init__(self, width):
        super().__init__()
        self.width = width
        self.define_slot("trigger", self.act)
        self.define_event("out")

    def act(self):
        for n in range(self.width):
            self.emit("out", n=n)


def crowded(crowd, width=12, max_workers=None, **options):
    flow = Flow("flow", max_workers=max_workers)
    flow.add_routine(Fan(width), "fan")
    flow.add_routine(Crowded(crowd, **options), "a")
    flow.connect("fan.out", "a.trigger")
    return flow


def loop(*names):
    @routine
    def forward(n):
        return {"n": n + 1}

    flow = Flow("loop")
    for name in names:
        flow.add_routine(forward(), name)
    for name, following in zip(names, (*names[1:], names[0]), strict=True):
        flow.connect(f"{name}.output", f"{following}.trigger")
    return flow


# -- of what a job makes -------------------------------------------------------------------------------


def test_a_runaway_loop_is_ended_by_name():
    with JobManager(plugins=[sequential], discover=False, settings={"max_activations": 50}):
        state = loop("a", "b", "c").execute("a", {"n": 0})
    assert state.status == "failed"
    assert state.errors[-1].type == "RunawayLoop"
    for name in ("50", "a", "b", "c"):
        assert name in state.errors[-1].message
    assert "->" in state.errors[-1].message
    with pytest.raises(RuntimeError) as caught:
        state.raise_for_status()
    assert isinstance(caught.value.__cause__, RunawayLoop)
    assert len(state.pending_tasks) == 1


def test_a_loop_of_one_is_named_too():
    with JobManager(plugins=[sequential], discover=False, settings={"max_activations": 5}):
        state = loop("a").execute("a", {"n": 0})
    assert "around the loop a -> a" in state.errors[-1].message


def test_many_activations_without_a_loop_say_so():
    with JobManager(plugins=[sequential], discover=False, settings={"max_activations": 5}):
        state = crowded(Crowd(1)).execute("fan")
    assert "with no loop" in state.errors[-1].message


def test_a_job_within_its_limit_completes():
    with JobManager(
        plugins=[sequential], discover=False, settings={"max_activations": 13, "max_pending": 12}
    ):
        assert crowded(Crowd(1)).execute("fan").status == "completed"


def test_too_much_pending_fails_with_the_slot_named():
    with JobManager(plugins=[sequential], discover=False, settings={"max_pending": 10}):
        state = crowded(Crowd(1)).execute("fan")
    assert state.status == "failed"
    assert state.errors[-1].type == "TooMuchPending"
    assert "'a.trigger'" in state.errors[-1].message
    assert "12" in state.errors[-1].message


def test_posts_count_as_pending_too():
    with JobManager(plugins=[sequential], discover=False, settings={"max_pending": 2}) as limited:
        go = threading.Event()

        @routine
        def held():
            go.wait(WAIT)

        flow = Flow()
        flow.add_routine(held(), "a")
        state = flow.start("a")
        job = limited.get_job(state.job_id)
        job.post("a")
        job.post("a")
        go.set()
        assert job.wait(WAIT)
    assert state.errors[-1].type == "TooMuchPending"


@pytest.mark.parametrize("name", ["max_ready", "max_pending", "max_activations", "max_workers"])
@pytest.mark.parametrize("value", [0, -1, 1.5, True])
def test_a_limit_that_cannot_be_is_refused(name, value):
    with pytest.raises(InvalidOption, match=name):
        JobManager(discover=False, settings={name: value})


# -- of workers ----------------------------------------------------------------------------------------


def test_a_pool_runs_as_many_at_once_as_it_has_workers(pooled):
    crowd = Crowd(4)
    state = crowded(crowd).execute("fan")
    assert (state.status, crowd.most) == ("completed", 4)
    assert sorted(payload["n"] for payload in state.results["a.out"]) == list(range(12))


def test_max_workers_of_a_flow_caps_what_runs_at_once(pooled):
    """Control: without the cap four of them meet."""
    crowd = Crowd(2)
    state = crowded(crowd, max_workers=2).execute("fan")
    assert (state.status, crowd.most) == ("completed", 2)


def test_set_execution_strategy_sets_the_cap(pooled):
    crowd = Crowd(3)
    flow = crowded(crowd)
    flow.set_execution_strategy(None, max_workers=3)
    assert flow.execute("fan").status == "completed"
    assert crowd.most == 3


@pytest.mark.parametrize("wrong", [0, -1, 1.5, True, "2"])
def test_worker_counts_that_cannot_be_are_refused(wrong):
    with pytest.raises(InvalidOption, match="max_workers"):
        Flow(max_workers=wrong)


# -- of slots ------------------------------------------------------------------------------------------


def test_concurrency_caps_one_slot(pooled):
    crowd = Crowd(2)
    state = crowded(crowd, concurrency=2).execute("fan")
    assert (state.status, crowd.most) == ("completed", 2)
    assert len(state.results["a.out"]) == 12


def test_a_full_slot_blocks_no_worker(pooled):
    """Many wait for the one place in `a`; what comes after them for `b` needs no place and goes first."""
    go = threading.Event()

    class Slow(Routine):
        def __init__(self):
            super().__init__()
            self.define_slot("trigger", self.act, concurrency=1)

        def act(self, n):
            assert go.wait(WAIT)

    class Quick(Routine):
        def __init__(self):
            super().__init__()
            self.define_slot("trigger", self.act)
            self.seen = 0

        def act(self, n):
            self.seen += 1
            if n == 11:
                go.set()

    flow = Flow()
    flow.add_routine(Fan(12), "fan")
    flow.add_routine(Slow(), "a")
    flow.add_routine(Quick(), "b")
    flow.connect("fan.out", "a.trigger")
    flow.connect("fan.out", "b.trigger")
    assert flow.execute("fan").status == "completed"
    assert go.is_set()


def test_a_failing_handler_frees_its_place(pooled):
    class Failing(Routine):
        def __init__(self):
            super().__init__()
            again = ErrorHandler("retry", max_retries=1, retry_delay=0, is_optional=True)
            self.define_slot("trigger", self.act, concurrency=1, retry=again)

        def act(self, n):
            raise OSError("no disk")

    flow = Flow()
    flow.add_routine(Fan(5), "fan")
    flow.add_routine(Failing(), "a")
    flow.connect("fan.out", "a.trigger")
    state = flow.execute("fan")
    assert (state.status, len(state.errors)) == ("completed", 10)


def test_a_generator_keeps_its_place_between_items_for_others_too(pooled):
    class Counting(Routine):
        def __init__(self):
            super().__init__()
            self.define_slot("trigger", self.act, concurrency=1)
            self.define_event("out")

        def act(self, n):
            for item in range(3):
                self.emit("out", n=(n, item))
                yield

    flow = Flow()
    flow.add_routine(Fan(4), "fan")
    flow.add_routine(Counting(), "a")
    flow.connect("fan.out", "a.trigger")
    state = flow.execute("fan")
    assert state.status == "completed"
    assert sorted(p["n"] for p in state.results["a.out"]) == [(n, i) for n in range(4) for i in range(3)]


# -- what comes first ----------------------------------------------------------------------------------


def ordered(*priorities):
    seen = []

    class Noting(Routine):
        def __init__(self, name, priority):
            super().__init__()
            self.name = name
            self.define_slot("trigger", self.act, priority=priority)

        def act(self, n):
            seen.append((self.name, n))

    flow = Flow()
    flow.add_routine(Fan(2), "fan")
    for name, priority in priorities:
        flow.add_routine(Noting(name, priority), name)
        flow.connect("fan.out", f"{name}.trigger")
    flow.execute("fan")
    return seen


def test_higher_priorities_start_first(manager):
    seen = ordered(("low", -1), ("plain", 0), ("high", 5))
    assert [name for name, _ in seen] == ["high", "high", "plain", "plain", "low", "low"]


def test_equal_priorities_keep_their_order(manager):
    assert ordered(("a", 3), ("b", 3)) == [("a", 0), ("b", 0), ("a", 1), ("b", 1)]


def test_the_priority_is_seen_in_pending_tasks(manager):
    flow = Flow()

    @routine(priority=7)
    def urgent(n):
        return None

    @routine
    def pause():
        get_execution_context().job.pause()
        return {"n": 1}

    flow.add_routine(pause(), "a")
    flow.add_routine(urgent(), "b")
    flow.connect("a.output", "b.trigger")
    assert [task.priority for task in flow.execute("a").pending_tasks] == [7]
