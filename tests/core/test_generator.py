"""Generator handlers: heard at each yield, paced by the engine, tried again without repeating themselves."""

import threading

import pytest

from routilux_core import (
    ErrorHandler,
    Flow,
    JobManager,
    Routine,
    get_execution_context,
    routine,
)
from routilux_plugins.executors import sequential
from tests.core.gate import WAIT, Gate


class Counting(Routine):
    """Emits its numbers one by one; `before(n)` is called before each."""

    def __init__(self, until, before=None, *, style="sync", **options):
        super().__init__()
        self.until = until
        self.before = before or (lambda n: None)
        self.define_slot("trigger", self.sync if style == "sync" else self.loose, **options)
        self.define_event("out")

    def sync(self):
        for n in range(self.until):
            self.before(n)
            self.emit("out", n=n)
            yield

    async def loose(self):
        for item in self.sync():
            yield item


@routine
def keep(n):
    return {"n": n}


STYLES = pytest.mark.parametrize("style", ["sync", "async"])


def counting(until, before=None, **options):
    flow = Flow("flow")
    flow.add_routine(Counting(until, before, **options), "a")
    flow.add_routine(keep(), "b")
    flow.connect("a.out", "b.trigger")
    return flow


def numbers(state):
    return [payload["n"] for payload in state.results.get("b.output", ())]


@STYLES
def test_all_items_arrive_in_order(manager, style):
    state = counting(5, style=style).execute("a")
    assert (state.status, numbers(state)) == ("completed", [0, 1, 2, 3, 4])


@STYLES
def test_effects_hold_at_each_yield(manager, style):
    """At the third item the first two were heard, and what follows the last yield is not yet."""
    with Gate() as gate:

        def before(n):
            get_execution_context().job_state.update_shared_data("n", n)
            if n == 2:
                gate.pass_through()

        flow = counting(3, before, style=style)
        state = flow.start("a")
        gate.wait()
        assert state.get_shared_data("n") == 1
        assert [one.data["n"] for one in state.get_execution_history("a") if one.event_name == "out"] == [
            0,
            1,
        ]
        gate.open()
        assert flow.wait_for_completion(WAIT)
    assert state.get_shared_data("n") == 2


def test_what_comes_after_the_last_yield_counts(manager):
    class Closing(Counting):
        def sync(self):
            yield from super().sync()
            self.emit("out", n=99)

    flow = Flow()
    flow.add_routine(Closing(1), "b")
    assert [payload["n"] for payload in flow.execute("b").results["b.out"]] == [0, 99]


@STYLES
def test_a_generator_that_gives_nothing_completes(manager, style):
    state = counting(0, style=style).execute("a")
    assert (state.status, numbers(state)) == ("completed", [])


@STYLES
def test_it_is_asked_for_more_only_while_there_is_room(style):
    """Control: without the limit the source is at its end before the first item is dealt with."""
    lead = []
    with JobManager(plugins=[sequential], discover=False, settings={"max_ready": 3}):
        flow = Flow()
        source = Counting(30, style=style)

        class Far(Routine):
            def __init__(self):
                super().__init__()
                self.define_slot("trigger", self.act)
                self.taken = 0

            def act(self, n):
                self.taken += 1
                lead.append(produced[0] - self.taken)

        produced = [0]
        source.before = lambda n: produced.__setitem__(0, n + 1)
        flow.add_routine(source, "a")
        flow.add_routine(Far(), "b")
        flow.connect("a.out", "b.trigger")
        state = flow.execute("a")
    assert state.status == "completed"
    assert len(lead) == 30
    assert max(lead) <= 3


def test_several_generators_share_the_room():
    with JobManager(plugins=[sequential], discover=False, settings={"max_ready": 2}):
        flow = Flow()

        @routine
        def fan():
            return {}

        flow.add_routine(fan(), "fan")
        flow.add_routine(keep(), "b")
        for name in ("one", "two", "three"):
            flow.add_routine(Counting(10), name)
            flow.connect("fan.output", f"{name}.trigger")
            flow.connect(f"{name}.out", "b.trigger")
        state = flow.execute("fan")
    assert state.status == "completed"
    assert sorted(numbers(state)) == sorted(list(range(10)) * 3)


# -- trying again --------------------------------------------------------------------------------------


def failing_once_at(position):
    failed = []

    def before(n):
        if n == position and not failed:
            failed.append(n)
            raise OSError("no disk")

    return before


@STYLES
@pytest.mark.parametrize("position", [0, 1, 4])
def test_a_retry_skips_what_took_effect_by_position(manager, style, position):
    retry = ErrorHandler("retry", retry_delay=0)
    state = counting(5, failing_once_at(position), style=style, retry=retry).execute("a")
    assert (state.status, numbers(state)) == ("completed", [0, 1, 2, 3, 4])
    assert len(state.errors) == 1


def test_a_retry_that_gives_fewer_items_completes(manager):
    flow = counting(5, failing_once_at(3), retry=ErrorHandler("retry", retry_delay=0))
    source = flow.routine("a")
    fail = source.before

    def before(n):
        if n == 3:
            source.until = 2
        fail(n)

    source.before = before
    state = flow.execute("a")
    assert (state.status, numbers(state)) == ("completed", [0, 1, 2])


