"""`asyncio`: async handlers on one event loop, the others beside them in a few threads."""

import asyncio
import threading
from contextvars import ContextVar
from time import sleep

import pytest

from routilux_core import (
    ErrorHandler,
    Event,
    Flow,
    InsideJob,
    InvalidOption,
    JobManager,
    ManagerClosed,
    Routine,
    UnknownOption,
    get_execution_context,
    routine,
    slot,
)
from routilux_plugins.executors import aio, pooled, sequential, threaded
from routilux_plugins.executors.aio.executor import Asyncio
from routilux_plugins.executors.aio.settings import AsyncioSettings
from tests.core.gate import WAIT, Gate

NAME = "routilux-asyncio"
PLACE = ContextVar("place", default="nowhere")


def manager_with(**options):
    settings = {"executors": {"asyncio": options}}
    return JobManager(plugins=[aio, sequential], discover=False, executor="asyncio", settings=settings)


@pytest.fixture
def manager():
    with manager_with() as made:
        yield made
        made.shutdown(wait=False)


@pytest.fixture
def one_thread():
    """A manager with one thread for what is not async."""
    with manager_with(max_workers=1) as made:
        yield made
        made.shutdown(wait=False)


def threads():
    return sorted(thread.name for thread in threading.enumerate() if thread.name.startswith(NAME))


def chain(**routines):
    flow, before = Flow("flow"), None
    for name, made in routines.items():
        flow.add_routine(made, name)
        if before is not None:
            flow.connect(f"{before}.output", f"{name}.trigger")
        before = name
    return flow


def only(state, output):
    (payload,) = state.results[output]
    return payload


@routine
def fan(width):
    for n in range(width):
        yield {"n": n}


class Burst(Routine):
    """Gives all numbers at once."""

    output = Event("n")

    @slot
    def trigger(self, width):
        for n in range(width):
            self.emit("output", n=n)


@routine
async def where(n=0):
    await asyncio.sleep(0)
    return {"loop": asyncio.get_running_loop(), "thread": threading.current_thread().name}


@routine
def where_plain(n=0):
    return {"thread": threading.current_thread().name}


class Endless(Routine):
    """Awaits what never comes, and notes what becomes of it."""

    def __init__(self):
        super().__init__()
        self.begun, self.cancelled = threading.Semaphore(0), threading.Semaphore(0)

    @slot
    async def trigger(self, n=0):
        self.begun.release()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled.release()
            raise

    def wait(self, count=1):
        return all(self.begun.acquire(timeout=WAIT) for _ in range(count))

    def was_cancelled(self, count=1):
        return all(self.cancelled.acquire(timeout=WAIT) for _ in range(count))


# -- where handlers run --------------------------------------------------------------------------------


def test_all_async_handlers_run_on_one_loop_and_the_others_in_threads(manager):
    flow = chain(fan=fan(), where=where())
    flow.add_routine(where_plain(), "plain")
    flow.connect("fan.output", "plain.trigger")
    states = [flow.execute("fan", {"width": 5}) for _ in range(2)]
    seen = [payload for state in states for payload in state.results["where.output"]]
    assert len({id(payload["loop"]) for payload in seen}) == 1
    assert {payload["thread"] for payload in seen} == {f"{NAME}-loop-1"}
    plain = [payload["thread"] for state in states for payload in state.results["plain.output"]]
    assert len(plain) == 10
    assert all(name.startswith(f"{NAME}-") and "loop" not in name for name in plain)


def test_a_flow_without_async_handlers_needs_no_tasks(manager):
    state = chain(fan=fan(), plain=where_plain()).execute("fan", {"width": 50})
    assert len(state.results["plain.output"]) == 50


def test_a_thousand_async_handlers_wait_together(manager):
    there, crowd = [], asyncio.Event()

    @routine
    async def meet(n):
        there.append(n)
        if len(there) == 1000:
            crowd.set()
        await crowd.wait()

    assert chain(fan=fan(), meet=meet()).execute("fan", {"width": 1000}).status == "completed"
    assert sum("loop" in name for name in threads()) == 1


def test_a_handler_sees_no_context_variables_of_another(manager):
    @routine
    async def mark(n):
        before = PLACE.get()
        PLACE.set(n)
        await asyncio.sleep(0)
        return {"n": n, "before": before, "after": PLACE.get()}

    state = chain(fan=fan(), mark=mark()).execute("fan", {"width": 20})
    seen = state.results["mark.output"]
    assert {payload["before"] for payload in seen} == {"nowhere"}
    assert all(payload["n"] == payload["after"] for payload in seen)


