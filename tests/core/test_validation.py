"""`validate`: everything that looks wrong in a flow, at once."""

import pytest

from routilux_core import Event, Flow, JobManager, Problem, Routine, hookimpl, routine, slot
from routilux_plugins.executors import sequential


@routine
def free(**data):
    return data


class Declared(Routine):
    output = Event("total", "note")

    @slot
    def trigger(self):
        self.emit("output", total=1, note="")


class Needing(Routine):
    @slot
    def trigger(self, total, extra=None):
        """Take a total."""


class Summing(Routine):
    @slot
    def trigger(self, sum):  # noqa: A002 - a field's name
        """Take a sum."""


def flow_of(**routines):
    flow = Flow("checked")
    for name, made in routines.items():
        flow.add_routine(made, name)
    return flow


def texts(flow):
    return [str(problem) for problem in flow.validate()]


def test_a_sound_flow_has_no_problems(manager):
    flow = flow_of(a=Declared(), b=Needing())
    flow.connect("a.output", "b.trigger")
    assert flow.validate() == []


def test_a_required_field_that_no_event_gives(manager):
    flow = flow_of(a=Declared(), b=Needing())
    flow.connect("a", "output", "b", "trigger", {"total": "sum"})
    assert texts(flow) == [
        "slot b.trigger: its handler needs 'total', and the events connected to it give: note, sum"
    ]


def test_a_mapping_provides_what_it_renames_to(manager):
    flow = flow_of(a=Declared(), b=Summing())
    flow.connect("a", "output", "b", "trigger", {"total": "sum"})
    assert flow.validate() == []


def test_an_event_of_unknown_fields_may_provide_anything(manager):
    flow = flow_of(a=free(), b=Needing())
    flow.connect("a.output", "b.trigger")
    assert flow.validate() == []


def test_a_mapping_of_a_field_that_the_event_does_not_declare(manager):
    flow = flow_of(a=Declared(), b=free())
    flow.connect("a", "output", "b", "trigger", {"totl": "sum"})
    assert texts(flow) == [
        "connection a.output -> b.trigger: param_mapping renames 'totl', and the event declares: total, note"
    ]


class Extra(Routine):
    @slot
    def side(self):
        """Nobody comes here."""


def test_a_slot_that_nothing_reaches(manager):
    problems = texts(flow_of(a=Extra()))
    assert problems == ["slot a.side: no event is connected to it, and a job enters by it only if told to"]


def test_an_entry_slot_needs_no_connection(manager):
    assert flow_of(a=Needing()).validate() == []


class Handless(Routine):
    def __init__(self):
        super().__init__()
        self.define_slot("trigger")


def test_a_slot_without_a_handler(manager):
    assert texts(flow_of(a=Handless())) == ["slot a.trigger: it has no handler, so what arrives is dropped"]


def test_a_local_class_cannot_be_rebuilt(manager):
    class Local(Routine):
        @slot
        def trigger(self):
            """Nothing."""

    problem = flow_of(a=Local()).validate()[0]
    assert problem.where == "routine a"
    assert "cannot be rebuilt in another process" in problem.message
    assert not problem.fatal


def test_a_local_class_runs_all_the_same(manager):
    class Local(Routine):
        @slot
        def trigger(self):
            """Nothing."""

    assert flow_of(a=Local()).execute("a").status == "completed"


class Positional(Routine):
    def __init__(self):
        super().__init__()
        self.define_slot("trigger", self.handle)

    def handle(self, value, /):
        """Cannot be called by name."""


def test_a_handler_that_no_field_can_reach_is_fatal(manager):
    flow = flow_of(a=Positional())
    problem = flow.validate()[0]
    assert problem.fatal
    assert "'value' is positional-only" in problem.message
    with pytest.raises(TypeError, match=r"'value' is positional-only"):
        flow.execute("a")
    assert manager.running_jobs == []


def test_all_problems_come_at_once(manager):
    flow = flow_of(a=Declared(), b=Needing(), c=Extra(), d=Handless())
    flow.connect("a", "output", "b", "trigger", {"total": "sum"})
    assert len(flow.validate()) == 3


def test_sub_flows_are_looked_at_too(manager):
    outer = Flow("outer")
    outer.add_routine(flow_of(a=Extra()), "sub")
    assert texts(outer)[0].startswith("slot sub.a.side: ")


def test_problems_of_plugins_are_among_them():
    class NoUnderscores:
        @hookimpl
        def check_flow(self, flow):
            return [
                Problem(f"routine {name}", "its id has an underscore")
                for name in flow.routines
                if "_" in name
            ]

    with JobManager(plugins=[sequential, NoUnderscores()], discover=False):
        assert texts(flow_of(a_b=Needing())) == ["routine a_b: its id has an underscore"]


def test_a_fatal_problem_of_a_plugin_keeps_the_flow_from_running():
    class Never:
        @hookimpl
        def check_flow(self, flow):
            return [Problem("flow", "not today", fatal=True)]

    with JobManager(plugins=[sequential, Never()], discover=False) as manager:
        with pytest.raises(ValueError, match=r"flow 'checked' cannot run: flow: not today"):
            flow_of(a=Needing()).execute("a", {"total": 1})
        assert manager.running_jobs == []
