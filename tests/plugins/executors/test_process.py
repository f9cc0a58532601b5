"""`process`: how many workers there are, what they get, how they end, and what is said when they cannot."""

import gc
import os
import select
import signal
import subprocess
import sys
import threading
from pathlib import Path
from time import monotonic, perf_counter

import pytest

from routilux_core import (
    ActivationYielded,
    ErrorHandler,
    Flow,
    InsideJob,
    InvalidOption,
    JobManager,
    ManagerClosed,
    Settings,
    UnknownOption,
)
from routilux_core.testing import Recorder
from routilux_core.testing.executor_contract.meeting import Meeting
from routilux_core.testing.executor_contract.sample import chain, fan
from routilux_plugins.executors import process
from routilux_plugins.executors.process.executor import Process
from routilux_plugins.executors.process.foreman import Foreman
from routilux_plugins.executors.process.settings import ProcessSettings
from tests.plugins.executors import labour

PATIENCE = 30
MOST_SECONDS = 60e-6
"""What a small activation may take in all, with two workers. The goal is 25e-6, with nothing else at work."""
ROOT = Path(__file__).parents[3]


def manager_of(**options):
    return JobManager(
        plugins=[process], discover=False, executor="process", settings={"executors": {"process": options}}
    )


@pytest.fixture(scope="module")
def pair():
    """A manager with two workers, which most tests share."""
    with JobManager(
        executor=Process(ProcessSettings(max_workers=2)), discover=False, settings=Settings()
    ) as made:
        yield made


@pytest.fixture
def meeting():
    with Meeting(PATIENCE) as made:
        yield made


def run(manager, flow, entry, fields=None, **options):
    state = manager.start_job(flow, entry, fields, **options)
    return wait(manager, state)


def wait(manager, state):
    job = manager.get_job(state.job_id)
    assert job is None or job.wait(PATIENCE), job.explain()
    return state


def fields(state, source, name="n"):
    return [payload[name] for payload in state.results.get(source, ())]


def wait_for_end(pid):
    """Wait until a process that is not ours to reap is gone."""
    try:
        file = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        ready, _, _ = select.select([file], (), (), PATIENCE)
        assert ready, f"process {pid} still runs"
    finally:
        os.close(file)


def children():
    mine = str(os.getpid())
    return [one for one in _processes() if one[1] == mine and one[2] != "Z"]


def _processes():
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            number, _, rest = status.read_text(encoding="utf-8").partition(" (")
        except (FileNotFoundError, ProcessLookupError):
            continue
        state, parent, *_ = rest.rpartition(") ")[2].split()
        yield int(number), parent, state


# -- how many there are ----------------------------------------------------------------------------------


def test_workers_come_when_there_is_work_and_stay():
    before = len(children())
    with manager_of(max_workers=2) as manager:
        flow = chain("one", where=labour.where())
        assert len(children()) == before
        pids = {fields(run(manager, flow, "where"), "where.output", "process")[0] for _ in range(3)}
        assert len(children()) == before + 1
    assert len(pids) == 1
    assert len(children()) == before


def test_there_are_no_more_than_max_workers(meeting):
    flow = chain("many", fan=labour.Fan(), visit=labour.Changing(meeting.address, 0))
    before = len(children())
    with manager_of(max_workers=3) as manager:
        state = manager.start_job(flow, "fan", {"width": 9})
        guests = meeting.guests(3)
        assert not meeting.latecomers()
        assert len(children()) == before + 3
        assert [one.name for one in threading.enumerate()].count("routilux-process") == 1
        for guest in guests:
            guest.let_go()
        meeting.let_all_go(lambda: state.status.final)
        wait(manager, state)
    assert sorted(fields(state, "visit.output")) == list(range(9))


def test_the_managers_max_workers_is_meant_where_no_other_is_given(meeting):
    flow = chain("many", fan=labour.Fan(), visit=labour.Changing(meeting.address, 0))
    with JobManager(
        plugins=[process], discover=False, executor="process", settings={"max_workers": 1}
    ) as manager:
        state = manager.start_job(flow, "fan", {"width": 3})
        guest = meeting.guest()
        assert not meeting.latecomers()
        guest.let_go()
        meeting.let_all_go(lambda: state.status.final)


