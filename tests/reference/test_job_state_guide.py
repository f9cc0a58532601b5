"""The job state guide, snippet by snippet and in its order."""

import json
import threading
from datetime import UTC, datetime

import pytest

from routilux_core import (
    CallbackOutputHandler,
    ExecutionRecord,
    Flow,
    JobState,
    NullOutputHandler,
    PauseRequested,
    QueueOutputHandler,
    Routine,
)


class Source(Routine):
    def __init__(self):
        super().__init__()
        self.trigger_slot = self.define_slot("trigger", handler=self.send)
        self.output_event = self.define_event("output", ["data"])

    def send(self, **kwargs):
        self.emit("output", data="test")


@pytest.fixture
def flow(manager):
    made = Flow(flow_id="my_flow")
    made.add_routine(Source(), "source")
    return made


class Held(Routine):
    """Has a handler that stays inside until the test lets it go, and one that follows."""

    def __init__(self):
        super().__init__()
        self.inside, self.let_go = threading.Event(), threading.Event()
        self.define_slot("trigger", handler=self.hold)
        self.define_slot("next", handler=self.follow)
        self.define_event("output", ["data"])
        self.define_event("done", ["data"])

    def hold(self, data="held"):
        self.inside.set()
        assert self.let_go.wait(10)
        self.emit("output", data=data)

    def follow(self, data):
        self.emit("done", data=data)


@pytest.fixture
def held(manager):
    """A routine whose handler can be held, in a flow of its own."""
    made = Held()
    flow = Flow(flow_id="held")
    flow.add_routine(made, "source")
    flow.connect("source", "output", "source", "next")
    yield flow, made
    made.let_go.set()


def lets_go_when_pausing(routine):
    """Return a monitor that frees the held handler as soon as a pause is accepted."""

    def monitor(job, fact):
        if isinstance(fact, PauseRequested):
            routine.let_go.set()

    return monitor


def one_routine(made, flow_id="example", **options):
    flow = Flow(flow_id, **options)
    flow.add_routine(made, "it")
    return flow


# -- 1: creating a job state ---------------------------------------------------------------------------


def test_creating_a_job_state(flow):
    job_state = flow.execute("source")
    assert isinstance(job_state, JobState)
    assert job_state.job_id
    assert job_state.status == "completed"
    assert f"Status: {job_state.status}" == "Status: completed"
    assert job_state.flow_id == "my_flow"


# -- 2: multiple independent executions ----------------------------------------------------------------


def test_multiple_independent_executions(flow):
    states = [flow.execute("source", entry_params={"value": value}) for value in "ABC"]
    assert len({state.job_id for state in states}) == 3
    assert states[0] is not states[1]
    for state, value in zip(states, "ABC", strict=True):
        assert len(state.execution_history) == 3
        assert state.execution_history[0].data == {"value": value}


# -- 3: execution history ------------------------------------------------------------------------------


def test_accessing_execution_history(flow):
    job_state = flow.execute("source")
    records = job_state.execution_history
    assert [(record.routine_id, record.event_name, record.data) for record in records] == [
        ("source", "start", {}),
        ("source", "output", {"data": "test"}),
        ("source", "completed", {}),
    ]
    assert all(isinstance(record, ExecutionRecord) for record in records)
    assert [record.timestamp for record in records] == sorted(record.timestamp for record in records)
    assert job_state.get_execution_history("source") == list(records)
    assert job_state.get_execution_history("nobody") == []


# -- 4: routine states ---------------------------------------------------------------------------------


def test_accessing_routine_states(flow):
    job_state = flow.execute("source")
    assert job_state.get_routine_state("source")["status"] == "completed"
    job_state.update_routine_state(
        "source", {"status": "completed", "execution_time": 0.5, "custom_field": "value"}
    )
    updated = job_state.get_routine_state("source")
    assert updated["custom_field"] == "value"
    assert updated["execution_time"] == 0.5
    assert updated["activations"] == 1


# -- 5: the execution context --------------------------------------------------------------------------


