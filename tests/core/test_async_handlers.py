"""Async handlers, and flows run from async code."""

import asyncio
import threading

import pytest

from routilux_core import Flow, JobFailed, JobManager, Routine, get_execution_context, routine
from routilux_plugins.executors import sequential
from routilux_plugins.executors.sequential import Sequential
from tests.core.gate import WAIT, Gate


@routine
async def double(n):
    await asyncio.sleep(0)
    return {"n": 2 * n}


@routine
def plain(n):
    return {"n": n + 1}


@routine
async def fail(n):
    await asyncio.sleep(0)
    raise OSError("no disk")


def flow_of(**routines):
    flow = Flow("flow")
    for name, made in routines.items():
        flow.add_routine(made, name)
    return flow


def chain():
    flow = flow_of(a=double(), b=plain(), c=double())
    flow.connect("a.output", "b.trigger")
    flow.connect("b.output", "c.trigger")
    return flow


def test_async_handlers_run_from_plain_code(manager):
    state = chain().execute("a", {"n": 1})
    assert state.results == {"c.output": [{"n": 6}]}


def test_an_async_generator_is_heard_at_each_yield(manager):
    @routine
    async def count(until):
        for n in range(until):
            await asyncio.sleep(0)
            yield {"n": n}

    flow = flow_of(a=count())
    assert flow.execute("a", {"until": 3}).results == {"a.output": [{"n": 0}, {"n": 1}, {"n": 2}]}


def test_a_blocking_execute_works_inside_a_running_loop(manager):
    async def main():
        return chain().execute("a", {"n": 1})

    assert asyncio.run(main()).results == {"c.output": [{"n": 6}]}


def test_a_blocking_execute_works_inside_an_async_handler(manager):
    @routine
    async def outer(n):
        state = chain().execute("a", {"n": n})
        return state.results["c.output"][0]

    assert flow_of(a=outer()).execute("a", {"n": 1}).results == {"a.output": [{"n": 6}]}


def test_blocking_executes_nest_in_async_handlers(manager):
    @routine
    async def nest(depth):
        if depth == 0:
            return {"depth": 0}
        inner = flow_of(a=nest()).execute("a", {"depth": depth - 1}, raise_on_error=True)
        return {"depth": 1 + inner.results["a.output"][0]["depth"]}

    assert flow_of(a=nest()).execute("a", {"depth": 5}).results == {"a.output": [{"depth": 5}]}


def test_an_async_handler_may_start_a_job_and_wait_for_it(manager):
    """Control: with one loop alone, the inner handler waits for the loop that the outer one blocks."""

    @routine
    async def outer(n):
        flow = chain()
        state = flow.start("a", {"n": n})
        flow.wait_for_completion()
        return state.results["c.output"][0]

    flow = flow_of(a=outer())
    for _ in range(20):
        assert flow.execute("a", {"n": 1}).results == {"a.output": [{"n": 6}]}
    assert sum(thread.name == "routilux-loop" for thread in threading.enumerate()) <= 2


def test_an_async_handler_may_await_an_inner_job(manager):
    @routine
    async def outer(n):
        state = await chain().execute_async("a", {"n": n})
        return state.results["c.output"][0]

    assert flow_of(a=outer()).execute("a", {"n": 1}).results == {"a.output": [{"n": 6}]}


def test_execute_async_leaves_the_loop_free(manager):
    async def main():
        ticks = 0
        with Gate() as gate:

            @routine
            def held():
                gate.pass_through()

            task = asyncio.create_task(flow_of(a=held()).execute_async("a"))
            while not manager.running_jobs:
                await asyncio.sleep(0)
                ticks += 1
            for _ in range(10):
                await asyncio.sleep(0)
                ticks += 1
            assert not task.done()
            gate.open()
            return ticks, await task

    ticks, state = asyncio.run(main())
    assert ticks >= 10
    assert state.status == "completed"


def test_many_jobs_run_at_once_from_one_loop(manager):
    async def main():
        flow = chain()
        states = await asyncio.gather(*(flow.execute_async("a", {"n": n}) for n in range(20)))
        return [state.results["c.output"][0]["n"] for state in states]

    assert asyncio.run(main()) == [(2 * n + 1) * 2 for n in range(20)]


def test_execute_async_may_raise(manager):
    async def main():
        await flow_of(a=fail()).execute_async("a", {"n": 1}, raise_on_error=True)

    with pytest.raises(JobFailed) as caught:
        asyncio.run(main())
    assert isinstance(caught.value.__cause__, OSError)


