"""Flows: how they are put together, what they refuse, and flows inside flows."""

import pytest

from routilux_core import (
    DuplicateName,
    ErrorHandler,
    Event,
    Flow,
    InvalidName,
    InvalidOption,
    NoActiveJob,
    Routine,
    UnknownEvent,
    UnknownRoutine,
    UnknownSlot,
    get_execution_context,
    routine,
    slot,
)


@routine
def add_one(n):
    return {"n": n + 1}


@routine
def broken():
    raise OSError("no disk")


def chain(flow_id="chain"):
    flow = Flow(flow_id)
    flow.add_routine(add_one(), "first")
    flow.add_routine(add_one(), "second")
    flow.connect("first.output", "second.trigger")
    return flow


# -- putting together ----------------------------------------------------------------------------------


def test_a_flow_has_an_id_of_its_own_or_the_given_one():
    assert Flow("mine").flow_id == "mine"
    assert Flow().flow_id != Flow().flow_id


def test_adding_a_routine_returns_its_id():
    flow = Flow()
    made = add_one()
    assert flow.add_routine(made, "one") == "one"
    assert flow.routines == {"one": made}


def test_a_routine_without_an_id_gets_one():
    flow = Flow()
    one, other = flow.add_routine(add_one()), flow.add_routine(add_one())
    assert one != other
    assert set(flow.routines) == {one, other}


def test_both_forms_of_connect_make_the_same(manager):
    long, short = chain(), Flow("chain")
    short.add_routine(add_one(), "first")
    short.add_routine(add_one(), "second")
    short.connect("first", "output", "second", "trigger")
    assert long.connections == short.connections
    assert long.execute("first", {"n": 1}).results == short.execute("first", {"n": 1}).results


def test_the_short_form_takes_a_mapping_too():
    flow = Flow()
    flow.add_routine(add_one(), "a")
    flow.add_routine(add_one(), "b")
    made = flow.connect("a.output", "b.trigger", param_mapping={"x": "n"})
    assert made.param_mapping == {"x": "n"}


def test_an_id_with_dots_works_in_both_forms():
    flow = Flow()
    flow.add_routine(add_one(), "v1.2")
    flow.add_routine(add_one(), "b")
    assert flow.connect("v1.2.output", "b.trigger") == flow.connect("v1.2", "output", "b", "trigger")


def test_routines_and_connections_cannot_be_changed_from_outside():
    flow = chain()
    with pytest.raises(TypeError):
        flow.routines["third"] = add_one()
    assert isinstance(flow.connections, tuple)


def test_a_change_after_a_run_counts_in_the_next(manager):
    flow = chain()
    assert "second.output" in flow.execute("first", {"n": 1}).results
    flow.add_routine(add_one(), "third")
    flow.connect("second.output", "third.trigger")
    assert flow.execute("first", {"n": 1}).results == {"third.output": [{"n": 4}]}


def test_a_slot_added_to_a_routine_after_a_run_can_be_used(manager):
    class Late(Routine):
        output = Event()

        @slot
        def trigger(self):
            self.emit("output")

    made, seen = Late(), []
    flow = Flow("late")
    flow.add_routine(made, "late")
    flow.execute("late")
    made.define_slot("other", lambda: seen.append(1))
    flow.connect("late.output", "late.other")
    flow.execute("late")
    assert seen == [1]


# -- what is refused -----------------------------------------------------------------------------------


def test_a_duplicate_id_is_refused_and_the_first_stays(manager):
    flow = chain()
    before = dict(flow.routines)
    with pytest.raises(DuplicateName, match=r"flow 'chain' already has routine 'first'; choose another name"):
        flow.add_routine(broken(), "first")
    assert flow.routines == before
    assert flow.execute("first", {"n": 1}).status == "completed"


