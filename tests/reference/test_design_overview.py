"""The design overview: its picture of connections, and each behaviour that it names."""

import json
import threading

import pytest

from routilux_core import ActivationStarted, Flow, JobState, NoActiveJob, Routine, routine


class A(Routine):
    def __init__(self, event="result"):
        super().__init__(event=event)
        self.define_slot("trigger", handler=self.send)
        self.define_event(event, ["data"])

    def send(self, data):
        self.emit(self.get_config("event"), data=data)


class B(Routine):
    def __init__(self, slot="input", merge_strategy="override"):
        super().__init__(slot=slot, merge_strategy=merge_strategy)
        self.define_slot(slot, handler=self.take, merge_strategy=merge_strategy)
        self.define_event("taken", ["data"])

    def take(self, data):
        self.increment_stat("taken")
        self.emit("taken", data=data)


def many_to_many(merge_strategy="override"):
    """Return the graph of the overview: A and C to B; D to E and F."""
    flow = Flow("overview")
    flow.add_routine(A("result"), "a")
    flow.add_routine(B(merge_strategy=merge_strategy), "b")
    flow.add_routine(A("output"), "c")
    flow.add_routine(A("data"), "d")
    flow.add_routine(B("input1"), "e")
    flow.add_routine(B("input2"), "f")
    flow.connect("a", "result", "b", "input")
    flow.connect("c", "output", "b", "input")
    flow.connect("d", "data", "e", "input1")
    flow.connect("d", "data", "f", "input2")
    return flow


def pausing_at_once(job, fact):
    if isinstance(fact, ActivationStarted):
        job.pause()


def test_many_events_to_one_slot(manager):
    flow = many_to_many()
    assert flow.execute("a", {"data": 1}).results == {"b.taken": [{"data": 1}]}
    assert flow.execute("c", {"data": 2}).results == {"b.taken": [{"data": 2}]}


def test_one_event_to_many_slots(manager):
    state = many_to_many().execute("d", {"data": 3})
    assert state.results == {"e.taken": [{"data": 3}], "f.taken": [{"data": 3}]}


def test_many_to_one_with_each_merge_strategy(manager):
    @routine
    def both():
        return {"data": 0}

    def keep_largest(old, new):
        return {"data": max(old.get("data", 0), new["data"])}

    expected = {"override": [0, 0], "append": [[0], [0, 0]], keep_largest: [0, 0]}
    for strategy, values in expected.items():
        flow = many_to_many(strategy)
        flow.add_routine(both(), "start")
        flow.connect("start.output", "a.trigger")
        flow.connect("start.output", "c.trigger")
        state = flow.execute("start")
        assert [payload["data"] for payload in state.results["b.taken"]] == values


def test_a_routine_has_any_number_of_slots_and_events():
    assert not Routine().slots
    assert not Routine().events
    many = Routine()
    for number in range(5):
        many.define_slot(f"in{number}")
        many.define_event(f"out{number}")
    assert (len(many.slots), len(many.events)) == (5, 5)


def test_stats_give_the_state_of_a_routine(manager):
    flow = many_to_many()
    flow.execute("a", {"data": 1})
    assert flow.routines["b"].stats() == {"taken": 1}


def test_a_connection_maps_parameters(manager):
    flow = Flow("mapped")
    flow.add_routine(A(), "a")
    flow.add_routine(B(), "b")

    class C(Routine):
        def __init__(self):
            super().__init__()
            self.define_slot("input", handler=self.take)
            self.define_event("taken", ["number"])

        def take(self, number):
            self.emit("taken", number=number)

    flow.add_routine(C(), "c")
    flow.connect("a", "result", "c", "input", param_mapping={"data": "number"})
    assert flow.execute("a", {"data": 1}).results == {"c.taken": [{"number": 1}]}


def test_a_job_state_records_status_routines_data_and_history(manager):
    state = many_to_many().execute("a", {"data": 1})
    assert state.status == "completed"
    assert set(state.routine_states) == {"a", "b"}
    assert [record.data for record in state.execution_history if record.event_name == "start"] == [
        {"data": 1},
        {"data": 1},
    ]
    assert state.current_routine_id is None


