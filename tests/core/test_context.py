"""ExecutionContext: what a handler knows of its job, and how it takes that along."""

import threading

from routilux_core import Flow, Routine, get_execution_context
from tests.core.gate import WAIT


class Acting(Routine):
    def __init__(self, function):
        super().__init__()
        self.function = function
        self.define_slot("trigger", self.act)
        self.define_event("out")

    def act(self):
        self.function(self)


def run(function, **more):
    flow = Flow("flow")
    flow.add_routine(Acting(function), "a")
    for name, made in more.items():
        flow.add_routine(made, name)
    return flow.execute("a")


def test_there_is_none_outside_a_job():
    assert get_execution_context() is None
    assert Acting(None).get_execution_context() is None


def test_it_knows_flow_state_routine_and_job(manager):
    seen = []

    def act(routine):
        context = routine.get_execution_context()
        assert context is get_execution_context()
        seen.append((context.flow, context.job_state, context.routine_id, context.attempt, context.cancelled))
        assert context.job is manager.get_job(context.job_state.job_id)
        assert context.manager is manager
        assert repr(context.job_state.job_id) in repr(context)
        assert isinstance(context.fencing_token, int)

    state = run(act)
    assert state.status == "completed"
    ((flow, job_state, *rest),) = seen
    assert (flow.flow_id, job_state) == ("flow", state)
    assert rest == ["a", 1, False]


def test_a_thread_that_a_handler_starts_has_none_unless_it_is_wrapped(manager):
    seen = []

    def act(routine):
        def look():
            context = get_execution_context()
            seen.append(None if context is None else context.routine_id)
            if context is not None:
                routine.emit("out", n=1)

        for target in (look, routine.get_execution_context().wrap(look)):
            thread = threading.Thread(target=target)
            thread.start()
            thread.join(WAIT)

    state = run(act)
    assert seen == [None, "a"]
    assert state.results == {"a.out": [{"n": 1}]}


def test_a_wrapped_function_keeps_its_name_and_result(manager):
    def act(routine):
        def double(n, *, more=0):
            """Twice."""
            return 2 * n + more

        wrapped = routine.get_execution_context().wrap(double)
        assert (wrapped.__name__, wrapped.__doc__, wrapped(4, more=1)) == ("double", "Twice.", 9)

    assert run(act).status == "completed"


def test_a_handler_emits_for_a_neighbour_of_its_flow(manager):
    neighbour = Acting(None)
    state = run(lambda routine: neighbour.emit("out", n=1), b=neighbour)
    assert state.results == {"b.out": [{"n": 1}]}


def test_a_handler_cannot_emit_for_a_stranger(manager):
    stranger = Acting(None)
    state = run(lambda routine: stranger.emit("out"))
    assert state.errors[0].type == "NoActiveJob"
    assert "not in this job's flow" in state.errors[0].message


def test_a_neighbour_that_stands_there_twice_is_not_clear(manager):
    twice = Acting(None)
    state = run(lambda routine: twice.emit("out"), b=twice, c=twice)
    assert "b, c" in state.errors[0].message


def test_totals_hold_what_is_no_number_too(manager):
    made = Acting(lambda routine: (routine.set_stat("last", "x"), routine.increment_stat("runs")))
    flow = Flow()
    flow.add_routine(made, "a")
    flow.execute("a")
    flow.execute("a")
    assert made.stats() == {"last": "x", "runs": 2}
