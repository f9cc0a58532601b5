"""What goes to another process and what comes back, without one: the bytes are the same."""

import socket

import pytest

from routilux_core import (
    CannotTravel,
    Event,
    Executor,
    Flow,
    JobManager,
    Lane,
    Outcome,
    OutsideProcess,
    RemoteError,
    Routine,
    get_execution_context,
    routine,
    slot,
)
from routilux_core.outpost import Outpost
from routilux_core.parcel import packed, unpacked
from routilux_core.reply import Reply, packed_replies


class Away(Executor):
    """Runs every activation by way of bytes, one after the other, in the thread that drives the job."""

    def __init__(self):
        self.job = None
        self.running = None
        self.outpost = Outpost(self.output)

    def open(self, job):
        self.job = job
        return AwayLane()

    def output(self, job_id, activation, fact):
        assert (job_id, activation.id) == (self.job.job_id, self.running.id)
        self.job.output(self.running, unpacked(packed(fact, "output")))

    def drive(self, job):
        job.wake()
        while (activation := job.take()) is not None:
            self.running = activation
            job.finish(activation, self.outcome(job, activation))

    def outcome(self, job, activation):
        try:
            parcel = unpacked(packed(job.ship(activation), "parcel"))
        except CannotTravel as error:
            return Outcome(exception=error)
        outcome = self.outpost.run(parcel, parcel.activations[0])
        (_, answer), *_ = unpacked(packed_replies([(activation.id, Reply.of(outcome))]))
        return answer.outcome(activation)

    def stop(self, timeout=None):
        self.outpost.stop(timeout)


class AwayLane(Lane):
    def wake(self, count):
        pass


class Unreadable(Exception):
    def __init__(self, one, two):
        super().__init__(f"{one} and {two}")


class Worker(Routine):
    """Does one thing of each kind that a handler may do."""

    output = Event("value")

    def __init__(self, factor=1):
        super().__init__(factor=factor)

    @slot
    def trigger(self, **data):
        self.emit("output", value=data["value"] * self.get_config("factor"))

    @slot
    def writes(self, value):
        state = get_execution_context().job_state
        state.update_shared_data("seen", [*state.get_shared_data("seen", ()), value])
        state.modify_shared_data("count", one_more, 0)
        state.append_to_shared_log(value)
        self.increment_stat("calls")
        self.set_stat("last", self.stats()["calls"])
        self.emit("output", value=state.get_shared_data("seen"))

    @slot
    def speaks(self, value):
        self.send_output("word", value=value)

    @slot
    def key(self, value):
        self.emit("output", value=get_execution_context().idempotency_key)

    @slot
    def counts(self, value):
        for number in range(value):
            self.emit("output", value=number)
            yield

    @slot
    async def awaits(self, value):
        self.emit("output", value=value)

    @slot
    def raises(self, value):
        raise LookupError(value)

    @slot
    def raises_strangely(self, value):
        raise Unreadable(1, 2)

    @slot
    def gives_a_socket(self, value):
        with socket.socket() as connection:
            self.emit("output", value={"connections": [connection]})

    @slot
    def starts_a_job(self, value):
        Flow("inner").execute("x")


class Forgetful(Routine):
    def __init__(self, factor):
        self.factor = factor

    @slot
    def trigger(self, value):
        pass


def one_more(value):
    return value + 1


@routine
def double(value):
    return {"value": 2 * value}


@pytest.fixture
def executor():
    return Away()


def run(executor, worker, slot_name, value=3):
    flow = Flow("away")
    flow.add_routine(worker, "worker")
    with JobManager(discover=False, executor=executor) as manager:
        return manager.execute(flow, "worker", {"value": value}, entry_slot=slot_name)


def values(state):
    state.raise_for_status()
    return [payload["value"] for payload in state.results["worker.output"]]


def test_configuration_and_payload_go_there_and_the_emission_comes_back(executor):
    assert values(run(executor, Worker(factor=5), "trigger")) == [15]


def test_a_function_goes_by_its_name(executor):
    assert values(run(executor, double(), "trigger")) == [6]


def test_what_a_handler_writes_there_takes_effect_here(executor):
    state = run(executor, Worker(), "writes")
    assert values(state) == [[3]]
    assert dict(state.shared_data) == {"seen": [3], "count": 1}
    assert list(state.shared_log) == [3]
    assert state.stats("worker") == {"calls": 1, "last": 1}