def test_an_async_generator_keeps_its_context_variables(manager):
    @routine
    async def counting():
        token = PLACE.set(0)
        for _ in range(3):
            PLACE.set(PLACE.get() + 1)
            yield {"n": PLACE.get()}
        PLACE.reset(token)

    assert chain(a=counting()).execute("a").results["a.output"] == [{"n": 1}, {"n": 2}, {"n": 3}]


# -- on the loop of the application ----------------------------------------------------------------------


def test_execute_async_runs_async_handlers_on_the_loop_of_the_caller(manager):
    async def main():
        flow = chain(fan=fan(), where=where())
        flow.add_routine(where_plain(), "plain")
        flow.connect("fan.output", "plain.trigger")
        return await flow.execute_async("fan", {"width": 3}), asyncio.get_running_loop()

    state, loop = asyncio.run(main())
    assert {id(payload["loop"]) for payload in state.results["where.output"]} == {id(loop)}
    assert all(payload["thread"].startswith(NAME) for payload in state.results["plain.output"])


def test_what_was_made_on_the_loop_can_be_used_by_handlers(manager):
    async def main():
        answers, begun = asyncio.get_running_loop().create_future(), asyncio.Event()

        @routine
        async def ask():
            begun.set()
            return {"answer": await answers}

        task = asyncio.create_task(chain(a=ask()).execute_async("a"))
        await begun.wait()
        answers.set_result(42)
        return await task

    assert asyncio.run(main()).results["a.output"] == [{"answer": 42}]


def test_handlers_see_the_context_variables_of_who_awaits_the_job(manager):
    @routine
    async def tell():
        PLACE.set("moved")
        return {"place": PLACE.get()}

    @routine
    async def read():
        return {"place": PLACE.get()}

    async def main():
        PLACE.set("here")
        state = await chain(a=read()).execute_async("a")
        await chain(a=tell()).execute_async("a")
        return state, PLACE.get()

    state, place = asyncio.run(main())
    assert only(state, "a.output") == {"place": "here"}
    assert place == "here"


def test_the_loop_goes_on_while_a_plain_handler_blocks(manager):
    async def main():
        with Gate() as gate:

            @routine
            def held():
                gate.pass_through()

            task = asyncio.create_task(chain(a=held()).execute_async("a"))
            await asyncio.to_thread(gate.wait)
            other = await chain(a=where()).execute_async("a")
            assert not task.done()
            gate.open()
            return other.status, (await task).status

    assert asyncio.run(main()) == ("completed", "completed")


def test_a_job_that_is_started_runs_on_a_loop_of_its_executor(manager):
    async def main():
        state = chain(a=where()).start("a")
        await asyncio.to_thread(manager.wait_for_all_jobs, WAIT)
        return state

    assert only(asyncio.run(main()), "a.output")["thread"] == f"{NAME}-loop-1"


def test_a_blocking_execute_in_a_coroutine_runs_on_a_loop_of_its_executor(manager):
    async def main():
        return chain(a=where()).execute("a")

    assert only(asyncio.run(main()), "a.output")["thread"] == f"{NAME}-loop-1"


def test_a_job_that_was_paused_goes_on_on_its_loop(manager):
    @routine
    async def pause():
        get_execution_context().job.pause()
        return {"n": 1}

    async def main():
        flow = chain(pause=pause(), where=where())
        state = await flow.execute_async("pause")
        assert state.status == "paused"
        flow.resume(state)
        job = manager.get_job(state.job_id)
        if job is not None:
            await job
        return state, asyncio.get_running_loop()

    state, loop = asyncio.run(main())
    assert only(state, "where.output")["loop"] is loop


def test_a_job_whose_loop_is_gone_goes_on_on_one_of_its_executor(manager):
    @routine
    async def pause():
        get_execution_context().job.pause()
        return {"n": 1}

    flow = chain(pause=pause(), where=where())
    state = asyncio.run(flow.execute_async("pause"))
    assert state.status == "paused"
    flow.resume(state)
    assert flow.wait_for_completion(WAIT)
    assert only(state, "where.output")["thread"] == f"{NAME}-loop-1"


