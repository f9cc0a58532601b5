"""Live outputs and records: from the beginning, from the middle, after the end, for threads and for loops."""

import asyncio
import threading

from routilux_core import Flow, JobManager, Routine, get_execution_context
from routilux_plugins.executors import sequential
from tests.core.gate import WAIT, Gate


class Telling(Routine):
    """Sends outputs around a gate."""

    def __init__(self, gate, *, pauses=False):
        super().__init__()
        self.gate = gate
        self.pauses = pauses
        self.define_slot("trigger", self.act)

    def act(self):
        self.send_output("progress", percent=0)
        self.send_output("progress", percent=50)
        self.gate.pass_through()
        if self.pauses:
            get_execution_context().job.pause()
        self.send_output("progress", percent=100)


def telling(manager, gate, **options):
    flow = Flow("flow")
    flow.add_routine(Telling(gate, **options), "a")
    job = manager.get_job(flow.start("a").job_id)
    gate.wait()
    return flow, job


def percents(outputs):
    return [output["data"]["percent"] for output in outputs]


def test_outputs_come_from_the_first_one_on_and_end_with_the_job(manager):
    with Gate() as gate:
        _, job = telling(manager, gate)
        feed = job.outputs()
        assert percents([next(feed), next(feed)]) == [0, 50]
        gate.open()
        assert percents(feed) == [100]


def test_a_reader_that_waits_is_woken(manager):
    with Gate() as gate:
        _, job = telling(manager, gate)
        feed, seen = job.outputs(), []
        reader = threading.Thread(target=lambda: seen.extend(feed))
        reader.start()
        gate.open()
        reader.join(WAIT)
    assert percents(seen) == [0, 50, 100]


def test_outputs_after_the_end(manager):
    with Gate() as gate:
        _, job = telling(manager, gate)
        gate.open()
        assert job.wait(WAIT)
    assert percents(job.outputs()) == [0, 50, 100]
    assert [record.event_name for record in job.records()] == ["start", "completed"]


def test_each_reader_gets_everything(manager):
    with Gate() as gate:
        _, job = telling(manager, gate)
        feeds = [job.outputs(), job.outputs()]
        gate.open()
        assert [percents(feed) for feed in feeds] == [[0, 50, 100], [0, 50, 100]]


def test_records_are_the_history(manager):
    with Gate() as gate:
        _, job = telling(manager, gate)
        feed = job.records()
        assert next(feed).event_name == "start"
        job.job_state.record_execution("a", "note", {"n": 1})
        assert next(feed).data == {"n": 1}
        gate.open()
        assert [record.event_name for record in feed] == ["completed"]
    assert list(job.records()) == job.job_state.execution_history


def test_no_output_is_missed_or_told_twice_while_readers_come_and_go():
    """Control: a feed that forgets which number it began at gives outputs twice."""
    gave = []

    class Busy(Routine):
        def __init__(self):
            super().__init__()
            self.define_slot("trigger", self.act)

        def act(self):
            for n in range(300):
                self.send_output("progress", percent=n)

    with JobManager(plugins=[sequential], discover=False) as manager:
        flow = Flow()
        flow.add_routine(Busy(), "a")
        job = manager.get_job(flow.start("a").job_id)
        while job is not None and job.is_running:
            gave.append(job.outputs())
            if len(gave) > 20:
                job.wait(WAIT)
        assert all(percents(feed) == list(range(300)) for feed in gave)


def test_a_pause_ends_a_feed(manager):
    with Gate() as gate:
        flow, job = telling(manager, gate, pauses=True)
        feed = job.outputs()
        gate.open()
        assert percents(feed) == [0, 50, 100]
        assert job.wait(WAIT)
        assert job.status == "paused"
        flow.resume(job.job_state)
        assert job.wait(WAIT)


def test_feeds_work_in_event_loops(manager):
    async def main():
        with Gate() as gate:
            _, job = telling(manager, gate)
            feed = job.outputs()
            first = [await anext(feed), await anext(feed)]
            asyncio.get_running_loop().call_later(0.001, gate.open)
            return percents(first), percents([output async for output in feed]), job

    first, rest, job = asyncio.run(main())
    assert (first, rest) == ([0, 50], [100])
    assert job.job_state.status == "completed"


def test_records_in_an_event_loop_after_the_end(manager):
    async def main():
        with Gate() as gate:
            _, job = telling(manager, gate)
            gate.open()
            await job
            return [record.event_name async for record in job.records()]

    assert asyncio.run(main()) == ["start", "completed"]


def test_a_reader_that_gave_up_does_not_disturb_the_others(manager):
    async def main():
        with Gate() as gate:
            _, job = telling(manager, gate)
            feed = job.records()
            await anext(feed)
            waiting = asyncio.ensure_future(anext(feed))
            await asyncio.sleep(0)
            waiting.cancel()
            gate.open()
            return [record.event_name async for record in feed]

    assert asyncio.run(main()) == ["completed"]
