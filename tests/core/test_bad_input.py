"""Bad input: each kind has a clear error, and nothing is harmed by it."""

import asyncio

import pytest

from routilux_core import (
    DuplicateName,
    ErrorHandler,
    Event,
    Flow,
    FlowMismatch,
    InsideJob,
    InvalidMapping,
    InvalidOption,
    InvalidPayload,
    InvalidTransition,
    JobState,
    Routine,
    UnknownComponent,
    UnknownEvent,
    UnknownJob,
    UnknownOption,
    UnknownRoutine,
    UnknownSlot,
    all_sources,
    routine,
    slot,
)


class First(Routine):
    output = Event()

    def __init__(self):
        super().__init__()
        self.do = None
        """What the handler does before it sends, once."""

    @slot
    def trigger(self, n=1):
        do, self.do = self.do, None
        if do is not None:
            do(self.get_execution_context())
        self.emit("output", n=n)


class Last(Routine):
    output = Event("n")

    @slot
    def trigger(self, n):
        self.emit("output", n=n)


@pytest.fixture
def flow(manager):
    made = Flow("sound")
    made.add_routine(First(), "first")
    made.add_routine(Last(), "last")
    made.connect("first.output", "last.trigger")
    return made


def check(flow, manager):
    """The flow runs as if nothing had been, and nothing runs that should not."""
    assert manager.running_jobs == []
    state = flow.execute("first", {"n": 5})
    assert state.status == "completed"
    assert state.results == {"last.output": [{"n": 5}]}


def text_of(kind, call, *arguments, **options):
    with pytest.raises(kind) as caught:
        call(*arguments, **options)
    return str(caught.value)


# -- unknown names -------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["start", "execute"])
def test_an_unknown_entry_routine(manager, flow, call):
    text = text_of(UnknownRoutine, getattr(flow, call), "frist")
    assert text == "flow 'sound' has no routine 'frist'; it has: first, last; did you mean 'first'?"
    check(flow, manager)


def test_an_unknown_entry_slot(manager, flow):
    text = text_of(UnknownSlot, flow.execute, "first", entry_slot="triger")
    assert text == "routine 'first' has no slot 'triger'; it has: trigger; did you mean 'trigger'?"
    check(flow, manager)


def test_an_unknown_event_in_a_handler(manager, flow):
    flow.routines["first"].do = lambda context: flow.routines["first"].emit("outptu")
    state = flow.execute("first")
    assert state.status == "failed"
    assert state.errors[0].type == UnknownEvent.__name__
    assert state.errors[0].message == (
        "routine 'first' has no event 'outptu'; it has: output; did you mean 'output'?"
    )
    check(flow, manager)


@pytest.mark.parametrize("how", ["argument", "flow", "manager"])
def test_an_unknown_executor(manager, flow, how):
    if how == "argument":
        text = text_of(UnknownComponent, flow.execute, "first", executor="sequental")
    elif how == "flow":
        flow.set_execution_strategy("sequental")
        text = text_of(UnknownComponent, flow.execute, "first")
        flow.set_execution_strategy("sequential")
    else:
        text = text_of(UnknownComponent, manager.executor, "sequental")
    assert text == "no executor named 'sequental'; installed: sequential; did you mean 'sequential'?"
    check(flow, manager)


CALLS = {
    "start_job": lambda manager, flow, **options: manager.start_job(flow, "first", **options),
    "execute": lambda manager, flow, **options: flow.execute("first", **options),
    "execute_async": lambda manager, flow, **options: asyncio.run(flow.execute_async("first", **options)),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("name", "meant"), [("executr", "executor"), ("timout", "timeout"), ("entry_slots", "entry_slot")]
)
def test_a_misspelt_option_of_a_job(manager, flow, call, name, meant):
    text = text_of(UnknownOption, CALLS[call], manager, flow, **{name: "pooled"})
    assert text.startswith(f"{call} has no {name!r}; it has: entry_routine_id, entry_params, timeout, ")
    assert text.endswith(f"; did you mean {meant!r}?")
    check(flow, manager)


def test_a_misspelt_option_of_execute_alone(manager, flow):
    text = text_of(UnknownOption, flow.execute, "first", raise_on_eror=True)
    assert text.endswith("; did you mean 'raise_on_error'?")
    check(flow, manager)