def test_the_end_of_the_loop_cancels_its_jobs(manager):
    held, states = Endless(), []
    flow = chain(a=held)

    async def main():
        task = asyncio.create_task(flow.execute_async("a"))
        await asyncio.to_thread(held.wait)
        states.extend(job.job_state for job in manager.running_jobs)
        assert not task.done()

    asyncio.run(main())
    assert [state.status for state in states] == ["cancelled"]
    assert held.was_cancelled()
    assert [task.routine_id for task in states[0].pending_tasks] == ["a"]
    assert manager.running_jobs == []


def test_waiting_on_the_loop_that_the_job_needs_is_refused(manager):
    """It would wait for ever: the job can only go on when the one that waits lets go of the loop."""
    held = Endless()

    async def main():
        task = asyncio.create_task(chain(a=held).execute_async("a"))
        await asyncio.to_thread(held.wait)
        (job,) = manager.running_jobs
        for waits in (job.wait, manager.shutdown):
            with pytest.raises(InsideJob, match="await the job"):
                waits()
        assert not manager.closed
        job.cancel()
        return await task

    assert asyncio.run(main()).status == "cancelled"


def test_a_pause_on_the_loop_that_the_job_needs_does_not_wait(manager):
    async def main():
        begun, go_on = asyncio.Event(), asyncio.Event()

        @routine
        async def held():
            begun.set()
            await go_on.wait()
            return {"n": 1}

        flow = chain(a=held(), where=where())
        task = asyncio.create_task(flow.execute_async("a"))
        await begun.wait()
        (job,) = manager.running_jobs
        flow.pause(job.job_state)
        between = job.job_state.status
        go_on.set()
        return between, (await task).status

    assert asyncio.run(main()) == ("pausing", "paused")


# -- jobs within jobs ------------------------------------------------------------------------------------


def nest(kinds):
    """Return a flow whose handler runs the next one inside itself, in the way that its kind says."""

    @routine
    async def awaits(depth):
        inner = nest(kinds[1:]) if depth else None
        state = inner and await inner.execute_async("a", {"depth": depth - 1}, raise_on_error=True)
        return {"depth": 1 + only(state, "a.output")["depth"] if state else 0}

    @routine
    async def blocks(depth):
        state = depth and nest(kinds[1:]).execute("a", {"depth": depth - 1}, raise_on_error=True)
        return {"depth": 1 + only(state, "a.output")["depth"] if state else 0}

    @routine
    def plain(depth):
        state = depth and nest(kinds[1:]).execute("a", {"depth": depth - 1}, raise_on_error=True)
        return {"depth": 1 + only(state, "a.output")["depth"] if state else 0}

    @routine
    async def starts(depth):
        if not depth:
            return {"depth": 0}
        inner = nest(kinds[1:])
        state = inner.start("a", {"depth": depth - 1})
        await asyncio.sleep(0.001)
        inner.wait_for_completion()
        return {"depth": 1 + only(state, "a.output")["depth"]}

    made = {"awaits": awaits, "blocks": blocks, "plain": plain, "starts": starts}
    return chain(a=made[kinds[0]]())


KINDS = {
    "awaiting": ["awaits"] * 6,
    "blocking the loop": ["blocks"] * 6,
    "in plain handlers": ["plain"] * 6,
    "starting, then blocking": ["starts"] * 6,
    "mixed": ["plain", "awaits", "blocks", "plain", "starts", "awaits", "plain", "blocks", "awaits"],
    "blocked below": ["blocks", "plain", "blocks", "plain", "awaits"],
}


@pytest.mark.parametrize("kinds", KINDS.values(), ids=KINDS)
def test_jobs_within_jobs_never_wait_for_each_other(one_thread, kinds):
    depth = len(kinds) - 1
    state = nest(kinds).execute("a", {"depth": depth}, raise_on_error=True)
    assert only(state, "a.output") == {"depth": depth}


@pytest.mark.parametrize("kinds", KINDS.values(), ids=KINDS)
def test_nor_do_they_on_the_loop_of_the_application(one_thread, kinds):
    depth = len(kinds) - 1
    state = asyncio.run(nest(kinds).execute_async("a", {"depth": depth}, raise_on_error=True))
    assert only(state, "a.output") == {"depth": depth}


