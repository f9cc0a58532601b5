"""Documents of jobs that run: of one moment, and loaded as what a crash at that moment would have left."""

import sys
from threading import Event as Signal
from threading import Thread

import pytest

from routilux_core import (
    Flow,
    InsideJob,
    JobManager,
    JobState,
    Monitor,
    Routine,
)
from routilux_plugins.executors import sequential
from tests.core.gate import WAIT, Gate
from tests.core.pool import Pool
from tests.core.rich_job import rich_flow
from tests.core.saved import (
    Calling,
    Failing,
    Gathering,
    Held,
    double,
    finish,
    numbers,
    through_text,
)
from tests.reliability.laws import Book, check_fold


@pytest.fixture
def pool_manager():
    with JobManager(plugins=[sequential], discover=False, executor=Pool()) as made:
        yield made
        made.shutdown(wait=False)


def held_flow():
    flow = Flow("held")
    held = Held()
    flow.add_routine(held, "held")
    flow.add_routine(double(), "double")
    flow.connect("held.output", "double.trigger")
    return flow, held.gate


def test_of_a_running_job_the_running_work_is_pending_again(pool_manager):
    flow, gate = held_flow()
    with gate:
        state = flow.start("held", {"n": 5})
        gate.wait()
        document = through_text(state.serialize())
    assert flow.wait_for_completion(WAIT)
    assert document["job"]["status"] == "running"

    other = JobState().deserialize(document)

    assert other.status == "paused"
    assert [task.routine_id for task in other.pending_tasks] == ["held"]
    assert other.pause_points[-1].reason == "its document was written while it ran"
    assert other.current_routine_id is None
    check_fold(other)
    assert finish(flow, other).results == state.results == {"double.output": [{"n": 10}]}


def test_a_pausing_job_comes_back_as_the_paused_one_that_it_would_have_been(pool_manager):
    flow, gate = held_flow()
    with gate:
        state = flow.start("held", {"n": 5})
        gate.wait()
        flow.pause(state, reason="to move", checkpoint=(1, 2), timeout=0.01)
        document = through_text(state.serialize())
    assert flow.wait_for_completion(WAIT)
    assert document["job"]["status"] == "pausing"

    other = JobState().deserialize(document)

    assert (other.status, other.checkpoint) == ("paused", (1, 2))
    assert other.pause_points[-1].reason == "to move"
    assert finish(flow, other).results == {"double.output": [{"n": 10}]}


def test_a_job_that_was_about_to_fail_comes_back_failed(pool_manager):
    flow, gate = held_flow()
    flow.add_routine(Failing(), "failing")
    failed = Signal()
    with gate:
        watch = lambda job, fact: failed.set() if fact.tag == "activation_failed" else None  # noqa: E731
        state = flow.start("held", {"n": 5}, monitors=[watch])
        gate.wait()
        pool_manager.post(state.job_id, "failing", n=1)
        assert failed.wait(WAIT)
        document = through_text(state.serialize())
    assert flow.wait_for_completion(WAIT)
    assert document["job"]["status"] == "running"

    other = JobState().deserialize(document)

    assert other.status == "failed"
    assert [error.message for error in other.errors] == ["no"]
    assert sorted(task.routine_id for task in other.pending_tasks) == ["failing", "held"]
    check_fold(other)
    assert flow.fork(other, start=False).status == "pending"


def test_a_running_job_with_nothing_left_to_do_completes_when_it_is_resumed(manager):
    documents = []

    class Saving(Monitor):
        def on_activation_completed(self, job, fact):
            documents.append(through_text(job.job_state.serialize()))

    flow = Flow("flow")
    flow.add_routine(double(), "double")
    state = flow.execute("double", {"n": 2}, monitors=[Saving()])
    [document] = documents
    assert (document["job"]["status"], document["job"]["pending_tasks"]) == ("running", [])

    other = finish(flow, JobState().deserialize(document))

    assert other.status == "completed"
    assert other.results == state.results


def test_a_handler_may_save_its_own_job(manager):
    """What it has done by then is not in the document, so that it is not done twice."""
    documents = []

    def act(routine, n):
        routine.emit("output")
        state = routine.get_execution_context().job_state
        state.modify_shared_data("calls", lambda calls: calls + 1, 0)
        documents.append(through_text(state.serialize()))

    flow = Flow("flow")
    flow.add_routine(Calling(act), "calling")
    flow.execute("calling", {"n": 1})

    other = JobState().deserialize(documents[0])
    assert [task.routine_id for task in other.pending_tasks] == ["calling"]
    assert finish(flow, other).shared_data == {"calls": 1}
    assert other.results == {"calling.output": [{}]}