@pytest.mark.parametrize("value", [print, "logging", 1])
def test_monitors_that_are_none(manager, flow, value):
    text = text_of(InvalidOption, flow.execute, "first", monitors=value)
    assert text.endswith("it takes a list of monitors")
    check(flow, manager)


def test_metadata_that_is_none(manager, flow):
    assert text_of(InvalidOption, flow.start, "first", metadata=[1]).endswith("it takes a dict")
    check(flow, manager)


def test_an_unknown_job(manager, flow):
    for call in (manager.pause, manager.cancel):
        assert "this manager has no job 'nobody'" in text_of(UnknownJob, call, "nobody")
    assert "this manager has no job 'nobody'" in text_of(UnknownJob, manager.post, "nobody", "first")
    assert manager.get_job("nobody") is None
    check(flow, manager)


def test_posting_to_unknown_names(manager, flow):
    texts = []

    def post(context):
        texts.append(text_of(UnknownRoutine, context.job.post, "lst"))
        texts.append(text_of(UnknownSlot, context.job.post, "last", "triger"))

    flow.routines["first"].do = post
    assert flow.execute("first").status == "completed"
    assert "it has: first, last; did you mean 'last'?" in texts[0]
    assert "it has: trigger; did you mean 'trigger'?" in texts[1]
    check(flow, manager)


# -- duplicates and mappings ---------------------------------------------------------------------------


def test_duplicate_ids(manager, flow):
    text = text_of(DuplicateName, flow.add_routine, Last(), "last")
    assert text == "flow 'sound' already has routine 'last'; choose another name"
    check(flow, manager)


def test_two_fields_mapped_onto_one(manager, flow):
    mapping = {"a": "n", "b": "n"}
    text = text_of(InvalidMapping, flow.connect, "first", "output", "last", "trigger", mapping)
    assert text == (
        "connection first.output -> last.trigger maps 'a' and 'b' onto 'n'; give each field a name of its own"
    )
    check(flow, manager)


# -- fields and payloads -------------------------------------------------------------------------------


def test_a_handler_without_its_required_field(manager, flow):
    state = flow.execute("last", {"m": 1})
    assert state.status == "failed"
    assert state.errors[0].message == (
        "slot 'last.trigger' needs 'n', and the call from outside gives: m; "
        "send that field, rename one with param_mapping, or give the parameter a default"
    )
    check(flow, manager)


def test_non_string_field_names_at_the_entry(manager, flow):
    text = text_of(InvalidPayload, flow.execute, "first", {1: "one"})
    assert (
        text == "entry_params gave no payload: its key 1 is of type int; a payload is a dict with text keys"
    )
    check(flow, manager)


@pytest.mark.parametrize("name", [1, None, ("a",), b"a"], ids=repr)
def test_non_string_field_names_from_a_function(manager, flow, name):
    @routine
    def odd():
        return {name: "one"}

    flow.add_routine(odd(), "odd")
    state = flow.execute("odd")
    assert state.status == "failed"
    assert "routine 'odd' gave no payload: its key " in state.errors[0].message
    check(flow, manager)


def test_non_string_field_names_of_an_emission(manager, flow):
    flow.routines["first"].do = lambda context: flow.routines["first"].emit("output", **{1: "one"})
    state = flow.execute("first")
    assert state.status == "failed"
    assert state.errors[0].type == "TypeError"
    assert "keywords must be strings" in state.errors[0].message
    check(flow, manager)


class Awkward:
    """Cannot be hashed, copied, compared, shown or measured."""

    __hash__ = None

    def __copy__(self):
        raise TypeError("not to be copied")

    def __deepcopy__(self, memo):
        raise TypeError("not to be copied")

    def __eq__(self, other):
        raise TypeError("not to be compared")

    def __bool__(self):
        raise TypeError("neither true nor false")

    def __repr__(self):
        raise TypeError("not to be shown")