@pytest.mark.parametrize("name", ["", ".hidden", "a/b", "a b", "../x", "é", "x" * 129, "a\n", 7], ids=repr)
def test_ids_have_a_grammar(name):
    with pytest.raises(InvalidName, match=r"use 1 to 128 of A-Z a-z 0-9"):
        Flow(name)
    with pytest.raises(InvalidName, match=r"use 1 to 128 of A-Z a-z 0-9"):
        Flow().add_routine(add_one(), name)


def test_a_class_instead_of_an_object_is_refused_with_the_remedy():
    with pytest.raises(InvalidOption, match=r"an instance; call the class"):
        Flow().add_routine(add_one, "one")


def test_something_else_than_a_routine_is_refused():
    with pytest.raises(InvalidOption, match=r"it takes a Routine or a Flow"):
        Flow().add_routine(print, "one")


@pytest.mark.parametrize(
    ("arguments", "kind", "name", "near"),
    [
        (("frist", "output", "second", "trigger"), UnknownRoutine, "frist", "first"),
        (("first", "output", "secnd", "trigger"), UnknownRoutine, "secnd", "second"),
        (("first", "outptu", "second", "trigger"), UnknownEvent, "outptu", "output"),
        (("first", "output", "second", "triger"), UnknownSlot, "triger", "trigger"),
        (("frist.output", "second.trigger"), UnknownRoutine, "frist", "first"),
        (("first.outptu", "second.trigger"), UnknownEvent, "outptu", "output"),
        (("first.output", "second.triger"), UnknownSlot, "triger", "trigger"),
    ],
)
def test_unknown_names_are_refused_with_the_nearest(manager, arguments, kind, name, near):
    flow = chain()
    with pytest.raises(kind) as caught:
        flow.connect(*arguments)
    text = str(caught.value)
    assert repr(name) in text
    assert "it has: " in text
    assert f"did you mean {near!r}?" in text
    assert len(flow.connections) == 1
    assert flow.execute("first", {"n": 1}).results == {"second.output": [{"n": 3}]}


@pytest.mark.parametrize("arguments", [("first", "second"), ("first.output", "second")])
def test_a_short_form_without_dots_says_how_to_write_it(arguments):
    with pytest.raises(InvalidOption, match=r"'routine.event' and 'routine.slot', or all four names"):
        chain().connect(*arguments)


@pytest.mark.parametrize("value", [0, -1, -0.5, float("nan"), "1", True], ids=repr)
def test_timeouts_that_are_not_positive_are_refused(manager, value):
    with pytest.raises(
        InvalidOption, match=r"execution_timeout cannot be .*; it takes a number of seconds above 0"
    ):
        Flow(execution_timeout=value)
    flow = chain()
    with pytest.raises(InvalidOption, match=r"timeout cannot be"):
        flow.execute("first", {"n": 1}, timeout=value)
    assert manager.running_jobs == []
    assert flow.execute("first", {"n": 1}, timeout=60).status == "completed"


@pytest.mark.parametrize("value", [0, -1, 1.5, "2", True], ids=repr)
def test_worker_counts_that_are_not_positive_are_refused(value):
    with pytest.raises(InvalidOption, match=r"max_workers cannot be .*; it takes a whole number from 1 up"):
        Flow(max_workers=value)
    flow = Flow(max_workers=3)
    with pytest.raises(InvalidOption, match=r"max_workers"):
        flow.set_execution_strategy("sequential", max_workers=value)
    assert flow.max_workers == 3
    assert flow.execution_strategy is None


def test_the_execution_strategy_can_be_set():
    flow = Flow(execution_strategy="concurrent")
    assert (flow.execution_strategy, flow.max_workers) == ("concurrent", None)
    flow.set_execution_strategy("sequential", max_workers=2)
    assert (flow.execution_strategy, flow.max_workers) == ("sequential", 2)


def test_an_error_handler_must_be_one():
    flow = Flow()
    with pytest.raises(InvalidOption, match=r"error handler cannot be 'stop'; it takes an ErrorHandler"):
        flow.set_error_handler("stop")
    assert flow.error_handler is None


# -- one routine object in several places --------------------------------------------------------------


