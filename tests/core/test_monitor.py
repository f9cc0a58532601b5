"""Monitors: a method for each fact or a plain function, in order, each apart from the others."""

import gc

import pytest
from attrs import define

from routilux_core import (
    ErrorHandler,
    Fact,
    Flow,
    JobForked,
    JobManager,
    JobSubmitted,
    Monitor,
    MonitorQueue,
    RoutiluxError,
    Routine,
    facts,
    get_execution_context,
    hookimpl,
    routine,
)
from routilux_core.observers import KINDS
from routilux_plugins.executors import sequential


class Recorder(Monitor):
    def __init__(self):
        self.seen = []

    def on_fact(self, job, fact):
        self.seen.append(fact)

    def names(self):
        return [type(fact).__name__ for fact in self.seen]


class Failing(Monitor):
    def __init__(self, at):
        self.at = at
        self.calls = 0

    def on_fact(self, job, fact):
        self.calls += 1
        if type(fact).__name__ == self.at:
            raise OSError("no disk")


@routine
def keep(n):
    return {"n": n}


def chain(flow_id="flow"):
    flow = Flow(flow_id)
    flow.add_routine(keep(), "a")
    flow.add_routine(keep(), "b")
    flow.connect("a.output", "b.trigger")
    return flow


def test_there_is_a_method_for_each_kind_of_fact():
    gc.collect()  # of a class with slots, the one without may still be there
    assert set(KINDS.values()) == set(Fact.__subclasses__()) | {JobForked, JobSubmitted}
    assert {"on_job_started", "on_activation_started", "on_event_emitted", "on_job_failed"} <= set(KINDS)


def test_each_method_is_called_for_its_fact_alone(manager):
    seen = []

    class Watching(Monitor):
        def on_job_started(self, job, fact):
            seen.append(("started", fact.flow_id))

        def on_event_emitted(self, job, fact):
            seen.append((fact.routine_id, fact.data["n"]))

        def on_job_completed(self, job, fact):
            seen.append(("completed", str(job.status)))

    chain().execute("a", {"n": 1}, monitors=[Watching()])
    assert seen == [("started", "flow"), ("a", 1), ("b", 1), ("completed", "completed")]


def test_a_function_sees_every_fact_in_order(manager):
    seen = []
    state = chain().execute("a", {"n": 1}, monitors=[lambda job, fact: seen.append((job.job_id, fact))])
    assert [fact for _, fact in seen] == list(state.facts)
    assert [fact.number for _, fact in seen] == list(range(1, len(seen) + 1))
    assert {job_id for job_id, _ in seen} == {state.job_id}


def test_facts_hold_when_they_are_seen(manager):
    numbers = []

    def watch(job, fact):
        numbers.append(job.data.number >= fact.number)
        if isinstance(fact, facts.ActivationCompleted):
            numbers.append(job.job_state.routine_states[fact.activation.routine_id]["activations"] >= 1)

    chain().execute("a", {"n": 1}, monitors=[watch])
    assert all(numbers)
    assert len(numbers) > 8


def test_monitors_of_a_job_see_that_job_alone(manager):
    one, other = Recorder(), Recorder()
    first = chain().execute("a", {"n": 1}, monitors=[one])
    second = chain().execute("a", {"n": 2}, monitors=[other])
    assert one.seen == list(first.facts)
    assert other.seen == list(second.facts)


def test_monitors_of_a_manager_see_all_jobs():
    watching = Recorder()
    with JobManager(plugins=[sequential, watching], discover=False):
        states = [chain().execute("a", {"n": n}) for n in range(3)]
    assert watching.seen == [fact for state in states for fact in state.facts]


@pytest.mark.parametrize("queued", [False, True])
@pytest.mark.parametrize("everywhere", [False, True])
def test_one_object_watches_a_job_once(everywhere, queued):
    """However often it is given: as a plugin, twice for one job, with a queue beside."""
    own = Recorder()
    given = MonitorQueue(own) if queued else own
    with JobManager(plugins=[sequential, *([given] if everywhere else [])], discover=False):
        state = chain().execute("a", {"n": 1}, monitors=[given, own, given, own])
        assert not queued or given.wait(10)
    assert own.seen == list(state.facts)


@pytest.mark.parametrize("everywhere", [False, True])
def test_a_monitor_whose_on_fact_is_marked_as_a_hook_too_is_told_once(everywhere, caplog):
    """As a hook it may take some of the arguments."""
    seen = []

    class Marked(Monitor):
        @hookimpl
        def on_fact(self, fact):
            seen.append(fact)

    own = Marked()
    plugins, monitors = ([own], []) if everywhere else ([], [own])
    with JobManager(plugins=[sequential, *plugins], discover=False):
        state = chain().execute("a", {"n": 1}, monitors=monitors)
    assert seen == list(state.facts)
    assert not caplog.records


def test_one_name_is_one_monitor():
    own = Recorder()
    with JobManager(plugins=[sequential], discover=False) as manager:
        manager.registry.register(lambda: own, "own", "monitor")
        state = chain().execute("a", {"n": 1}, monitors=["own", "own", own])
    assert own.seen == list(state.facts)