def test_a_function_that_a_job_waits_for_cannot_save_it(manager):
    """Half of a message is no moment that a job can go on from."""
    caught = []

    def merge(old, new):
        try:
            get_state().serialize()
        except InsideJob as error:
            caught.append(str(error))
        return new

    states = []
    get_state = lambda: states[0]  # noqa: E731
    flow = Flow("flow")
    merging = Routine()
    merging.define_slot("trigger", lambda **data: None, merge_strategy=merge)
    flow.add_routine(numbers(), "numbers")
    flow.add_routine(merging, "merging")
    flow.connect("numbers.output", "merging.trigger")
    states.append(JobState("flow"))
    flow.execute("numbers", {"upto": 1}, job_state=states[0])
    assert len(caught) == 1
    assert "monitor" in caught[0]


def test_a_document_is_never_of_half_a_message(pool_manager):
    """Whoever saves while an event is on its way gets the job as it is after that.

    The control: with pictures that are taken without the job's turn, the laws are broken here.
    """
    gate = Gate()

    def merge(old, new):
        gate.pass_through()
        return new

    merging = Routine()
    merging.define_slot("trigger", lambda **data: None, merge_strategy=merge)
    flow = Flow("flow")
    flow.add_routine(numbers(), "numbers")
    flow.add_routine(merging, "merging")
    flow.connect("numbers.output", "merging.trigger")
    documents = []
    with gate:
        state = flow.start("numbers", {"upto": 1})
        gate.wait()
        saver = Thread(target=lambda: documents.append(state.serialize()))
        saver.start()
        saver.join(0.1)  # it waits; one that did not would be done by now
    saver.join(WAIT)
    assert flow.wait_for_completion(WAIT)

    other = JobState().deserialize(documents[0])
    book = Book(flow)
    book.read(other.facts)
    book.balance()
    book.compare(other)


@pytest.fixture
def hurried():
    """Let threads change places as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_documents_of_a_busy_job_are_each_of_one_moment(pool_manager, hurried):
    """Each picture, taken while four workers are at it, obeys the laws and goes on to the same end."""
    flow = Flow("busy")
    flow.add_routine(numbers(), "numbers")
    flow.add_routine(double(), "double")
    flow.add_routine(Gathering(), "gathering")
    flow.connect("numbers.output", "double.trigger")
    flow.connect("double.output", "gathering.trigger")
    state = flow.start("numbers", {"upto": 300})
    documents = []

    def save():
        while not state.status.final:
            documents.append(state.serialize())

    savers = [Thread(target=save) for _ in range(2)]
    for saver in savers:
        saver.start()
    assert flow.wait_for_completion(WAIT)
    for saver in savers:
        saver.join(WAIT)

    assert documents
    for document in documents[:: max(1, len(documents) // 40)]:
        other = JobState().deserialize(document)
        check_fold(other)
        book = Book(flow)
        book.read(other.facts)
        book.balance()
        book.compare(other)
    if not other.status.final:
        finish(flow, other)
    assert sorted(one["count"] for one in other.results["gathering.output"]) == list(range(1, 301))


def end_of(flow, state):
    """Let a job go on to its end, and return what came of it, but for the order."""
    while state.status == "paused":
        finish(flow, state)
    kept = state.results["keeping.output"]
    appended = [one["value"] for one in kept if one["what"] == "appended"]
    return {
        "status": state.status,
        "deferred": list(state.deferred_events),
        "gathered": (sorted(map(len, appended)), sorted(appended[-1])),
        "sums": [one["value"] for one in kept if one["what"] in {"summed", "added"}],
        "batches": sorted(n for one in kept if one["what"] == "batched" for n in one["value"]),
        "joined": sorted(one["value"] for one in kept if one["what"] == "joined"),
        "others": {name: value for name, value in state.results.items() if name != "keeping.output"},
        "shared": state.shared_data,
        "stats": state.stats("source"),
        "errors": sorted(error.message for error in state.errors),
    }


def test_from_whatever_moment_a_job_is_saved_it_goes_on_to_the_same_end(manager):
    documents = {}

    class Saving(Monitor):
        def on_fact(self, job, fact):
            document = job.job_state.serialize()
            documents[document["job"]["number"]] = document

    flow = rich_flow(delay=0)
    state = flow.execute("source", {"upto": 5}, monitors=[Saving()])
    expected = end_of(flow, state)
    assert expected["status"] == "completed"
    assert len(documents) > 30

    for document in list(documents.values())[::3]:
        other = JobState().deserialize(document)
        check_fold(other)
        assert end_of(flow, other) == expected