def test_convenient_access_by_the_execution_context(manager):
    class Processor(Routine):
        def __init__(self):
            super().__init__()
            self.define_slot("trigger", handler=self.process)

        def process(self, data=None, **kwargs):
            ctx = self.get_execution_context()
            ctx.job_state.update_routine_state(ctx.routine_id, {"processed": True})
            ctx.job_state.update_shared_data("last_item", data)
            self.send_output("user_data", message="Processed", value=data)

    processor = Processor()
    assert processor.get_execution_context() is None
    job_state = one_routine(processor).execute("it", {"data": 7})
    assert job_state.get_routine_state("it")["processed"] is True
    assert job_state.get_shared_data("last_item") == 7
    assert job_state.output_log[0]["data"] == {"message": "Processed", "value": 7}


# -- 6 and 7: business data ----------------------------------------------------------------------------


def test_shared_data(manager):
    class DataCollector(Routine):
        def __init__(self):
            super().__init__()
            self.define_slot("trigger", handler=self.process)

        def process(self, data=None, **kwargs):
            ctx = self.get_execution_context()
            ctx.job_state.update_shared_data("items", data)
            items = ctx.job_state.get_shared_data("items", default=[])
            ctx.job_state.update_shared_data("count", len(items))

    flow = one_routine(DataCollector())
    job_state = flow.execute("it", {"data": [1, 2, 3]})
    assert job_state.shared_data == {"items": [1, 2, 3], "count": 3}
    assert flow.execute("it", {"data": []}).get_shared_data("count") == 0
    assert job_state.get_shared_data("missing", default="none") == "none"


def test_shared_log(manager):
    lengths = []

    class Logger(Routine):
        def __init__(self):
            super().__init__()
            self.define_slot("trigger", handler=self.process)

        def process(self, data=None, **kwargs):
            ctx = self.get_execution_context()
            ctx.job_state.append_to_shared_log(
                {"timestamp": datetime.now(UTC).isoformat(), "action": "process", "data": data}
            )
            lengths.append(len(ctx.job_state.get_shared_log()))

    job_state = one_routine(Logger()).execute("it", {"data": 7})
    assert lengths == [1]
    assert [entry["data"] for entry in job_state.get_shared_log()] == [7]
    assert job_state.get_shared_log(filter=lambda entry: entry["action"] == "rest") == []


# -- 8: output -----------------------------------------------------------------------------------------


class DataProcessor(Routine):
    def __init__(self):
        super().__init__()
        self.define_slot("trigger", handler=self.process)

    def process(self, data=None, **kwargs):
        self.send_output("user_data", message="Processing", value=data)
        self.send_output("status", progress=50, status="in_progress")


def test_sending_output(manager):
    flow = one_routine(DataProcessor(), "my_flow")
    job_state, handler = JobState(flow_id="my_flow"), QueueOutputHandler()
    job_state.set_output_handler(handler)
    assert flow.execute("it", {"data": 7}, job_state=job_state) is job_state
    sent = [handler.queue.get_nowait() for _ in range(2)]
    assert [output["output_type"] for output in sent] == ["user_data", "status"]
    assert sent[0]["data"] == {"message": "Processing", "value": 7}
    assert job_state.output_log == sent
    assert job_state.results == {}


def test_the_kinds_of_output_handlers(manager):
    flow, got = one_routine(DataProcessor(), "my_flow"), []
    for handler, expected in ((CallbackOutputHandler(got.append), 2), (NullOutputHandler(), 2)):
        job_state = JobState(flow_id="my_flow")
        job_state.set_output_handler(handler)
        flow.execute("it", job_state=job_state)
        assert len(got) == expected
        assert len(job_state.output_log) == 2


# -- 9: deferred events --------------------------------------------------------------------------------