class Marking(Routine):
    output = Event("where")

    @slot
    def trigger(self):
        self.increment_stat("calls")
        self.emit("output", where=get_execution_context().routine_id)


def test_one_routine_object_serves_two_flows(manager):
    made = Marking()
    one, other = Flow("one"), Flow("other")
    one.add_routine(made, "here")
    other.add_routine(made, "there")
    assert one.execute("here").results == {"here.output": [{"where": "here"}]}
    assert other.execute("there").results == {"there.output": [{"where": "there"}]}
    assert made.stats() == {"calls": 2}


def test_one_routine_object_stands_twice_in_one_flow(manager):
    made = Marking()
    flow = Flow("twice")
    flow.add_routine(made, "a")
    flow.add_routine(made, "b")
    flow.connect("a.output", "b.trigger")
    state = flow.execute("a")
    assert state.results == {"b.output": [{"where": "b"}]}
    assert state.stats("a") == state.stats("b") == {"calls": 1}


def test_a_routine_that_stands_twice_cannot_be_meant_by_another(manager):
    made = Marking()

    class Meddling(Routine):
        @slot
        def trigger(self):
            made.emit("output", where="?")

    flow = Flow("twice")
    flow.add_routine(made, "a")
    flow.add_routine(made, "b")
    flow.add_routine(Meddling(), "m")
    state = flow.execute("m")
    assert state.status == "failed"
    assert state.errors[0].type == NoActiveJob.__name__
    assert "it stands in it as a, b" in state.errors[0].message


# -- flows inside flows --------------------------------------------------------------------------------


def nested():
    outer = Flow("outer")
    outer.add_routine(add_one(), "begin")
    outer.add_routine(chain("inner"), "sub")
    outer.add_routine(add_one(), "end")
    outer.connect("begin.output", "sub.first.trigger")
    outer.connect("sub.second.output", "end.trigger")
    return outer


def test_the_routines_of_a_sub_flow_are_the_outer_flows():
    outer = nested()
    assert list(outer.routines) == ["begin", "sub.first", "sub.second", "end"]
    assert [str(connection) for connection in outer.connections] == [
        "sub.first.output -> sub.second.trigger",
        "begin.output -> sub.first.trigger",
        "sub.second.output -> end.trigger",
    ]


def test_a_sub_flow_runs_inside_the_outer_job(manager):
    state = nested().execute("begin", {"n": 0})
    assert state.results == {"end.output": [{"n": 4}]}
    ran = [record.routine_id for record in state.execution_history if record.event_name == "start"]
    assert ran == ["begin", "sub.first", "sub.second", "end"]


def test_a_job_may_enter_a_sub_flow(manager):
    assert nested().execute("sub.second", {"n": 0}).results == {"end.output": [{"n": 2}]}


def test_a_sub_flow_still_runs_by_itself(manager):
    inner = chain("inner")
    outer = Flow("outer")
    outer.add_routine(inner, "sub")
    assert inner.execute("first", {"n": 0}).results == {"second.output": [{"n": 2}]}
    assert outer.execute("sub.first", {"n": 0}).results == {"sub.second.output": [{"n": 2}]}


def test_three_levels(manager):
    top = Flow("top")
    top.add_routine(nested(), "mid")
    state = top.execute("mid.begin", {"n": 0})
    assert state.results == {"mid.end.output": [{"n": 4}]}
    assert "mid.sub.first" in top.routines


def test_a_change_of_a_sub_flow_counts_in_the_outer_one(manager):
    inner, outer = chain("inner"), Flow("outer")
    outer.add_routine(inner, "sub")
    outer.execute("sub.first", {"n": 0})
    inner.add_routine(add_one(), "third")
    inner.connect("second.output", "third.trigger")
    assert outer.execute("sub.first", {"n": 0}).results == {"sub.third.output": [{"n": 3}]}


def test_one_flow_stands_twice_in_another(manager):
    inner, outer = chain("inner"), Flow("outer")
    outer.add_routine(inner, "one")
    outer.add_routine(inner, "two")
    outer.connect("one.second.output", "two.first.trigger")
    assert outer.execute("one.first", {"n": 0}).results == {"two.second.output": [{"n": 4}]}