def test_the_failure_of_an_async_handler_is_like_any_other(manager):
    state = flow_of(a=fail()).execute("a", {"n": 1})
    assert (state.status, state.errors[0].type) == ("failed", "OSError")


def test_a_job_can_be_awaited(manager):
    async def main():
        state = chain().start("a", {"n": 1})
        job = manager.get_job(state.job_id)
        ended = True if job is None else await job
        return ended, state.status

    assert asyncio.run(main()) == (True, "completed")


def test_an_ended_job_can_be_awaited_too(manager):
    async def main():
        with Gate() as gate:

            @routine
            def held():
                gate.pass_through()

            state = flow_of(a=held()).start("a")
            job = manager.get_job(state.job_id)
            gate.open()
            assert await job
            return await job

    assert asyncio.run(main()) is True


def test_cancelling_the_awaiting_task_cancels_the_job(manager):
    states = []

    async def main():
        with Gate() as gate:

            @routine
            def held():
                states.append(get_execution_context().job_state)
                gate.pass_through()

            task = asyncio.create_task(flow_of(a=held()).execute_async("a"))
            await asyncio.to_thread(gate.wait)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return states[0].status

    assert asyncio.run(main()) == "cancelled"


def test_a_cancelled_job_cancels_its_async_handler(manager):
    reached, cancelled = threading.Event(), threading.Event()

    @routine
    async def endless():
        reached.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    flow = flow_of(a=endless())
    state = flow.start("a")
    assert reached.wait(WAIT)
    flow.cancel(state)
    assert cancelled.wait(WAIT)
    assert state.status == "cancelled"
    assert [task.routine_id for task in state.pending_tasks] == ["a"]


class Telling(Sequential):
    """Says when it has heard that nobody waits for an activation any more."""

    def __init__(self, told):
        super().__init__()
        self.told = told

    def open(self, job):
        lane = super().open(job)
        lane.void = lambda _activation: self.told()
        return lane


def test_a_job_whose_time_is_up_before_its_async_handler_has_begun_ends():
    @routine
    async def block():
        gate.pass_through()

    with Gate() as gate, JobManager(executor="sequential", discover=False, plugins=[sequential]) as manager:
        manager.start_job(flow_of(a=block()), "a")
        gate.wait()
        state = manager.execute(flow_of(a=double()), "a", {"n": 1}, timeout=0.1, executor=Telling(gate.open))
    assert [error.type for error in state.errors] == ["JobTimeout"]


def test_the_context_follows_the_task(manager):
    class Seeing(Routine):
        def __init__(self):
            super().__init__()
            self.define_slot("trigger", self.act)
            self.define_event("out")

        async def act(self):
            self.emit("out", who=await asyncio.create_task(self.deeper()))

        async def deeper(self):
            await asyncio.sleep(0)
            return get_execution_context().routine_id

    assert flow_of(a=Seeing()).execute("a").results == {"a.out": [{"who": "a"}]}


def test_the_context_follows_to_a_thread_of_the_loop(manager):
    class Seeing(Routine):
        def __init__(self):
            super().__init__()
            self.define_slot("trigger", self.act)
            self.define_event("out")

        async def act(self):
            self.emit("out", who=await asyncio.to_thread(lambda: get_execution_context().routine_id))

    assert flow_of(a=Seeing()).execute("a").results == {"a.out": [{"who": "a"}]}


def test_a_handler_that_only_returns_an_awaitable_is_refused(manager):
    class Hidden(Routine):
        def __init__(self):
            super().__init__()
            self.define_slot("trigger", self.hidden)

        def hidden(self):
            return self.act()

        async def act(self):
            """Never run."""

    state = flow_of(a=Hidden()).execute("a")
    assert state.errors[0].type == "InvalidHandler"
    assert "async def" in state.errors[0].message


def test_async_work_is_over_after_a_shutdown(manager):
    chain().execute("a", {"n": 1})
    assert any(thread.name == "routilux-loop" for thread in threading.enumerate())
    manager.shutdown()
    assert not any(thread.name.startswith("routilux") for thread in threading.enumerate())


def test_a_paused_job_that_is_cancelled_after_a_shutdown_starts_no_thread(manager):
    @routine
    async def count(until):
        for n in range(until):
            yield {"n": n}
            get_execution_context().job.pause()

    flow = flow_of(a=count())
    state = flow.execute("a", {"until": 3})
    manager.shutdown()
    flow.cancel(state)
    assert state.status == "cancelled"
    assert not any(thread.name.startswith("routilux") for thread in threading.enumerate())