def test_nothing_is_left_after_a_shutdown(tmp_path):
    def used():
        gc.collect()
        return len(os.listdir("/proc/self/fd")), threading.active_count(), len(children())  # noqa: PTH208

    flow = chain("deep", sleep=labour.sleep_deeply())
    before = used()
    for round_ in range(3):
        with manager_of(max_workers=2) as manager:
            note = tmp_path / str(round_)
            manager.start_job(flow, "sleep", {"note": str(note)})
            assert run(manager, chain("one", where=labour.where()), "where").status == "completed"
            begun = monotonic()
            manager.shutdown(wait=False)
            assert monotonic() - begun < PATIENCE
    assert used() == before


# -- what they get ---------------------------------------------------------------------------------------


def test_what_turns_out_to_take_long_does_not_stand_in_one_queue(pair, meeting):
    quick = 300
    flow = chain("changing", fan=labour.Fan(), work=labour.Changing(meeting.address, quick))
    state = pair.start_job(flow, "fan", {"width": quick + 6})
    for guest in meeting.guests(2):  # both workers have one, whoever was given many
        guest.let_go()
    meeting.let_all_go(lambda: state.status.final)
    assert sorted(fields(wait(pair, state), "work.output")) == list(range(quick + 6))


def test_a_generator_stays_with_its_worker(pair, meeting):
    flow = chain("items", items=labour.items())
    state = pair.start_job(flow, "items", {"meeting": meeting.address, "count": 5})
    meeting.let_all_go(lambda: state.status.final)
    wait(pair, state)
    assert fields(state, "items.output") == list(range(5))
    assert len(set(fields(state, "items.output", "process"))) == 1


def test_a_generator_starts_anew_elsewhere_and_skips_what_took_effect(pair, meeting):
    flow = chain("items", items=labour.items())
    state = pair.start_job(flow, "items", {"meeting": meeting.address, "count": 5})
    meeting.guest().let_go()
    guest = meeting.guest()
    os.kill(int(guest.word), signal.SIGKILL)
    meeting.let_all_go(lambda: state.status.final)
    wait(pair, state)
    assert fields(state, "items.output") == list(range(5))
    assert len(set(fields(state, "items.output", "process"))) == 2


def test_a_generator_that_goes_ahead_is_heard_before_its_slow_item(pair, meeting):
    quick, recorder = 60, Recorder()
    flow = chain("hurry", items=labour.hurry_and_wait())
    fields_ = {"meeting": meeting.address, "quick": quick}
    state = pair.start_job(flow, "items", fields_, monitors=[recorder])
    guest = meeting.guest()
    recorder.wait_for(ActivationYielded, count=quick, timeout=PATIENCE)
    assert fields(state, "items.output") == list(range(quick))
    guest.let_go()
    assert fields(wait(pair, state), "items.output") == list(range(quick + 1))


def test_a_generator_that_died_ahead_gives_each_item_once(pair, meeting):
    quick = 60
    flow = chain("hurry", items=labour.hurry_and_wait())
    state = pair.start_job(flow, "items", {"meeting": meeting.address, "quick": quick})
    os.kill(int(meeting.guest().word), signal.SIGKILL)
    meeting.guest().let_go()
    assert fields(wait(pair, state), "items.output") == list(range(quick + 1))


def test_a_generator_goes_ahead_no_further_than_there_is_room():
    most, crowds = 40, []

    def watch(job, fact):
        crowds.append(len(job.ready))

    settings = {"max_ready": most, "executors": {"process": {"max_workers": 2}}}
    with JobManager(plugins=[process], discover=False, executor="process", settings=settings) as manager:
        flow = chain("paced", numbers=fan(), tiny=labour.tiny())
        state = manager.start_job(flow, "numbers", {"width": 2000}, monitors=[watch])
        assert sorted(fields(wait(manager, state), "tiny.output")) == list(range(2000))
    assert max(crowds) <= most