def test_monitors_that_are_equal_are_not_the_same(manager):
    """The control: each of two that are equal watches."""

    @define
    class Counting(Monitor):
        jobs: int = 0

        def on_job_completed(self, job, fact):
            self.jobs += 1

    both = [Counting(), Counting()]
    chain().execute("a", {"n": 1}, monitors=both)
    assert both == [Counting(1), Counting(1)]


class MisspeltMethod(Monitor):
    def on_job_complete(self, job, fact):
        pass


class MisspeltHook(Monitor):
    @hookimpl
    def job_startin(self, job):
        pass


class AsyncHook(Monitor):
    @hookimpl
    async def hold(self, job, activation):
        pass


class AsyncMethod(Monitor):
    async def on_fact(self, job, fact):
        pass


async def async_function(job, fact):
    pass


class AsyncCall:
    async def __call__(self, job, fact):
        pass


WRONG = {
    "did you mean 'on_job_completed'": MisspeltMethod(),
    "did you mean 'job_starting'": MisspeltHook(),
    "its 'hold' is async": AsyncHook(),
    "its 'on_fact' is async": AsyncMethod(),
    "a plain function; it is async": async_function,
    "it is async or has a yield": AsyncCall(),
}


@pytest.mark.parametrize("text", WRONG)
@pytest.mark.parametrize("given", ["for a job", "with a queue", "as a plugin"])
def test_what_nobody_would_call_is_refused_where_it_is_given(manager, given, text):
    def give(wrong):
        if given == "as a plugin":
            JobManager(plugins=[wrong], discover=False)
        one = MonitorQueue(wrong) if given == "with a queue" else wrong
        chain().execute("a", {"n": 1}, monitors=[one])

    with pytest.raises(RoutiluxError, match=text):
        give(WRONG[text])
    assert manager.running_jobs == []


def test_monitors_are_called_in_the_order_in_which_they_were_given(manager):
    seen = []
    watching = [lambda job, fact, name=name: seen.append(name) for name in "abc"]
    chain().execute("a", {"n": 1}, monitors=watching)
    assert "".join(seen) == "abc" * (len(seen) // 3)


@pytest.mark.parametrize("at", ["JobStarted", "EventEmitted", "JobCompleted"])
def test_one_that_raises_harms_neither_job_nor_the_others(manager, at, caplog):
    """Control: a loop over the monitors without a guard around each shows the later ones nothing."""
    before, failing, after = Recorder(), Failing(at), Recorder()
    state = chain().execute("a", {"n": 1}, monitors=[before, failing, after])
    assert state.status == "completed"
    assert before.seen == after.seen == list(state.facts)
    assert any("'Failing'" in record.getMessage() and at in record.getMessage() for record in caplog.records)


def test_one_that_raises_is_dropped_for_that_job_only():
    failing = Failing("EventEmitted")
    with JobManager(plugins=[sequential, failing], discover=False):
        first = chain().execute("a", {"n": 1})
        calls = failing.calls
        assert calls < len(first.facts)
        chain().execute("a", {"n": 1})
        assert failing.calls == 2 * calls


def test_one_that_raises_in_one_method_is_dropped_with_all(manager):
    seen = []

    class Half(Monitor):
        def on_activation_started(self, job, fact):
            raise OSError("no disk")

        def on_job_completed(self, job, fact):
            seen.append(fact)

    chain().execute("a", {"n": 1}, monitors=[Half()])
    assert seen == []


def test_a_monitor_sees_what_makes_and_ends_a_pause(manager):
    @routine
    def pause():
        get_execution_context().job.pause("why")

    watching, flow = Recorder(), Flow()
    flow.add_routine(pause(), "a")
    state = flow.execute("a", monitors=[watching])
    assert watching.names()[-3:] == ["PauseRequested", "ActivationCompleted", "JobPaused"]
    before = len(watching.seen)
    flow.resume(state)
    assert flow.wait_for_completion(20)
    assert watching.names()[before:] == ["JobResumed", "JobCompleted"]


def test_a_monitor_may_use_the_state_that_it_watches(manager):
    def watch(job, fact):
        if isinstance(fact, facts.ActivationCompleted):
            job.job_state.append_to_shared_log(fact.activation.routine_id)

    assert chain().execute("a", {"n": 1}, monitors=[watch]).shared_log == ["a", "b"]


def test_a_monitor_sees_failures(manager):
    class Broken(Routine):
        def __init__(self):
            super().__init__()
            self.define_slot("trigger", self.act, retry=ErrorHandler("retry", max_retries=1, retry_delay=0))

        def act(self):
            raise OSError("no disk")

    watching, flow = Recorder(), Flow()
    flow.add_routine(Broken(), "a")
    flow.execute("a", monitors=[watching])
    names = [name for name in watching.names() if name.startswith("Activation")]
    assert names == ["ActivationStarted", "ActivationRetried", "ActivationStarted", "ActivationFailed"]


def test_a_monitor_that_watches_nothing_costs_nothing(manager):
    state = chain().execute("a", {"n": 1}, monitors=[Monitor()])
    assert Monitor().watches() == {}
    assert state.status == "completed"