def test_deferred_events(manager):
    asked = []

    class UserInteraction(Routine):
        def __init__(self):
            super().__init__()
            self.define_slot("trigger", handler=self.process)
            self.define_slot("answer", handler=self.answer)
            self.define_event("user_input_required", ["question"])

        def process(self, data=None, **kwargs):
            self.emit_deferred_event("user_input_required", question="What is your name?")
            ctx = self.get_execution_context()
            ctx.flow.pause(ctx.job_state, reason="Waiting for user input")

        def answer(self, question):
            asked.append(question)

    flow = one_routine(UserInteraction())
    flow.connect("it", "user_input_required", "it", "answer")
    job_state = flow.execute("it")
    assert job_state.status == "paused"
    assert job_state.pause_points[0].reason == "Waiting for user input"
    assert job_state.deferred_events == [
        {"routine_id": "it", "event": "user_input_required", "data": {"question": "What is your name?"}}
    ]
    assert asked == []
    flow.resume(job_state)
    assert flow.wait_for_completion(timeout=10)
    assert job_state.status == "completed"
    assert asked == ["What is your name?"]
    assert job_state.deferred_events == []


# -- 10: status ----------------------------------------------------------------------------------------


def test_status_transitions(held):
    flow, routine = held
    job_state = flow.start("source")
    assert job_state.status == "running"
    routine.let_go.set()
    assert flow.wait_for_completion(timeout=10)
    assert job_state.status in {"completed", "failed"}
    assert job_state.status == "completed"


# -- 11: pause, resume, cancel -------------------------------------------------------------------------


def test_pause_and_resume(held):
    flow, routine = held
    job_state = flow.start("source", monitors=[lets_go_when_pausing(routine)])
    assert routine.inside.wait(10)
    flow.pause(job_state, reason="Manual pause for inspection")
    assert job_state.status == "paused"
    assert [task.slot for task in job_state.pending_tasks] == ["next"]
    resumed = flow.resume(job_state)
    assert resumed is job_state
    assert flow.wait_for_completion(timeout=10)
    assert resumed.status == "completed"
    assert resumed.results == {"source.done": [{"data": "held"}]}


def test_cancel(held):
    flow, routine = held
    another = flow.start("source")
    assert routine.inside.wait(10)
    flow.cancel(another, reason="No longer needed")
    assert another.status == "cancelled"
    routine.let_go.set()
    assert flow.wait_for_completion(timeout=10)
    assert another.results == {}


# -- 12: serialization and persistence -----------------------------------------------------------------


def test_serialization_and_persistence(held, tmp_path):
    flow, routine = held
    job_state = flow.start("source", monitors=[lets_go_when_pausing(routine)])
    assert routine.inside.wait(10)
    flow.pause(job_state, reason="Save for later")

    job_state_data = job_state.serialize()
    with (tmp_path / "job_state.json").open("w") as f:
        json.dump(job_state_data, f, indent=2)

    with (tmp_path / "job_state.json").open() as f:
        loaded_data = json.load(f)
    new_job_state = JobState()
    new_job_state.deserialize(loaded_data)

    assert new_job_state.execution_history == job_state.execution_history
    assert new_job_state.routine_states == job_state.routine_states
    assert new_job_state.status == "paused"
    resumed = flow.resume(new_job_state)
    assert flow.wait_for_completion(timeout=10)
    assert resumed.status == "completed"
    assert resumed.results == {"source.done": [{"data": "held"}]}
    assert job_state.status == "paused"


# -- 13: one pool for all executions -------------------------------------------------------------------


def test_executions_share_what_runs_them(manager, executor_name):
    flow = Flow(flow_id="my_flow", execution_strategy=executor_name, max_workers=5)
    flow.add_routine(Source(), "source")
    first, second = flow.start("source"), flow.start("source")
    assert flow.wait_for_completion(timeout=10)
    assert (first.status, second.status) == ("completed", "completed")
    assert manager.executor(flow) is manager.executor(executor_name)


# -- 14: which thread ----------------------------------------------------------------------------------


class ThreadAwareRoutine(Routine):
    def __init__(self):
        super().__init__()
        self.define_slot("trigger", handler=self.process)

    def process(self, **kwargs):
        ctx = self.get_execution_context()
        thread = threading.current_thread().name
        ctx.job_state.record_execution(ctx.routine_id, "process", {"thread": thread})


