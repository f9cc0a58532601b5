"""Retries: when the next attempt comes, who waits for it, and what the attempts have in common."""

import threading

import pytest

from routilux_core import ErrorHandler, Flow, InvalidOption, Routine, get_execution_context, routine
from tests.core.gate import WAIT


class Flaky(Routine):
    """Fails until it was called as often as it should be."""

    def __init__(self, fails, error=OSError, **options):
        super().__init__()
        self.fails = fails
        self.error = error
        self.attempts = []
        self.keys = set()
        self.define_slot("trigger", self.act, **options)
        self.define_event("out")

    def act(self):
        context = get_execution_context()
        self.attempts.append(context.attempt)
        self.keys.add(context.idempotency_key)
        self.emit("out", n=len(self.attempts))
        if len(self.attempts) <= self.fails:
            raise self.error("no disk")


class Retries:
    """Hears of each retry that a job arranges."""

    def __init__(self):
        self._count = 0
        self._more = threading.Condition()

    def __call__(self, job, fact):
        if type(fact).__name__ == "ActivationRetried":
            with self._more:
                self._count += 1
                self._more.notify_all()

    def wait(self, count):
        with self._more:
            assert self._more.wait_for(lambda: self._count >= count, WAIT)


def retrying(fails, error=OSError, **options):
    options = {"retry_delay": 0, "jitter": False} | options
    flow = Flow("flow")
    flow.add_routine(Flaky(fails, error, retry=ErrorHandler("retry", **options)), "a")
    return flow


def test_a_retry_that_works_completes_the_job(manager):
    state = retrying(2).execute("a")
    assert state.status == "completed"
    assert [error.attempt for error in state.errors] == [1, 2]


def test_the_emissions_of_failed_attempts_are_not_heard(manager):
    assert retrying(2).execute("a").results == {"a.out": [{"n": 3}]}


def test_attempts_count_from_one_and_share_their_idempotency_key(manager):
    flow = retrying(2)
    flow.execute("a")
    assert flow.routine("a").attempts == [1, 2, 3]
    assert len(flow.routine("a").keys) == 1


def test_used_up_retries_stop_the_job(manager):
    flow = retrying(9, max_retries=2)
    state = flow.execute("a")
    assert state.status == "failed"
    assert flow.routine("a").attempts == [1, 2, 3]
    assert [task.attempt for task in state.pending_tasks] == [3]


def test_no_retry_at_all_is_a_number_too(manager):
    flow = retrying(9, max_retries=0)
    assert flow.execute("a").status == "failed"
    assert flow.routine("a").attempts == [1]


def test_an_optional_routine_goes_on_when_they_are_used_up(manager):
    flow = Flow()
    made = Flaky(9)
    made.set_as_optional("retry", max_retries=1, retry_delay=0)
    flow.add_routine(made, "a")
    state = flow.execute("a")
    assert (state.status, made.attempts) == ("completed", [1, 2])
    assert state.routine_states["a"]["status"] == "failed"


def test_a_critical_routine_stops_when_they_are_used_up(manager):
    flow = Flow()
    made = Flaky(9)
    made.set_as_critical(max_retries=1, retry_delay=0)
    flow.add_routine(made, "a")
    flow.set_error_handler(ErrorHandler("continue"))
    assert flow.execute("a").status == "failed"
    assert made.attempts == [1, 2]


def test_only_retryable_exceptions_are_tried_again(manager):
    flow = retrying(9, error=KeyError, retryable_exceptions=(OSError, ValueError))
    assert flow.execute("a").status == "failed"
    assert flow.routine("a").attempts == [1]
    flow = retrying(1, error=FileNotFoundError, retryable_exceptions=OSError)
    assert flow.execute("a").status == "completed"


def test_a_retry_waits_for_its_delay(clock, timed_manager):
    retries = Retries()
    flow = retrying(2, retry_delay=10, retry_backoff=3)
    state = flow.start("a", monitors=[retries])
    retries.wait(1)
    (task,) = state.pending_tasks
    assert (task.attempt, task.due_at.timestamp()) == (2, clock.time() + 10)
    clock.advance(9.5)
    assert flow.routine("a").attempts == [1]
    clock.advance(0.5)
    retries.wait(2)
    (task,) = state.pending_tasks
    assert (task.attempt, task.due_at.timestamp()) == (3, clock.time() + 30)
    clock.advance(30)
    assert flow.wait_for_completion(WAIT)
    assert state.status == "completed"


def test_a_waiting_retry_holds_no_worker(clock, timed_manager):
    """Control: an executor that slept for the delay in its one worker would not come to the second job."""

    @routine
    def quick():
        return {"n": 1}

    retries = Retries()
    slow, other = retrying(1, retry_delay=3600), Flow("other")
    other.add_routine(quick(), "a")
    waiting = slow.start("a", monitors=[retries])
    retries.wait(1)
    quickly = other.start("a")
    assert other.wait_for_completion(WAIT)
    assert (quickly.status, waiting.status) == ("completed", "running")
    clock.advance(3600)
    assert slow.wait_for_completion(WAIT)
    assert waiting.status == "completed"


def test_other_work_of_the_job_goes_on_while_a_retry_waits(clock, timed_manager):
    retries, flow = Retries(), retrying(1, retry_delay=60)

    @routine
    def quick(n):
        return {"n": n}

    flow.add_routine(quick(), "b")
    state = flow.start("a", monitors=[retries])
    retries.wait(1)
    job = timed_manager.get_job(state.job_id)
    feed = job.records()
    job.post("b", n=5)
    for record in feed:
        if record.event_name == "completed":
            break
    assert (record.routine_id, state.status) == ("b", "running")
    clock.advance(60)
    assert flow.wait_for_completion(WAIT)


# -- the delay -----------------------------------------------------------------------------------------


def test_delays_grow_up_to_a_limit():
    handler = ErrorHandler("retry", retry_delay=1, retry_backoff=2, max_delay=5, jitter=False)
    assert [handler.delay(attempt, 1.0) for attempt in (1, 2, 3, 4, 5000)] == [1, 2, 4, 5, 5]


@pytest.mark.parametrize("attempt", [1, 2, 9])
def test_jitter_takes_away_up_to_a_half(attempt):
    exact = ErrorHandler("retry", jitter=False).delay(attempt, 0.5)
    jittered = ErrorHandler("retry")
    assert jittered.delay(attempt, 0.0) == exact / 2
    assert jittered.delay(attempt, 1.0) == exact
    assert exact / 2 < jittered.delay(attempt, 0.3) < exact


def test_a_job_with_jitter_keeps_within_its_bounds(clock, timed_manager):
    dues = set()
    for _ in range(10):
        retries, flow = Retries(), retrying(1, retry_delay=100, max_delay=100, jitter=True)
        state = flow.start("a", monitors=[retries])
        retries.wait(1)
        dues.add(state.pending_tasks[0].due_at.timestamp() - clock.time())
        flow.cancel(state)
    assert all(50 <= due <= 100 for due in dues)
    assert len(dues) > 1


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"strategy": "again"}, "stop, continue, skip or retry"),
        ({"max_retries": -1}, "max_retries"),
        ({"retry_delay": float("nan")}, "retry_delay"),
        ({"retry_backoff": "2"}, "retry_backoff"),
        ({"max_delay": True}, "max_delay"),
        ({"retryable_exceptions": ("OSError",)}, "exception classes"),
    ],
)
def test_wrong_options_are_refused_by_name(options, named):
    with pytest.raises(InvalidOption, match=named):
        ErrorHandler(**options)