def test_an_output_comes_while_the_handler_runs(executor):
    state = run(executor, Worker(), "speaks")
    assert [entry["data"] for entry in state.output_log] == [{"value": 3}]


def test_a_generator_gives_its_items_one_by_one(executor):
    state = run(executor, Worker(), "counts")
    assert values(state) == [0, 1, 2]
    assert [type(fact).__name__ for fact in state.facts].count("ActivationYielded") == 3


def test_a_generator_that_was_forgotten_starts_anew_and_skips_what_was_taken(executor):
    class Amnesiac(Away):
        def outcome(self, job, activation):
            self.outpost = Outpost(self.output)
            return super().outcome(job, activation)

    assert values(run(Amnesiac(), Worker(), "counts")) == [0, 1, 2]


def test_a_generator_may_go_ahead_and_is_handed_in_at_once(executor):
    class Hasty(Away):
        """Runs all items of a generator before it says anything, and says it in two parts."""

        def drive(self, job):
            job.wake()
            while (activation := job.take()) is not None:
                steps = [(activation, self.outcome(job, activation))]
                while steps[-1][1].more:
                    activation = steps[-1][1].advanced = activation.advanced()
                    steps.append((activation, self.outcome(job, activation)))
                job.finish_all(steps[:2], running=len(steps) > 2)
                job.finish_all(steps[2:])

    state = run(Hasty(), Worker(), "counts", 5)
    assert values(state) == [0, 1, 2, 3, 4]
    assert [type(fact).__name__ for fact in state.facts].count("ActivationYielded") == 5


def test_an_async_handler_runs_there(executor):
    assert values(run(executor, Worker(), "awaits")) == [3]


def test_the_key_of_an_activation_is_the_same_there_as_here(executor):
    here = []
    flow = Flow("away")
    flow.add_routine(Worker(), "worker")
    with JobManager(discover=False, executor=executor) as manager:
        state = manager.execute(flow, "worker", {"value": 1}, entry_slot="key")
        here = [fact.activation for fact in state.facts if type(fact).__name__ == "ActivationStarted"]
    assert values(state) == [f"{state.job_id}-{values(state)[0].rpartition('-')[2]}"]
    assert len(here) == 1


def test_an_exception_comes_back_as_itself_and_says_where_it_was_raised(executor):
    state = run(executor, Worker(), "raises")
    (error,) = state.errors
    assert (error.type, error.message) == ("LookupError", "3")
    assert "raise LookupError(value)" in error.traceback


def test_an_exception_that_cannot_come_back_is_described(executor):
    (error,) = run(executor, Worker(), "raises_strangely").errors
    assert (error.type, error.message) == ("Unreadable", "1 and 2")
    assert "raise Unreadable(1, 2)" in error.traceback


def test_a_payload_that_cannot_come_back_is_named_with_its_place(executor):
    (error,) = run(executor, Worker(), "gives_a_socket").errors
    assert error.type == "CannotTravel"
    assert "event worker.output['value']['connections'][0]" in error.message
    assert "socket" in error.message


def test_a_payload_that_cannot_go_is_named_with_its_place(executor):
    with socket.socket() as connection:
        (error,) = run(executor, Worker(), "trigger", [connection]).errors
    assert error.type == "CannotTravel"
    assert "parcel.activations[0].data['value'][0]" in error.message


def test_a_constructor_argument_outside_of_the_configuration_is_named(executor):
    (error,) = run(executor, Forgetful(3), "trigger").errors
    assert error.type == "CannotTravel"
    assert "'factor'" in error.message


def test_a_local_class_is_named(executor):
    class Local(Worker):
        pass

    (error,) = run(executor, Local(), "trigger").errors
    assert error.type == "CannotTravel"
    assert "define it at the top of a module" in error.message


def test_a_job_manager_is_not_there_and_the_error_says_what_is(executor):
    (error,) = run(executor, Worker(), "starts_a_job").errors
    assert error.type == OutsideProcess.__name__
    assert "'execute' needs the job manager" in error.message


def test_errors_travel():
    assert str(unpacked(packed(RemoteError("A", "b"), "error"))) == "A: b"