def test_which_thread_an_execution_uses(manager, executor_name):
    flow = Flow(flow_id="thread_demo", execution_strategy=executor_name, max_workers=2)
    flow.add_routine(ThreadAwareRoutine(), "processor")
    job_state = flow.start("processor")
    assert flow.wait_for_completion(timeout=10)
    records = [record for record in job_state.execution_history if record.event_name == "process"]
    assert len(records) == 1
    assert records[0].routine_id == "processor"
    assert records[0].data["thread"] != threading.current_thread().name


def test_execute_on_sequential_uses_the_callers_thread(manager):
    job_state = one_routine(ThreadAwareRoutine(), execution_strategy="sequential").execute("it")
    records = [record for record in job_state.execution_history if record.event_name == "process"]
    assert records[0].data["thread"] == threading.current_thread().name


# -- 15 and 16: how a handler finds its job state ------------------------------------------------------


def test_every_handler_finds_its_own_job_state(manager, executor_name):
    seen = {}

    class Finding(Routine):
        def __init__(self):
            super().__init__()
            self.define_slot("trigger", handler=self.process)

        def process(self, name):
            seen[name] = self.get_execution_context().job_state

    finding = Finding()
    flow = one_routine(finding, execution_strategy=executor_name)
    states = {name: flow.start("it", {"name": name}) for name in "abcde"}
    assert flow.wait_for_completion(timeout=10)
    assert all(seen[name] is state for name, state in states.items())
    assert finding.get_execution_context() is None


# -- 17: executions one after the other ----------------------------------------------------------------


def test_executions_one_after_the_other(flow):
    first = flow.execute("source", entry_params={"task": "A"})
    assert flow.wait_for_completion(timeout=10)
    second = flow.execute("source", entry_params={"task": "B"})
    assert flow.wait_for_completion(timeout=10)
    assert first.job_id != second.job_id
    assert first is not second


# -- 18: executions in several threads -----------------------------------------------------------------