def test_a_generator_that_asks_for_a_pause_goes_no_further(pair):
    flow = chain("pausing", items=labour.pausing_numbers())
    state = run(pair, flow, "items", {"count": 50, "at": 30})
    assert state.status == "paused"
    assert fields(state, "items.output") == list(range(31))
    pair.resume(state.job_id)
    assert fields(wait(pair, state), "items.output") == list(range(50))


def test_megabytes_travel_while_workers_are_busy(pair, meeting):
    busy = pair.start_job(chain("busy", visit=labour.visit()), "visit", {"meeting": meeting.address})
    guest = meeting.guest()
    value = os.urandom(8_000_000)
    state = run(pair, chain("large", measure=labour.measure()), "measure", {"value": value})
    assert state.results["measure.output"][0]["value"] == value
    guest.let_go()
    assert wait(pair, busy).status == "completed"


# -- time ------------------------------------------------------------------------------------------------


def test_who_stops_in_time_keeps_its_worker(tmp_path):
    with manager_of(max_workers=1, grace=PATIENCE) as manager:
        note = tmp_path / "note"
        state = run(manager, chain("told", stop=labour.stop_when_told()), "stop", {"note": str(note)})
        assert [error.type for error in state.errors] == ["ActivationTimeout"]
        after = run(manager, chain("one", where=labour.where()), "where")
        assert fields(after, "where.output", "process") == [int(note.read_text(encoding="utf-8"))]


def test_who_does_not_is_ended_and_replaced(tmp_path):
    with manager_of(max_workers=1, grace=0.1) as manager:
        note = tmp_path / "note"
        state = run(manager, chain("deep", sleep=labour.sleep_too_deeply()), "sleep", {"note": str(note)})
        assert [error.type for error in state.errors] == ["ActivationTimeout"]
        after = run(manager, chain("one", where=labour.where()), "where")
        pid = int(note.read_text(encoding="utf-8"))
        assert fields(after, "where.output", "process") != [pid]
        wait_for_end(pid)


# -- death -----------------------------------------------------------------------------------------------


def test_poison_is_not_tried_again_by_a_retry(tmp_path):
    note = tmp_path / "note"
    with manager_of(max_workers=1, max_starts=2) as manager:
        flow = chain("poison", die=labour.die())
        flow.set_error_handler(ErrorHandler("retry", max_retries=3, retry_delay=0, jitter=False))
        state = run(manager, flow, "die", {"n": 1, "bad": 1, "note": str(note)})
    assert note.read_text(encoding="utf-8") == "xx"
    assert {error.type for error in state.errors} == {"PoisonedActivation"}
    assert "slot 'die.trigger' was started 2 times" in state.errors[0].message
    assert "ended with status 7" in state.errors[0].message


def test_a_worker_that_is_killed_while_it_waits_is_no_loss(pair):
    flow = chain("one", where=labour.where())
    for _ in range(3):
        (pid,) = fields(run(pair, flow, "where"), "where.output", "process")
        os.kill(pid, signal.SIGKILL)
        assert run(pair, flow, "where").status == "completed"


def test_workers_do_not_mind_ctrl_c(pair):
    assert run(pair, chain("interrupted", interrupt=labour.interrupt()), "interrupt").status == "completed"


HOME = """\
import sys
from routilux_core import JobManager
from routilux_core.testing.executor_contract.sample import chain
from routilux_plugins.executors import process
from tests.plugins.executors import labour

if __name__ == "__main__":
    manager = JobManager(plugins=[process], discover=False, executor="process")
    flow = chain("home", work=labour.{work}())
    manager.execute(flow, "work", {{"{field}": {value}}})
"""