def test_no_more_threads_work_after_handlers_have_waited_for_jobs():
    class Nested(Routine):
        @slot
        def trigger(self, depth):
            if depth:
                nested.execute("nested", {"depth": depth - 1})

    busy, most = [], []

    @routine
    def count(n):
        busy.append(n)
        most.append(len(busy))
        sleep(0)
        busy.pop()

    nested, wide = Flow("nested"), Flow("wide")
    nested.add_routine(Nested(), "nested")
    wide.add_routine(count(), "count")
    with manager_with(max_workers=1) as manager:
        for _ in range(5):
            manager.execute(nested, "nested", {"depth": 2})
        for _ in range(10):
            state = manager.start_job(wide, "count", {"n": 0})
            for n in range(20):
                manager.post(state.job_id, "count", n=n)
            manager.wait_for_all_jobs()
    assert max(most) == 1


def test_a_job_that_a_handler_awaits_runs_on_the_same_loop(manager):
    @routine
    async def outer():
        state = await chain(a=where()).execute_async("a")
        return {"same": only(state, "a.output")["loop"] is asyncio.get_running_loop()}

    flow = chain(a=outer())
    assert only(flow.execute("a"), "a.output") == {"same": True}
    assert only(asyncio.run(flow.execute_async("a")), "a.output") == {"same": True}
    assert [name for name in threads() if "loop" in name] == [f"{NAME}-loop-1"]


def test_awaiting_ones_own_job_is_refused(manager):
    @routine
    async def own():
        await get_execution_context().job

    assert chain(a=own()).execute("a").errors[0].type == "InsideJob"


def test_a_loop_for_handlers_of_another_executor_stays_theirs(manager):
    """A handler there may block it, and the job that it awaits would stand still."""

    @routine
    async def outer():
        state = await chain(a=where()).execute_async("a")
        return {"thread": only(state, "a.output")["thread"]}

    state = chain(a=outer()).execute("a", executor="sequential")
    assert only(state, "a.output") == {"thread": f"{NAME}-loop-1"}


# -- cancelling ------------------------------------------------------------------------------------------


def test_a_cancelled_job_cancels_all_its_handlers(manager):
    held = Endless()
    flow = chain(fan=fan(), a=held)
    state = flow.start("fan", {"width": 50})
    assert held.wait(50)
    flow.cancel(state)
    assert held.was_cancelled(50)
    assert (state.status, len(state.pending_tasks)) == ("cancelled", 50)


def test_a_deadline_cancels_the_handlers(manager):
    held = Endless()
    state = chain(a=held).execute("a", timeout=0.05)
    assert held.was_cancelled()
    assert (state.status, state.errors[0].type) == ("failed", "JobTimeout")


def test_a_time_limit_cancels_one_attempt(manager):
    attempts = []

    @routine(timeout=0.05, retry=ErrorHandler("retry", retry_delay=0))
    async def slow():
        attempts.append(get_execution_context().attempt)
        if len(attempts) < 3:
            await asyncio.Event().wait()
        return {"n": len(attempts)}

    state = chain(a=slow()).execute("a")
    assert (only(state, "a.output"), attempts) == ({"n": 3}, [1, 2, 3])
    assert [error.type for error in state.errors] == ["ActivationTimeout"] * 2


def test_an_attempt_that_returns_late_leaves_the_next_its_time_limit(manager):
    """Control: with time limits by the number of the activation, the second attempt never ends."""
    second = asyncio.Event()

    @routine(timeout=0.05, retry=ErrorHandler("retry", retry_delay=0, max_retries=1))
    async def slow():
        if get_execution_context().attempt == 2:
            second.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await second.wait()

    state = chain(a=slow()).execute("a")
    assert [error.type for error in state.errors] == ["ActivationTimeout"] * 2


def test_what_a_cancelled_handler_still_does_is_refused(manager):
    begun, went_on = threading.Event(), threading.Event()

    class Stubborn(Routine):
        @slot
        async def trigger(self):
            begun.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                get_execution_context().job_state.update_shared_data("late", 1)
            went_on.set()

    flow = chain(a=Stubborn())
    state = flow.start("a")
    assert begun.wait(WAIT)
    flow.cancel(state)
    assert went_on.wait(WAIT)
    manager.shutdown()
    assert dict(state.shared_data) == {}
    assert [task.routine_id for task in state.pending_tasks] == ["a"]


def test_a_handler_that_fails_cancels_no_other(manager):
    @routine
    async def fail_at(n):
        await asyncio.sleep(0)
        if n == 3:
            raise OSError("no disk")
        return {"n": n}

    flow = chain(fan=fan(), a=fail_at())
    flow.set_error_handler(ErrorHandler("continue"))
    state = flow.execute("fan", {"width": 10})
    assert (state.status, len(state.results["a.output"])) == ("completed", 9)