def test_a_flow_does_not_contain_itself():
    inner, outer = chain("inner"), Flow("outer")
    outer.add_routine(inner, "sub")
    with pytest.raises(InvalidOption, match=r"a flow that does not contain this one"):
        inner.add_routine(outer, "loop")
    with pytest.raises(InvalidOption, match=r"a flow that does not contain this one"):
        outer.add_routine(outer, "loop")
    assert list(outer.routines) == ["sub.first", "sub.second"]


def test_ids_of_sub_flows_collide_with_nothing():
    outer = Flow("outer")
    outer.add_routine(add_one(), "sub.first")
    with pytest.raises(DuplicateName, match=r"'sub.first'"):
        outer.add_routine(chain(), "sub")
    outer.add_routine(chain(), "other")
    with pytest.raises(DuplicateName, match=r"'other.first'"):
        outer.add_routine(add_one(), "other.first")
    with pytest.raises(DuplicateName, match=r"'other'"):
        outer.add_routine(add_one(), "other")


def test_a_routine_added_to_a_sub_flow_later_collides_with_nothing_around_it():
    inner, outer = chain("inner"), Flow("outer")
    outer.add_routine(inner, "sub")
    outer.add_routine(add_one(), "sub.third")
    with pytest.raises(DuplicateName, match=r"flow 'outer' already has routine 'sub\.third'"):
        inner.add_routine(add_one(), "third")
    assert list(inner.routines) == ["first", "second"]


# -- whose error handler -------------------------------------------------------------------------------

STOP, GO_ON, SKIP = ErrorHandler("stop"), ErrorHandler("continue"), ErrorHandler("skip")


@pytest.mark.parametrize(
    ("on_slot", "on_routine", "on_inner", "on_outer", "status"),
    [
        (None, None, None, None, "failed"),
        (None, None, None, GO_ON, "completed"),
        (None, None, STOP, GO_ON, "failed"),
        (None, None, GO_ON, STOP, "completed"),
        (None, GO_ON, STOP, STOP, "completed"),
        (None, STOP, GO_ON, GO_ON, "failed"),
        (GO_ON, STOP, STOP, STOP, "completed"),
        (STOP, GO_ON, GO_ON, GO_ON, "failed"),
    ],
)
def test_the_nearest_error_handler_wins(manager, on_slot, on_routine, on_inner, on_outer, status):
    class Broken(Routine):
        @slot(retry=on_slot)
        def trigger(self):
            raise OSError

    made, inner, outer = Broken(), Flow("inner"), Flow("outer")
    inner.add_routine(made, "broken")
    outer.add_routine(inner, "sub")
    for owner, handler in ((made, on_routine), (inner, on_inner), (outer, on_outer)):
        if handler is not None:
            owner.set_error_handler(handler)
    assert outer.execute("sub.broken").status == status


def test_a_handler_set_after_a_run_counts_in_the_next(manager):
    inner, outer = Flow("inner"), Flow("outer")
    inner.add_routine(broken(), "broken")
    outer.add_routine(inner, "sub")
    assert outer.execute("sub.broken").status == "failed"
    inner.set_error_handler(GO_ON)
    assert outer.execute("sub.broken").status == "completed"


def test_an_id_that_looks_like_a_sub_flows_keeps_the_outer_handler(manager):
    inner, outer = chain("inner"), Flow("outer")
    inner.set_error_handler(GO_ON)
    outer.add_routine(inner, "sub")
    outer.add_routine(broken(), "sub.other")
    assert outer.execute("sub.other").status == "failed"


def test_skip_marks_the_routine(manager):
    flow = Flow("skipping")
    flow.add_routine(broken(), "broken")
    flow.set_error_handler(SKIP)
    state = flow.execute("broken")
    assert state.status == "completed"
    assert state.get_routine_state("broken")["status"] == "skipped"
