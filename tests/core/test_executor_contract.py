"""The executor contract: an executor of ten lines runs jobs as ours do, and which executor a job gets."""

import threading
from typing import ClassVar

import pytest

from routilux_core import (
    ErrorHandler,
    Executor,
    Flow,
    InvalidOption,
    JobManager,
    Lane,
    Traits,
    UnknownComponent,
    get_execution_context,
    hookimpl,
    routine,
)
from routilux_plugins.executors import sequential
from tests.core.gate import WAIT


class Threads(Executor):
    """A thread for each activation."""

    def open(self, job):
        return ThreadLane(job)

    def stop(self, timeout=None):
        """Each thread ends by itself."""


class ThreadLane(Lane):
    def __init__(self, job):
        self.job = job

    def wake(self, count):
        for _ in range(count):
            threading.Thread(target=self.work).start()

    def work(self):
        activation = self.job.take()
        if activation is not None:
            self.job.finish(activation, self.job.run(activation))


class Plugin:
    """Offers it by name."""

    def __init__(self, **names):
        self.names = names

    @hookimpl
    def register_components(self, registrar):
        registrar.executor("threads", Threads, **self.names)


@pytest.fixture
def threaded():
    with JobManager(executor=Threads(), discover=False) as manager:
        yield manager


@routine
def fan(width):
    for n in range(width):
        yield {"n": n}


@routine
def double(n):
    return {"n": 2 * n}


@routine
async def later(n):
    return {"n": n + 1}


@routine
def where():
    return {"thread": threading.current_thread().name}


def spread():
    flow = Flow("flow")
    for name, made in (("fan", fan()), ("double", double()), ("later", later())):
        flow.add_routine(made, name)
    flow.connect("fan.output", "double.trigger")
    flow.connect("double.output", "later.trigger")
    return flow


def alone(made):
    flow = Flow()
    flow.add_routine(made, "a")
    return flow


def test_it_gives_the_results_that_ours_gives(threaded):
    state = spread().execute("fan", {"width": 20})
    with JobManager(plugins=[sequential], discover=False):
        reference = spread().execute("fan", {"width": 20})
    assert state.status == "completed"
    found = [sorted(payload["n"] for payload in one.results["later.output"]) for one in (state, reference)]
    assert found[0] == found[1] == [2 * n + 1 for n in range(20)]


def test_pause_resume_and_fork_work_on_it(threaded):
    @routine
    def pause():
        get_execution_context().job.pause()
        return {"n": 1}

    flow = spread()
    flow.add_routine(pause(), "pause")
    flow.connect("pause.output", "double.trigger")
    state = flow.execute("pause")
    assert (state.status, len(state.pending_tasks)) == ("paused", 1)
    fork = flow.fork(state)
    flow.resume(state)
    assert flow.wait_for_completion(WAIT)
    assert fork.results == state.results == {"later.output": [{"n": 3}]}


def test_failures_and_retries_work_on_it(threaded):
    attempts = []

    @routine
    def flaky():
        attempts.append(1)
        if len(attempts) < 3:
            raise OSError("no disk")
        return {"n": 1}

    flow = alone(flaky())
    flow.set_error_handler(ErrorHandler("retry", retry_delay=0))
    assert flow.execute("a").results == {"a.output": [{"n": 1}]}


def test_waiting_inside_a_handler_works_on_it(threaded):
    @routine
    def outer():
        return {"results": dict(spread().execute("fan", {"width": 2}).results)}

    state = alone(outer()).execute("a")
    assert len(state.results["a.output"][0]["results"]["later.output"]) == 2


def test_a_job_started_is_driven_by_its_lane(threaded):
    flow = spread()
    state = flow.start("fan", {"width": 5})
    assert flow.wait_for_completion(WAIT)
    assert len(state.results["later.output"]) == 5