def test_an_async_generator_is_closed_on_its_loop(manager):
    closed, begun, end = [], threading.Event(), asyncio.Event()

    @routine
    async def source():
        try:
            yield {"n": 1}
        finally:
            await asyncio.sleep(0)
            closed.append(asyncio.get_running_loop())
            end.set()

    @routine
    async def hold(n):
        begun.set()
        await asyncio.Event().wait()

    async def main():
        flow = chain(source=source(), hold=hold())
        flow.add_routine(where(), "where")
        task = asyncio.create_task(flow.execute_async("source"))
        await asyncio.to_thread(begun.wait, WAIT)
        (job,) = manager.running_jobs
        job.pause()
        job.cancel()
        await task
        await end.wait()
        return asyncio.get_running_loop()

    assert [asyncio.run(main())] == closed


# -- limits ------------------------------------------------------------------------------------------------


class Crowd(Routine):
    """Counts how many are inside at once."""

    def __init__(self, **options):
        super().__init__()
        self.inside = self.most = 0
        self.define_slot("trigger", self.stay, **options)

    async def stay(self, n):
        self.inside += 1
        self.most = max(self.most, self.inside)
        for _ in range(3):
            await asyncio.sleep(0)
        self.inside -= 1


def test_a_slot_limits_its_tasks(manager):
    crowd = Crowd(concurrency=3)
    chain(fan=fan(), a=crowd).execute("fan", {"width": 40})
    assert crowd.most == 3


def test_a_flow_limits_its_tasks(manager):
    crowd = Crowd()
    flow = chain(fan=fan(), a=crowd)
    flow.set_execution_strategy("asyncio", max_workers=4)
    flow.execute("fan", {"width": 40})
    assert crowd.most == 4


def test_an_option_limits_the_tasks_of_each_job():
    with manager_with(max_tasks=5):
        crowd = Crowd()
        assert chain(fan=fan(), a=crowd).execute("fan", {"width": 40}).status == "completed"
        assert crowd.most == 5


def test_higher_priorities_come_first():
    order = []

    @routine
    def source():
        return {"n": 1}

    class Noted(Routine):
        def __init__(self, name, priority):
            super().__init__()
            self.name = name
            self.define_slot("trigger", self.note, priority=priority)

        async def note(self, n):
            order.append(self.name)
            await asyncio.sleep(0)

    flow = Flow("flow")
    flow.add_routine(source(), "source")
    for name, priority in (("low", 1), ("high", 9), ("middle", 5)):
        flow.add_routine(Noted(name, priority), name)
        flow.connect("source.output", f"{name}.trigger")
    with manager_with(max_tasks=1):
        flow.execute("source")
    assert order == ["high", "middle", "low"]


def test_async_handlers_pass_the_others_that_wait_for_a_thread(one_thread):
    """Control: with one queue for both, they would stand behind what waits for the thread."""
    with Gate() as gate:
        passed = threading.Semaphore(0)

        @routine
        def held(n):
            gate.pass_through()

        @routine
        async def passing(n):
            passed.release()

        flow = chain(fan=Burst(), held=held())
        flow.add_routine(passing(), "passing")
        flow.connect("fan.output", "passing.trigger")
        state = flow.start("fan", {"width": 20})
        assert all(passed.acquire(timeout=WAIT) for _ in range(20))
        gate.open()
        assert flow.wait_for_completion(WAIT)
    assert state.status == "completed"


def test_an_endless_source_waits_for_those_that_it_feeds():
    gave = [0]

    @routine
    async def source():
        while True:
            gave[0] += 1
            yield {"n": gave[0]}

    held = Endless()
    settings = {"executors": {"asyncio": {"max_tasks": 5}}, "max_ready": 10}
    with JobManager(plugins=[aio], discover=False, executor="asyncio", settings=settings):
        flow = chain(source=source(), held=held)
        state = flow.start("source")
        assert held.wait(5)
        flow.pause(state, timeout=0.05)
        assert not held.begun.acquire(blocking=False)
        assert 5 <= gave[0] <= 5 + 10 + 1
        flow.cancel(state)


def test_jobs_take_turns_on_the_loop(manager):
    @routine
    async def step(n):
        await asyncio.sleep(0)

    large = chain(fan=fan(), a=step()).start("fan", {"width": 5000})
    for _ in range(3):
        assert chain(a=where()).execute("a").status == "completed"
    assert large.status == "running"
    assert manager.wait_for_all_jobs(WAIT)