def test_a_flow_and_its_pending_tasks_are_saved_and_recovered(manager):
    flow = many_to_many()
    state = flow.start("a", {"data": 1}, monitors=[pausing_at_once])
    assert manager.wait_for_all_jobs(timeout=10)
    assert state.status == "paused"
    flow_data, state_data = json.loads(json.dumps([flow.serialize(), state.serialize()]))

    recovered_flow, recovered = Flow().deserialize(flow_data), JobState().deserialize(state_data)
    assert list(recovered.pending_tasks) == list(state.pending_tasks) != []
    recovered_flow.resume(recovered)
    assert recovered_flow.wait_for_completion(timeout=10)

    assert recovered.status == "completed"
    assert recovered.results == flow.execute("a", {"data": 1}).results


# -- the event queue pattern ---------------------------------------------------------------------------


def test_emit_does_not_wait_and_runs_no_handler(manager):
    order = []

    class Sender(Routine):
        def __init__(self):
            super().__init__()
            self.define_slot("trigger", handler=self.send)
            self.define_slot("input", handler=self.take)
            self.define_event("output", ["n"])

        def send(self):
            for n in range(2):
                self.emit("output", n=n)
                order.append(f"sent {n}")

        def take(self, n):
            order.append(f"took {n}")

    flow = Flow("queue")
    flow.add_routine(Sender(), "it")
    flow.connect("it", "output", "it", "input")
    flow.execute("it")
    assert order == ["sent 0", "sent 1", "took 0", "took 1"]


def test_sequential_takes_the_queue_in_its_order(manager):
    order = []

    def step(name):
        @routine
        def run():
            order.append(name)
            return {}

        return run()

    flow = Flow("fair")
    for name in ("start", "left", "right", "left2", "right2"):
        flow.add_routine(step(name), name)
    for source, target in (("start", "left"), ("start", "right"), ("left", "left2"), ("right", "right2")):
        flow.connect(f"{source}.output", f"{target}.trigger")
    flow.execute("start")
    assert order == ["start", "left", "right", "left2", "right2"]


def test_started_work_runs_in_the_background(manager, executor_name):
    go_on = threading.Event()

    @routine
    def waiting():
        assert go_on.wait(10)

    flow = Flow("background", execution_strategy=executor_name)
    flow.add_routine(waiting(), "it")
    state = flow.start("it")
    assert state.status == "running"
    go_on.set()
    assert flow.wait_for_completion(10)
    assert state.status == "completed"


# -- who does what -------------------------------------------------------------------------------------


def test_control_is_with_the_flow_and_data_with_the_job_state():
    for name in ("pause", "resume", "cancel", "execute", "start"):
        assert callable(getattr(Flow, name))
        assert not hasattr(JobState, name)
    for name in ("get_execution_history", "get_routine_state", "get_shared_data"):
        assert callable(getattr(JobState, name))
        assert not hasattr(Flow, name)


# -- finding the flow ----------------------------------------------------------------------------------


def test_emit_finds_its_flow_inside_a_job(manager):
    shared = B()
    one, other = Flow("one"), Flow("other")
    for flow in (one, other):
        flow.add_routine(shared, "b")
    assert one.execute("b", {"data": 1}, entry_slot="input").results == {"b.taken": [{"data": 1}]}
    assert other.execute("b", {"data": 2}, entry_slot="input").results == {"b.taken": [{"data": 2}]}


def test_emit_takes_the_flow_as_an_argument_outside(manager):
    flow = many_to_many()
    sender, taken = flow.routines["a"], []
    last = Routine()
    last.define_slot("input", handler=lambda data: taken.append((data,)))
    flow.add_routine(last, "last")
    flow.connect("b", "taken", "last", "input")
    sender.emit("result", flow, data=1)
    sender.emit("result", data=2)
    assert taken == [(1,), (2,)]


def test_emit_without_any_flow_says_so():
    with pytest.raises(NoActiveJob, match=r"belongs to no flow"):
        A().emit("result", data=1)