def test_items_keep_their_keys_when_the_generator_starts_anew(manager):
    keys = []

    @routine
    def note(n):
        keys.append(get_execution_context().idempotency_key)

    def run(before):
        keys.clear()
        flow = Flow("flow")
        flow.add_routine(Counting(4, before, retry=ErrorHandler("retry", retry_delay=0)), "a")
        flow.add_routine(note(), "b")
        flow.connect("a.out", "b.trigger")
        flow.execute("a")
        return [key.split("-")[1] for key in keys]

    again = run(failing_once_at(2))
    assert len(set(again)) == len(again) == 4


def test_keys_of_items_are_those_of_their_positions(manager):
    """Two forks of one failed job, of which one has skipped items, agree about each item's key."""
    keys = {}

    class Note(Routine):
        def __init__(self):
            super().__init__()
            self.define_slot("trigger", self.act)

        def act(self, n):
            keys.setdefault(n, set()).add(get_execution_context().idempotency_key.split("-")[1])

    flow = Flow("flow")
    source = Counting(4, failing_once_at(2))
    flow.add_routine(source, "a")
    flow.add_routine(Note(), "b")
    flow.connect("a.out", "b.trigger")
    failed = flow.execute("a")
    assert failed.status == "failed"
    flow.fork(failed)
    assert flow.wait_for_completion(WAIT)
    assert sorted(keys) == [0, 1, 2, 3]
    assert len(set.union(*keys.values())) == 4


def test_a_fork_of_a_generator_goes_on_behind_what_took_effect(manager):
    flow = counting(5, failing_once_at(3))
    failed = flow.execute("a")
    assert failed.status == "failed"
    fork = flow.fork(failed)
    assert flow.wait_for_completion(WAIT)
    assert numbers(fork) == [0, 1, 2, 3, 4]


# -- pausing -------------------------------------------------------------------------------------------


@STYLES
def test_a_generator_goes_on_after_a_pause_where_it_stood(manager, style):
    """It is the same generator: nothing before the pause is run again."""
    calls = []

    def before(n):
        calls.append(n)
        if n == 2:
            get_execution_context().job.pause()

    flow = counting(5, before, style=style)
    state = flow.execute("a")
    assert state.status == "paused"
    assert [task.routine_id for task in state.pending_tasks if task.routine_id == "a"] == ["a"]
    flow.resume(state)
    assert flow.wait_for_completion(WAIT)
    assert (numbers(state), calls) == ([0, 1, 2, 3, 4], [0, 1, 2, 3, 4])


def test_another_manager_starts_it_anew_and_skips(manager):
    calls = []

    def before(n):
        calls.append(n)
        if n == 2 and calls.count(2) == 1:
            get_execution_context().job.pause()

    flow = counting(5, before)
    state = flow.execute("a")
    with JobManager(plugins=[sequential], discover=False):
        flow.resume(state)
        assert flow.wait_for_completion(WAIT)
    assert numbers(state) == [0, 1, 2, 3, 4]
    assert calls == [0, 1, 2, 0, 1, 2, 3, 4]


def test_an_endless_generator_can_be_paused_and_cancelled(manager):
    passed = threading.Event()

    @routine
    def endless():
        n = 0
        while True:
            yield {"n": n}
            n += 1
            if n == 100:
                passed.set()

    flow = Flow()
    flow.add_routine(endless(), "a")
    flow.add_routine(keep(), "b")
    flow.connect("a.output", "b.trigger")
    state = flow.start("a")
    assert passed.wait(WAIT)
    flow.pause(state, timeout=WAIT)
    assert state.status == "paused"
    flow.resume(state)
    flow.cancel(state)
    assert state.status == "cancelled"


def test_a_stat_of_each_item_counts_once(manager):
    class Stats(Counting):
        def sync(self):
            for _ in super().sync():
                self.increment_stat("items")
                yield

    flow = Flow()
    flow.add_routine(Stats(4, failing_once_at(2), retry=ErrorHandler("retry", retry_delay=0)), "a")
    assert flow.execute("a").stats("a") == {"items": 4}


def test_outputs_go_out_at_once_with_their_attempt(manager):
    def before(n):
        get_execution_context().job_state.send_output("item", n=n)
        fail(n)

    fail = failing_once_at(1)
    state = counting(3, before, retry=ErrorHandler("retry", retry_delay=0)).execute("a")
    assert [(one["data"]["n"], one["attempt"]) for one in state.output_log] == [
        (0, 1),
        (1, 1),
        (0, 2),
        (1, 2),
        (2, 2),
    ]


def test_a_generator_function_as_a_routine_sends_its_items(manager):
    @routine
    def count(until):
        yield from range(until)

    flow = Flow()
    flow.add_routine(count(), "a")
    assert flow.execute("a", {"until": 2}).results == {"a.output": [{"result": 0}, {"result": 1}]}