@pytest.mark.parametrize("options", [{}, {"merge_strategy": "append"}, {"when": all_sources}], ids=str)
def test_payloads_that_can_neither_be_hashed_nor_copied(manager, flow, options):
    got, value = [], Awkward()
    keeping = Routine()
    keeping.define_slot("trigger", lambda n: got.append(n), **options)  # noqa: PLW0108 - it has the field's name
    flow.add_routine(keeping, "keeping")
    flow.connect("first.output", "keeping.trigger")
    state = flow.execute("first", {"n": value})
    assert state.status == "completed"
    assert (got[0][0] if "merge_strategy" in options else got[0]) is value
    assert state.results["last.output"][0]["n"] is value
    check(flow, manager)


def test_awkward_payloads_of_a_failed_job_go_on_in_a_fork(manager, flow):
    value, failing = Awkward(), [True]

    def fail(context):
        if failing:
            raise OSError

    flow.routines["first"].do = fail
    state = flow.execute("first", {"n": value})
    assert state.status == "failed"
    assert state.pending_tasks[0].data["n"] is value
    fork = flow.fork(state)
    assert flow.wait_for_completion(10)
    assert fork.results["last.output"][0]["n"] is value
    check(flow, manager)


# -- merge functions, policies and keys ----------------------------------------------------------------


def refuse(*_):
    raise OSError("no idea")


@pytest.mark.parametrize(
    ("options", "part"),
    [({"merge_strategy": refuse}, "merge function"), ({"when": all_sources(by=refuse)}, "policy")],
    ids=["merge function", "key"],
)
@pytest.mark.parametrize("strategy", ["stop", "continue"])
def test_merge_functions_and_keys_that_raise(manager, flow, options, part, strategy):
    gathering = Routine()
    gathering.define_slot("trigger", lambda **data: None, retry=ErrorHandler(strategy), **options)
    bad = Flow("bad")
    bad.add_routine(flow, "sound")
    bad.add_routine(gathering, "gathering")
    bad.connect("sound.first.output", "gathering.trigger")
    state = bad.execute("sound.first")
    assert state.status == ("failed" if strategy == "stop" else "completed")
    assert state.errors[0].message == (
        f"the {part} of slot 'gathering.trigger' failed: OSError: no idea; "
        "the other deliveries are not touched; mend it, or let an error handler go on"
    )
    assert (state.errors[0].routine_id, state.errors[0].slot) == ("gathering", "trigger")
    if strategy == "continue":
        assert state.results == {"sound.last.output": [{"n": 1}]}
    check(flow, manager)


# -- the life of a job ---------------------------------------------------------------------------------


def completed(flow):
    return flow.execute("first")


def failed(flow):
    flow.routines["first"].do = refuse
    return flow.execute("first")


def cancelled(flow):
    flow.routines["first"].do = lambda context: context.flow.cancel(context.job_state)
    return flow.execute("first")


def snapshot(state):
    return (state.status, len(state.facts), state.updated_at, len(state.pending_tasks))


@pytest.mark.parametrize("ended", [completed, failed, cancelled])
@pytest.mark.parametrize("move", ["pause", "resume", "cancel", "start"])
def test_forbidden_moves_change_nothing(manager, flow, ended, move):
    state = ended(flow)
    assert state.status == ended.__name__
    before = snapshot(state)
    calls = {
        "pause": lambda: flow.pause(state),
        "resume": lambda: flow.resume(state),
        "cancel": lambda: flow.cancel(state),
        "start": lambda: flow.start("first", job_state=state),
    }
    if (move, ended) == ("cancel", cancelled):
        calls[move]()  # asking for what already holds is no error
    else:
        text = text_of(InvalidTransition, calls[move])
        wanted = {
            "pause": "become paused",
            "resume": "become running",
            "cancel": "become cancelled",
            "start": "be started",
        }
        assert text == (
            f"job '{state.job_id}' is {ended.__name__} and cannot {wanted[move]}; "
            "nothing changes it any more; fork it, or start a new job"
        )
    assert snapshot(state) == before
    check(flow, manager)


def test_a_fresh_state_cannot_be_paused(manager, flow):
    state = JobState("sound")
    text = text_of(InvalidTransition, flow.pause, state)
    assert "is pending and cannot become paused; from here it can become: cancelled, failed, running" in text
    assert state.status == "pending"
    assert flow.execute("first", {"n": 5}, job_state=state).status == "completed"