def test_a_generator_that_has_more_to_give_calls_for_a_worker(threaded):
    """Control: a turn that wakes nobody for it leaves the job running for ever."""
    state = alone(fan()).start("a", {"width": 3})
    assert threaded.wait_for_all_jobs(WAIT)
    assert state.results == {"a.output": [{"n": 0}, {"n": 1}, {"n": 2}]}


def test_an_outcome_that_is_handed_in_twice_counts_once(manager):
    """Control: an engine that compares ids alone, not the activation itself, completes it twice."""

    class Twice(Threads):
        def open(self, job):
            lane = ThreadLane(job)

            def work():
                activation = job.take()
                if activation is not None:
                    outcome = job.run(activation)
                    job.finish(activation, outcome)
                    job.finish(activation, outcome)

            lane.work = work
            return lane

    state = spread().execute("fan", {"width": 5}, executor=Twice())
    assert state.status == "completed"
    assert len(state.results["later.output"]) == 5
    assert state.routine_states["double"]["activations"] == 5


# -- which one -----------------------------------------------------------------------------------------


def by_name(**names):
    return JobManager(plugins=[sequential, Plugin(**names)], discover=False)


def test_the_preferred_one_runs_where_none_is_named():
    with by_name():
        state = alone(where()).execute("a")
    assert state.results["a.output"][0]["thread"] == threading.current_thread().name


def test_a_flow_names_its_executor():
    with by_name():
        flow = Flow(execution_strategy="threads")
        flow.add_routine(where(), "a")
        assert flow.execute("a").results["a.output"][0]["thread"].startswith("Thread-")
        flow.set_execution_strategy("sequential")
        assert flow.execute("a").results["a.output"][0]["thread"] == threading.current_thread().name


def test_the_call_goes_before_the_flow():
    with by_name():
        flow = Flow(execution_strategy="sequential")
        flow.add_routine(where(), "a")
        state = flow.execute("a", executor="threads")
    assert state.results["a.output"][0]["thread"].startswith("Thread-")


@pytest.mark.parametrize("options", [{"executor": "threads"}, {"settings": {"executor": "threads"}}])
def test_a_manager_names_one_for_all(options):
    with JobManager(plugins=[sequential, Plugin()], discover=False, **options):
        assert alone(where()).execute("a").results["a.output"][0]["thread"].startswith("Thread-")


def test_a_synonym_is_another_name():
    with by_name(synonyms=("strings",)):
        state = alone(where()).execute("a", executor="strings")
    assert state.status == "completed"


def test_a_former_name_works_with_a_warning():
    with by_name(aliases=("strings",)), pytest.warns(FutureWarning, match="is now named 'threads'"):
        state = alone(where()).execute("a", executor="strings")
    assert state.status == "completed"


def test_an_unknown_name_lists_what_is_installed():
    with by_name(), pytest.raises(UnknownComponent, match="sequential, threads; did you mean 'threads'"):
        alone(where()).execute("a", executor="thread")
    with pytest.raises(UnknownComponent, match="executor named 'pooled'"):
        JobManager(plugins=[sequential], discover=False, executor="pooled")


def test_a_manager_without_executors_says_so():
    with JobManager(discover=False), pytest.raises(UnknownComponent, match="installed: nothing"):
        alone(where()).execute("a")


def test_something_else_is_no_executor(manager):
    with pytest.raises(InvalidOption, match="executor"):
        alone(where()).execute("a", executor=42)


def test_one_object_serves_all_jobs_and_is_started_and_stopped_once():
    calls = []

    class Counted(Threads):
        traits: ClassVar[Traits] = Traits()

        def start(self):
            calls.append("start")

        def stop(self, timeout=None):
            calls.append("stop")

    with JobManager(executor=Counted(), discover=False):
        for _ in range(3):
            alone(where()).execute("a")
    assert calls == ["start", "stop"]


def test_an_executor_that_cannot_open_a_job_harms_nothing(manager):
    class Broken(Threads):
        def open(self, job):
            raise OSError("no workers")

    with pytest.raises(OSError, match="no workers"):
        alone(where()).execute("a", executor=Broken())
    assert manager.running_jobs == []
