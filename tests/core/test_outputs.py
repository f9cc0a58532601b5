"""Outputs: at once, to a handler and to the log, tagged with the attempt."""

import threading
from datetime import UTC
from queue import Queue

import pytest

from routilux_core import (
    CallbackOutputHandler,
    ErrorHandler,
    Flow,
    InvalidOption,
    JobState,
    NullOutputHandler,
    OutputHandler,
    QueueOutputHandler,
    Routine,
    get_execution_context,
    slot,
)


class Telling(Routine):
    @slot
    def trigger(self, times=1):
        for number in range(times):
            self.send_output("progress", number=number)


def flow_of(made):
    flow = Flow("told")
    flow.add_routine(made, "it")
    return flow


def run(made, handler=None, **data):
    state = JobState("told")
    if handler is not None:
        state.set_output_handler(handler)
    flow_of(made).execute("it", data, job_state=state)
    return state


def drained(queue):
    return [queue.get_nowait() for _ in range(queue.qsize())]


def test_a_queue_gets_each_output_in_order(manager):
    handler = QueueOutputHandler()
    run(Telling(), handler, times=3)
    assert [output["data"] for output in drained(handler.queue)] == [
        {"number": 0},
        {"number": 1},
        {"number": 2},
    ]


def test_a_queue_of_ones_own_is_used():
    queue = Queue()
    assert QueueOutputHandler(queue).queue is queue
    assert QueueOutputHandler().queue is not QueueOutputHandler().queue


def test_a_callback_gets_each_output(manager):
    got = []
    run(Telling(), CallbackOutputHandler(got.append), times=2)
    assert [output["data"]["number"] for output in got] == [0, 1]


def test_the_null_handler_keeps_nothing_but_the_log_does(manager):
    state = run(Telling(), NullOutputHandler(), times=2)
    assert len(state.output_log) == 2


def test_without_a_handler_the_log_has_them(manager):
    state = run(Telling(), times=2)
    assert [entry["data"] for entry in state.output_log] == [{"number": 0}, {"number": 1}]


def test_what_an_output_says(manager):
    entry = run(Telling()).output_log[0]
    assert set(entry) == {"output_type", "routine_id", "data", "timestamp", "attempt"}
    assert (entry["output_type"], entry["routine_id"], entry["attempt"]) == ("progress", "it", 1)
    assert entry["timestamp"].tzinfo is UTC


def test_handler_and_log_have_the_same(manager):
    handler = QueueOutputHandler()
    state = run(Telling(), handler, times=3)
    assert drained(handler.queue) == state.output_log


def test_an_output_goes_out_while_its_handler_still_runs(manager):
    arrived = threading.Event()

    class Slow(Routine):
        @slot
        def trigger(self):
            self.send_output("begun")
            assert arrived.wait(10)

    assert run(Slow(), CallbackOutputHandler(lambda output: arrived.set())).status == "completed"


def test_outputs_of_failed_attempts_stay_and_are_told_apart(manager):
    class Flaky(Routine):
        @slot(retry=ErrorHandler("retry", max_retries=2, retry_delay=0))
        def trigger(self):
            self.send_output("try")
            if get_execution_context().attempt < 3:
                raise OSError

    state = run(Flaky())
    assert state.status == "completed"
    assert [entry["attempt"] for entry in state.output_log] == [1, 2, 3]


def test_field_names_of_ours_may_be_fields(manager):
    class Odd(Routine):
        @slot
        def trigger(self):
            self.send_output("odd", self=1, output_type=2, data=3)

    assert run(Odd()).output_log[0]["data"] == {"self": 1, "output_type": 2, "data": 3}


def test_a_state_sends_for_the_running_routine(manager):
    class Through(Routine):
        @slot
        def trigger(self):
            get_execution_context().job_state.send_output("note", text="x")

    entry = run(Through()).output_log[0]
    assert (entry["routine_id"], entry["data"]) == ("it", {"text": "x"})


def test_a_state_sends_outside_a_job_too():
    got = []
    state = JobState("told")
    state.set_output_handler(CallbackOutputHandler(got.append))
    state.send_output("note", text="x")
    assert got == state.output_log
    assert got[0]["routine_id"] is None


def test_a_handler_that_raises_harms_no_job(manager, caplog):
    def refuse(output):
        raise OSError("full")

    state = run(Telling(), CallbackOutputHandler(refuse), times=2)
    assert state.status == "completed"
    assert len(state.output_log) == 2
    assert "the output handler raised" in caplog.text


@pytest.mark.parametrize(
    "handler", [print, "queue", Queue(), QueueOutputHandler], ids=["print", "text", "queue", "class"]
)
def test_an_output_handler_must_be_one(handler):
    state = JobState("told")
    with pytest.raises(
        InvalidOption, match=r"output handler cannot be .*; it takes an OutputHandler, or None"
    ):
        state.set_output_handler(handler)


def test_a_handler_can_be_taken_away(manager):
    handler = QueueOutputHandler()
    state = JobState("told")
    state.set_output_handler(handler)
    state.set_output_handler(None)
    flow_of(Telling()).execute("it", job_state=state)
    assert handler.queue.empty()
    assert len(state.output_log) == 1


def test_a_handler_of_ones_own(manager):
    class Last(OutputHandler):
        seen = None

        def handle(self, output):
            self.seen = output["data"]

    handler = Last()
    run(Telling(), handler, times=3)
    assert handler.seen == {"number": 2}


def test_an_output_handler_says_how_it_handles():
    with pytest.raises(TypeError, match=r"abstract"):
        OutputHandler()


def test_the_outputs_of_two_jobs_stay_apart(manager):
    one, other = QueueOutputHandler(), QueueOutputHandler()
    run(Telling(), one, times=1)
    run(Telling(), other, times=2)
    assert (one.queue.qsize(), other.queue.qsize()) == (1, 2)