def home_of(folder, work, field, value):
    """Start a process that has one job, with a worker for it."""
    script = folder / "home.py"
    script.write_text(HOME.format(work=work, field=field, value=value), encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen([sys.executable, script], env=environment, stdout=subprocess.PIPE, text=True)


def test_workers_end_with_their_home(tmp_path):
    with home_of(tmp_path, "sleep_deeply", "note", "'/dev/stdout'") as home:
        pid = int(home.stdout.readline())
        home.kill()
    wait_for_end(pid)


def test_workers_end_with_a_home_that_has_not_heard_all(tmp_path, meeting):
    """The end of such a home is an error to who listens to it, by which the listener was ended alone."""
    with home_of(tmp_path, "Telling", "address", meeting.address) as home:
        guest = meeting.guest()
        home.send_signal(signal.SIGSTOP)
        guest.let_go()
        again = meeting.guest()  # so the output is on its way
        home.kill()
    wait_for_end(int(again.word))


def test_a_request_that_comes_while_the_bell_is_heard_does_not_silence_the_next(monkeypatch):
    """With the flag taken back before the bell is heard, the second waits for something else."""
    first, second = threading.Event(), threading.Event()

    def read(file, size):
        if not first.is_set():
            asking = threading.Thread(target=foreman.ask, args=(first.set,))
            asking.start()
            asking.join()
        return hear(file, size)

    foreman, hear = Foreman(1, 1.0), os.read
    try:
        monkeypatch.setattr(os, "read", read)
        foreman.ask(bool)
        assert first.wait(PATIENCE)
        foreman.ask(bool)  # it is back at its wait when it has done this
        foreman.ask(second.set)
        assert second.wait(PATIENCE)
    finally:
        foreman.stop(None)


# -- what cannot be --------------------------------------------------------------------------------------


def test_what_a_worker_cannot_read_fails_alone(pair):
    flow = Flow("odd")
    flow.set_error_handler(ErrorHandler("continue"))
    flow.add_routine(labour.take(), "take")
    state = run(pair, flow, "take", {"value": labour.Unreadable()})
    (error,) = state.errors
    assert error.type == "CannotTravel"
    assert "LookupError: it cannot be read" in error.message


@pytest.mark.parametrize(
    ("odd", "said"), [(labour.give, "it cannot be read"), (labour.lock_up, "TextIOWrapper")]
)
def test_a_result_that_cannot_come_back_fails_alone(pair, odd, said):
    flow = chain("odd", fan=labour.Fan(), work=odd())
    flow.set_error_handler(ErrorHandler("continue"))
    state = run(pair, flow, "fan", {"width": 200})
    assert state.status == "completed"
    (error,) = state.errors
    assert said in error.message
    assert sorted(fields(state, "work.output")) == [n for n in range(200) if n != 150]


def test_an_item_that_cannot_come_back_fails_a_generator_that_goes_ahead(pair):
    state = run(pair, chain("odd", give=labour.give_items()), "give", {"count": 40, "bad": 20})
    (error,) = state.errors
    assert (error.type, error.routine_id) == ("CannotTravel", "give")
    assert fields(state, "give.output") == list(range(20))


def test_an_output_that_cannot_be_read_again_is_an_error_of_its_handler(pair):
    state = run(pair, chain("odd", speak=labour.Speak()), "speak")
    (error,) = state.errors
    assert (error.type, error.routine_id) == ("CannotTravel", "speak")
    assert "output 'number'" in error.message


def test_an_output_that_only_the_worker_can_read_is_logged_and_the_job_goes_on(pair, caplog):
    state = run(pair, chain("odd", speak=labour.SpeakAbroad()), "speak", {"home": os.getpid()})
    assert state.status == "completed"
    assert "an output of speak.trigger cannot be read here" in caplog.text


def test_a_routine_that_cannot_tell_its_configuration_fails_in_words(pair):
    state = run(pair, chain("odd", silent=labour.Silent()), "silent")
    (error,) = state.errors
    assert (error.type, error.message) == ("PermissionError", "that is a secret")


def test_nothing_is_lost_when_what_is_done_goes_home_on_recall(pair):
    """Without the lock around what is done, one of these jobs waits for ever for its last activation."""
    flow = chain("uneven", fan=labour.Fan(), work=labour.uneven())
    flow.set_error_handler(ErrorHandler("continue"))
    for _ in range(2):
        state = run(pair, flow, "fan", {"width": 450})
        assert (state.status, len(state.errors)) == ("completed", 150)


def test_a_routine_that_cannot_be_made_there_says_why(pair):
    state = run(pair, chain("choosy", choosy=labour.Choosy(os.getpid())), "choosy")
    (error,) = state.errors
    assert (error.type, error.message) == ("PermissionError", "not here")


def test_a_worker_that_dies_at_its_start_is_an_error_in_words(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with manager_of(max_workers=2) as manager:
        (error,) = run(manager, chain("one", where=labour.where()), "where").errors
        assert error.type == "WorkerLost"
        assert "ended with status 1 before it was ready" in error.message
        monkeypatch.undo()
        assert run(manager, chain("one", where=labour.where()), "where").status == "completed"


def test_an_interpreter_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with manager_of(max_workers=2) as manager:
        (error,) = run(manager, chain("one", where=labour.where()), "where").errors
    assert "/no/such/python" in error.message


SCRIPT = """\
from routilux_core import Flow, JobManager, routine
from routilux_plugins.executors import process

class Point:
    def __init__(self, x):
        self.x = x

@routine
def double(point):
    return {"point": Point(2 * point.x)}

def main():
    flow = Flow("script")
    flow.add_routine(double(), "double")
    with JobManager(plugins=[process], discover=False, executor="process") as manager:
        state = manager.execute(flow, "double", {"point": Point(4)})
    state.raise_for_status()
    point = state.results["double.output"][0]["point"]
    print(type(point) is Point, point.x)

"""


def script(tmp_path, end):
    path = tmp_path / "script.py"
    path.write_text(SCRIPT + end, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(path)], capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    return done.stdout, done.stderr


def test_what_a_script_defines_travels(tmp_path):
    assert script(tmp_path, 'if __name__ == "__main__":\n    main()\n') == ("True 8\n", "")


def test_a_script_without_its_guard_is_told_what_to_write(tmp_path):
    stdout, stderr = script(tmp_path, "main()\n")
    assert stdout == ""
    assert 'put what starts jobs under `if __name__ == "__main__":`' in stderr
    assert "JobFailed" in stderr


def test_a_monitor_cannot_wait_for_what_only_its_own_thread_brings_on(pair):
    refused = []

    def run_another(job, fact):
        if fact.tag == "activation_completed" and not refused:
            try:
                pair.execute(chain("inner", where=labour.where()), "where")
            except InsideJob as error:
                refused.append(str(error))

    state = run(pair, chain("one", where=labour.where()), "where", monitors=[run_another])
    assert state.status == "completed"
    assert "wait for it elsewhere" in refused[0]


# -- options ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_workers", 0),
        ("max_workers", -1),
        ("max_workers", "two"),
        ("max_workers", True),
        ("max_starts", 0),
        ("max_starts", None),
        ("grace", -1),
        ("grace", float("nan")),
    ],
)
def test_options_that_make_no_sense_are_refused(name, value):
    with pytest.raises(InvalidOption, match=name):
        manager_of(**{name: value})
    with pytest.raises(InvalidOption, match=name):
        ProcessSettings(**{name: value})


def test_a_misspelt_option_is_named():
    with pytest.raises(UnknownOption, match="did you mean 'max_workers'"):
        manager_of(max_worker=2)


def test_nothing_is_opened_after_a_stop():
    executor = Process()
    with JobManager(executor=executor, discover=False) as manager:
        executor.stop()
        executor.stop()
        with pytest.raises(ManagerClosed, match="executor 'process'"):
            manager.execute(chain("one", where=labour.where()), "where")


# -- speed -----------------------------------------------------------------------------------------------


@pytest.mark.speed
def test_small_activations_are_not_dominated_by_transport(pair):
    flow, best = chain("tiny", fan=labour.Fan(), tiny=labour.tiny()), 1.0
    for _ in range(20):
        begun = perf_counter()
        state = run(pair, flow, "fan", {"width": 10_000})
        best = min(best, (perf_counter() - begun) / 10_000)
        assert len(state.results["tiny.output"]) == 10_000
        if best < MOST_SECONDS:
            return
    pytest.fail(f"{best * 1e6:.1f} µs each")