def test_executions_in_several_threads(manager, executor_name):
    flow = Flow("threads", execution_strategy=executor_name)
    flow.add_routine(Source(), "source")
    states = {}

    def run(number):
        states[number] = manager.execute(flow, "source", {"task": f"Task{number}"})

    threads = [
        threading.Thread(target=run, args=(number,), name=f"ExecThread{number}") for number in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({state.job_id for state in states.values()}) == 5
    for number, state in states.items():
        assert state.status == "completed"
        assert state.execution_history[0].data == {"task": f"Task{number}"}


# -- 19: one worker, several executions ----------------------------------------------------------------


def test_one_worker_for_several_executions_mixes_nothing(manager, executor_name):
    class Sender(Routine):
        def __init__(self, name):
            super().__init__()
            self.name = name
            self.define_slot("trigger", handler=self.send)
            self.define_event("output", ["data"])

        def send(self, **kwargs):
            ctx = self.get_execution_context()
            ctx.job_state.record_execution(ctx.routine_id, "sent", {"data": f"from {self.name}"})
            self.emit("output", data=f"from {self.name}")

    class Processor(Routine):
        def __init__(self):
            super().__init__()
            self.define_slot("input", handler=self.process)

        def process(self, data=None, **kwargs):
            ctx = self.get_execution_context()
            ctx.job_state.record_execution(ctx.routine_id, "input", {"data": data})

    flow = Flow(flow_id="isolation_test", execution_strategy=executor_name, max_workers=1)
    for number in ("1", "2"):
        flow.add_routine(Sender(f"Source{number}"), f"s{number}")
        flow.add_routine(Processor(), f"p{number}")
        flow.connect(f"s{number}", "output", f"p{number}", "input")
    first, second = flow.start("s1"), flow.start("s2")
    assert flow.wait_for_completion(timeout=10)
    assert {record.routine_id for record in first.execution_history} == {"s1", "p1"}
    assert {record.routine_id for record in second.execution_history} == {"s2", "p2"}
    taken = [record.data for record in second.execution_history if record.event_name == "input"]
    assert taken == [{"data": "from Source2"}]


# -- 20: many threads, one job state -------------------------------------------------------------------


def test_ten_threads_add_ten_thousand_records_and_none_is_lost():
    job_state = JobState("records")

    def write(thread):
        for number in range(1000):
            job_state.record_execution(f"r{thread}", "written", {"number": number})

    threads = [threading.Thread(target=write, args=(thread,)) for thread in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(job_state.execution_history) == 10_000
    for thread in range(10):
        written = [record.data["number"] for record in job_state.get_execution_history(f"r{thread}")]
        assert written == list(range(1000))


def test_readers_beside_writers_see_whole_records():
    job_state, done, wrong = JobState("records"), threading.Event(), []

    def write(thread):
        for number in range(200):
            job_state.update_routine_state(f"r{thread}", {"number": number, "double": 2 * number})
            job_state.record_execution(f"r{thread}", "written", {"number": number})

    def read():
        while not done.is_set():
            seen = [state for state in job_state.routine_states.values() if "number" in state]
            wrong.extend(state for state in seen if state["double"] != 2 * state["number"])
            wrong.extend(record for record in job_state.execution_history if record.event_name != "written")

    writers = [threading.Thread(target=write, args=(thread,)) for thread in range(3)]
    readers = [threading.Thread(target=read) for _ in range(2)]
    for thread in (*readers, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    for thread in readers:
        thread.join()
    assert wrong == []
    assert len(job_state.execution_history) == 600


# -- 21 to 24: best practices with threads -------------------------------------------------------------


def test_wait_before_you_look(manager, executor_name):
    flow = Flow("waiting", execution_strategy=executor_name)
    flow.add_routine(Source(), "source")
    job_state = flow.start("source")
    assert flow.wait_for_completion(timeout=10)
    assert job_state.status == "completed"
    assert len(job_state.execution_history) == 3


def test_keep_the_job_state_of_each_execution(manager, executor_name):
    flow = Flow("kept", execution_strategy=executor_name)
    flow.add_routine(Source(), "source")
    executions = {number: flow.start("source", entry_params={"task_id": number}) for number in range(10)}
    assert flow.wait_for_completion(timeout=10)
    for number, job_state in executions.items():
        assert job_state.status == "completed"
        assert job_state.execution_history[0].data == {"task_id": number}


def test_update_the_job_state_from_a_handler(manager):
    class MyRoutine(Routine):
        def __init__(self):
            super().__init__()
            self.define_slot("trigger", handler=self.process)

        def process(self, **kwargs):
            ctx = self.get_execution_context()
            ctx.job_state.record_execution(ctx.routine_id, "process", kwargs)
            ctx.job_state.update_routine_state(ctx.routine_id, {"phase": "processing"})

    job_state = one_routine(MyRoutine()).execute("it", {"value": 1})
    assert [(r.event_name, r.data) for r in job_state.execution_history][1] == ("process", {"value": 1})
    assert job_state.get_routine_state("it")["phase"] == "processing"


def test_a_limit_on_what_runs_at_once(manager, executor_name):
    lock, running, most = threading.Lock(), [], []

    class Counting(Routine):
        def __init__(self):
            super().__init__()
            self.define_slot("trigger", handler=self.fan)
            self.define_slot("work", handler=self.work)
            self.define_event("output", ["number"])

        def fan(self):
            for number in range(20):
                self.emit("output", number=number)

        def work(self, number):
            with lock:
                running.append(number)
                most.append(len(running))
            with lock:
                running.remove(number)

    flow = Flow(flow_id="limited", execution_strategy=executor_name, max_workers=3)
    flow.add_routine(Counting(), "it")
    flow.connect("it", "output", "it", "work")
    assert flow.execute("it").status == "completed"
    assert len(most) == 20
    assert max(most) <= 3


# -- 25 to 28: best practices --------------------------------------------------------------------------


def test_store_job_state_for_recovery(flow):
    database = {}
    job_state = flow.execute("source")
    database[job_state.job_id] = json.dumps(job_state.serialize())

    recovered = JobState().deserialize(json.loads(database[job_state.job_id]))

    assert recovered.job_id == job_state.job_id
    assert recovered.status == "completed"
    assert recovered.results == job_state.results


def test_status_monitoring(held):
    flow, routine = held
    job_state = flow.start("source")
    seen = [str(job_state.status)]
    routine.let_go.set()
    while not flow.wait_for_completion(timeout=10):
        seen.append(str(job_state.status))
    seen.append(str(job_state.status))
    assert seen == ["running", "completed"]


def test_independent_execution_management(held):
    flow, routine = held
    monitor = lets_go_when_pausing(routine)
    executions = [
        flow.start("source", entry_params={"data": number}, monitors=[monitor]) for number in range(3)
    ]
    assert routine.inside.wait(10)
    flow.cancel(executions[2])
    flow.pause(executions[0])
    assert flow.wait_for_completion(timeout=10)
    assert [state.status for state in executions[1:]] == ["completed", "cancelled"]
    for state in executions:
        if state.status == "paused":
            flow.resume(state)
    assert flow.wait_for_completion(timeout=10)
    assert executions[0].status == "completed"
    assert executions[0].results == {"source.done": [{"data": 0}]}


def test_cross_host_execution(held, tmp_path):
    flow, routine = held
    job_state = flow.start("source", monitors=[lets_go_when_pausing(routine)])
    assert routine.inside.wait(10)
    flow.pause(job_state, reason="Transfer to Host B")
    sent = json.dumps([flow.serialize(), job_state.serialize()])

    flow_data, job_state_data = json.loads(sent)
    new_flow = Flow()
    new_flow.deserialize(flow_data)
    new_job_state = JobState()
    new_job_state.deserialize(job_state_data)

    assert new_flow.routines["source"] is not routine
    resumed = new_flow.resume(new_job_state)
    assert new_flow.wait_for_completion(timeout=10)
    assert resumed.status == "completed"
    assert resumed.results == {"source.done": [{"data": "held"}]}


# -- 29 to 32: pitfalls --------------------------------------------------------------------------------


def test_pitfall_the_flow_does_not_manage_the_job_state(flow):
    assert not hasattr(flow, "job_state")
    assert flow.execute("source").status == "completed"


def test_pitfall_a_job_state_belongs_to_one_execution(held):
    flow, routine = held
    routine.let_go.set()
    finished = flow.execute("source")
    routine.inside.clear()
    routine.let_go.clear()
    running = flow.start("source", monitors=[lets_go_when_pausing(routine)])
    assert routine.inside.wait(10)
    flow.pause(running, reason="pause this execution")
    assert running.status == "paused"
    assert finished.status == "completed"


def test_pitfall_a_flow_is_no_place_for_a_job_state(flow):
    before = dict(vars(flow))
    job_state = flow.execute("source")
    for name, value in vars(flow).items():
        assert value is not job_state
        if name != "plan":
            assert value == before[name]


def test_pitfall_the_flow_and_its_job_state_are_saved_separately(flow):
    job_state = flow.execute("source")
    flow_data, job_state_data = flow.serialize(), job_state.serialize()
    assert job_state.job_id not in json.dumps(flow_data)
    assert flow_data == Flow().deserialize(flow_data).serialize()
    assert "Source" not in json.dumps(job_state_data["job"]["results"])
    assert job_state_data == JobState().deserialize(job_state_data).serialize()


def test_pitfall_each_execution_makes_a_new_job_state(flow):
    first = flow.execute("source")
    kept = [(record.event_name, record.data) for record in first.execution_history]
    second = flow.execute("source")
    assert first is not second
    assert [(record.event_name, record.data) for record in first.execution_history] == kept


def test_pitfall_a_job_state_persists_where_it_is_saved(flow, tmp_path):
    first = flow.execute("source")
    first.save(tmp_path / "first.json")
    second = flow.execute("source")
    again = JobState.load(tmp_path / "first.json")
    assert again.job_id == first.job_id != second.job_id
    assert again.execution_history == first.execution_history