@pytest.mark.parametrize("ended", [completed, failed, cancelled])
def test_a_post_to_a_final_job(manager, flow, ended):
    jobs, prepared = [], []

    def keep(job, fact):
        if not jobs:
            jobs.append(job)

    prepared.append(flow.routines["first"])
    if ended is failed:
        prepared[0].do = refuse
    elif ended is cancelled:
        prepared[0].do = lambda context: context.flow.cancel(context.job_state)
    state = flow.execute("first", monitors=[keep])
    assert state.status == ended.__name__
    before = snapshot(state)
    text = text_of(InvalidTransition, jobs[0].post, "last", n=1)
    assert text == (
        f"job '{state.job_id}' is {ended.__name__} and cannot be posted to; "
        "nothing changes it any more; fork it, or start a new job"
    )
    assert snapshot(state) == before
    assert "no job" in text_of(UnknownJob, manager.post, state.job_id, "last", n=1)
    check(flow, manager)


def paused(flow):
    flow.routines["first"].do = lambda context: context.flow.pause(context.job_state)
    state = flow.execute("first", {"n": 5})
    assert state.status == "paused"
    return state


@pytest.mark.parametrize("call", ["pause", "resume", "cancel", "fork"])
def test_a_state_of_another_flow(manager, flow, call):
    state, other = paused(flow), Flow("other")
    before = snapshot(state)
    text = text_of(FlowMismatch, getattr(other, call), state)
    assert text == (
        "the job state does not fit flow 'other': it belongs to flow 'sound'; "
        "run it with the flow that made it"
    )
    assert snapshot(state) == before
    flow.resume(state)
    assert flow.wait_for_completion(10)
    assert state.results == {"last.output": [{"n": 5}]}
    check(flow, manager)


def test_a_state_of_another_flow_is_not_started(manager, flow):
    text = text_of(FlowMismatch, flow.execute, "first", job_state=JobState("other"))
    assert "it belongs to flow 'other'" in text
    check(flow, manager)


def test_a_state_of_a_changed_flow_is_refused_with_the_differences(manager, flow):
    state = paused(flow)
    flow.add_routine(Last(), "more")
    flow.connect("last", "output", "more", "trigger", {"n": "n"})
    before = snapshot(state)
    text = text_of(FlowMismatch, flow.resume, state)
    for line in (
        "routine more: ",
        "slot more.trigger is new",
        "connection last.output -> more.trigger {n: n} is new",
    ):
        assert line in text
    assert text.endswith("; pass accept_changes=True to run it all the same")
    assert snapshot(state) == before
    flow.resume(state, accept_changes=True)
    assert flow.wait_for_completion(10)
    assert state.results == {"more.output": [{"n": 5}]}


def rebuilt(**routines):
    flow = Flow("sound")
    for name, made in routines.items():
        flow.add_routine(made, name)
    return flow


def test_what_is_gone_is_named_too(manager, flow):
    text = text_of(FlowMismatch, rebuilt(first=First()).resume, paused(flow))
    assert "slot last.trigger is gone" in text
    assert "connection first.output -> last.trigger is gone" in text


def test_work_for_a_slot_that_is_gone_is_refused_even_if_changes_are_accepted(manager, flow):
    state = paused(flow)
    text = text_of(FlowMismatch, rebuilt(first=First()).resume, state, accept_changes=True)
    assert "work waits for slot last.trigger, which is gone; give the flow those slots" in text
    assert state.status == "paused"
    flow.resume(state)
    assert flow.wait_for_completion(10)
    check(flow, manager)


def test_configuration_and_code_are_no_change(manager, flow):
    state = paused(flow)
    again = rebuilt(first=First(), last=Last(size=3))
    again.connect("first.output", "last.trigger")
    again.resume(state)
    assert again.wait_for_completion(10)
    assert state.results == {"last.output": [{"n": 5}]}


# -- handlers that turn on their own job ---------------------------------------------------------------


def test_a_handler_that_executes_its_own_job(manager, flow):
    texts = []

    def again(context):
        texts.append(text_of(InvalidTransition, flow.execute, "first", job_state=context.job_state))

    flow.routines["first"].do = again
    state = flow.execute("first", {"n": 5})
    assert "is running and cannot be started" in texts[0]
    assert state.results == {"last.output": [{"n": 5}]}
    check(flow, manager)