# -- the end -----------------------------------------------------------------------------------------------


def test_nothing_is_left_after_a_shutdown():
    held = Endless()
    manager = manager_with()
    with manager:
        chain(fan=fan(), a=where(), b=where_plain()).execute("fan", {"width": 0})
        chain(a=where_plain()).execute("a")
        state = chain(a=held).start("a")
        assert held.wait()
        assert threads()
        manager.shutdown(wait=False)
    assert held.was_cancelled()
    assert state.status == "cancelled"
    assert threads() == []


def test_a_handler_that_is_cancelled_has_time_to_end(manager):
    begun, ended = threading.Event(), []

    @routine
    async def careful():
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            for _ in range(10):
                await asyncio.sleep(0.001)
            ended.append(True)

    chain(a=careful()).start("a")
    assert begun.wait(WAIT)
    manager.shutdown(wait=False)
    assert ended == [True]


def test_what_handlers_have_left_behind_ends_too(manager):
    left = Endless()

    @routine
    async def leaves():
        asyncio.get_running_loop().left = asyncio.create_task(left.trigger())
        await asyncio.to_thread(left.wait)

    chain(a=leaves()).execute("a")
    manager.shutdown()
    assert left.was_cancelled()
    assert threads() == []


def test_a_stop_from_elsewhere_ends_what_runs_on_the_loop_of_the_application():
    held = Endless()
    manager = manager_with()

    async def main():
        task = asyncio.create_task(manager.execute_async(chain(a=held), "a"))
        await asyncio.to_thread(held.wait)
        await asyncio.to_thread(manager.shutdown, wait=False)
        cancelled = held.was_cancelled()
        return cancelled, (await task).status

    assert asyncio.run(main()) == (True, "cancelled")
    assert threads() == []


def test_a_manager_can_be_closed_on_the_loop_of_the_application():
    async def main():
        with manager_with():
            return await chain(fan=fan(), a=where()).execute_async("fan", {"width": 3})

    assert len(asyncio.run(main()).results["a.output"]) == 3
    assert threads() == []


def test_an_executor_that_was_stopped_opens_nothing():
    executor = Asyncio()
    executor.stop()
    executor.stop()
    with JobManager(executor=executor, discover=False), pytest.raises(ManagerClosed):
        chain(a=where()).execute("a")


def test_a_stop_cancels_a_job_that_still_runs():
    executor, held = Asyncio(), Endless()
    with JobManager(executor=executor, discover=False) as manager:
        state = chain(a=held).start("a")
        assert held.wait()
        executor.stop()
        assert manager.wait_for_all_jobs(WAIT)
    assert (state.status, threads()) == ("cancelled", [])


# -- options and the other executors -------------------------------------------------------------------


@pytest.mark.parametrize("name", ["max_tasks", "max_workers"])
@pytest.mark.parametrize("wrong", [0, -1, "5", 1.5, True])
def test_wrong_options_are_refused(name, wrong):
    with pytest.raises(InvalidOption, match=name):
        manager_with(**{name: wrong})
    with pytest.raises(InvalidOption, match=name):
        AsyncioSettings(**{name: wrong})


def test_misspelt_options_are_refused():
    with pytest.raises(UnknownOption, match="max_tasks"):
        manager_with(max_task=3)


@pytest.mark.parametrize("name", ["pooled", "sequential", "threaded"])
def test_the_other_executors_run_async_handlers_too(name):
    @routine
    async def double(n):
        await asyncio.sleep(0)
        return {"n": 2 * n}

    @routine
    async def both(n):
        yield {"n": n}
        await asyncio.sleep(0)
        yield {"n": -n}

    with JobManager(plugins=[aio, pooled, sequential, threaded], discover=False):
        flow = chain(fan=fan(), double=double(), both=both())
        state = flow.execute("fan", {"width": 5}, executor=name)
        held = Endless()
        endless = chain(a=held).start("a", executor=name)
        assert held.wait()
        get_job = endless._job  # noqa: SLF001 - the job of a state that runs
        get_job.cancel()
        assert held.was_cancelled()
    numbers = sorted(payload["n"] for payload in state.results["both.output"])
    assert numbers == [-8, -6, -4, -2, 0, 0, 2, 4, 6, 8]