def test_a_handler_that_executes_its_own_flow_starts_another_job(manager, flow):
    inner = []
    flow.routines["first"].do = lambda context: inner.append(flow.execute("first", {"n": 7}))
    state = flow.execute("first", {"n": 5})
    assert inner[0] is not state
    assert inner[0].results == {"last.output": [{"n": 7}]}
    assert state.results == {"last.output": [{"n": 5}]}
    check(flow, manager)


def test_a_handler_that_pauses_its_own_job(manager, flow):
    state = paused(flow)
    assert [task.slot for task in state.pending_tasks] == ["trigger"]
    flow.resume(state)
    assert flow.wait_for_completion(10)
    assert state.results == {"last.output": [{"n": 5}]}
    check(flow, manager)


@pytest.mark.parametrize("by", ["flow", "job", "manager"])
def test_a_handler_that_cancels_its_own_job(manager, flow, by):
    def cancel(context):
        calls = {
            "flow": lambda: flow.cancel(context.job_state, "enough"),
            "job": lambda: context.job.cancel("enough"),
            "manager": lambda: manager.cancel(context.job_state.job_id, "enough"),
        }
        calls[by]()
        assert context.cancelled

    flow.routines["first"].do = cancel
    state = flow.execute("first", {"n": 5})
    assert state.status == "cancelled"
    assert state.results == {}
    assert [task.routine_id for task in state.pending_tasks] == ["first"]
    check(flow, manager)


def test_a_handler_that_shuts_its_own_manager_down(manager, flow):
    texts = []
    flow.routines["first"].do = lambda context: texts.append(text_of(InsideJob, manager.shutdown))
    state = flow.execute("first", {"n": 5})
    assert len(texts) == 1
    assert texts[0] == (
        "shutdown was called by a handler of that same job: it would wait for the handler that called it; "
        "let the handler return first"
    )
    assert state.status == "completed"
    assert not manager.closed
    check(flow, manager)


@pytest.mark.parametrize("wait", [True, False])
def test_a_monitor_that_shuts_its_own_manager_down(manager, flow, wait):
    """The job could never end; the manager goes on as if nobody had asked."""
    texts = []

    def shut(job, fact):
        if fact.tag in {"activation_started", "job_completed"}:
            texts.append(text_of(InsideJob, manager.shutdown, wait=wait))

    state = flow.execute("first", {"n": 5}, monitors=[shut])
    assert len(texts) == 3
    assert all("the job itself waits for the monitor" in text for text in texts)
    assert state.status == "completed"
    assert not manager.closed
    check(flow, manager)


def test_a_handler_that_waits_for_its_own_job(manager, flow):
    texts = []
    flow.routines["first"].do = lambda context: texts.append(text_of(InsideJob, context.job.wait))
    assert flow.execute("first").status == "completed"
    assert "cannot end before this handler has returned" in texts[0]
    check(flow, manager)


def test_a_handler_that_waits_for_all_jobs_does_not_wait_for_its_own(manager, flow):
    answers = []

    def wait(context):
        answers.append(flow.wait_for_completion(10))
        answers.append(manager.wait_for_all_jobs(10))

    flow.routines["first"].do = wait
    assert flow.execute("first").status == "completed"
    assert answers == [True, True]
    check(flow, manager)


def test_a_handler_that_resumes_its_running_job_changes_nothing(manager, flow):
    flow.routines["first"].do = lambda context: flow.resume(context.job_state)
    assert flow.execute("first", {"n": 5}).results == {"last.output": [{"n": 5}]}
    check(flow, manager)


# -- depth ---------------------------------------------------------------------------------------------


def test_recursion_ten_thousand_deep(manager, flow):
    class Down(Routine):
        again, output = Event("n"), Event("n")

        @slot
        def trigger(self, n):
            if n:
                self.emit("again", n=n - 1)
            else:
                self.emit("output", n=n)

    flow.add_routine(Down(), "down")
    flow.connect("down.again", "down.trigger")
    state = flow.execute("down", {"n": 10_000})
    assert state.results == {"down.output": [{"n": 0}]}
    assert state.get_routine_state("down")["activations"] == 10_001
    check(flow, manager)
