"""After a shutdown nothing is left: no thread, process, file descriptor or semaphore, whatever ran before."""

import gc
import mmap
import os
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path
from tempfile import TemporaryFile

import pytest

from routilux_core import ErrorHandler, Flow, JobManager
from routilux_core.testing.executor_contract.meeting import Meeting
from routilux_plugins.executors import aio, pooled, process, sequential, threaded
from tests.reliability import toil

PLUGINS = {
    "sequential": sequential,
    "threaded": threaded,
    "pooled": pooled,
    "process": process,
    "asyncio": aio,
}
PATIENCE = 20.0
SHARED = "/dev/shm"  # noqa: S108 - where semaphores of processes are, and shared memory


def line(*routines):
    flow = Flow("line")
    flow.set_error_handler(ErrorHandler("continue"))
    for number, one in enumerate(routines):
        flow.add_routine(one, f"r{number}")
        if number:
            flow.connect(f"r{number - 1}.output", f"r{number}.trigger")
    return flow


# -- what is counted -------------------------------------------------------------------------------------


def children():
    """Return the processes that this one has started and that are still there, dead ones included."""
    own = str(os.getpid())
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            _, _, rest = path.read_text(encoding="utf-8", errors="replace").rpartition(")")
        except OSError:  # it has just ended
            continue
        if rest.split()[1] == own:
            found.append(f"process {path.parent.name}")
    return found


def files():
    """Return what the open file descriptors lead to."""
    for path in Path("/proc/self/fd").iterdir():
        try:
            target = os.readlink(path)  # noqa: PTH115 - it need not be a path
        except OSError:  # the one that listed the folder
            continue
        yield target.partition(":")[0]


def used():
    """Count what this process holds of what is scarce; semaphores of processes are shared memory."""
    gc.collect()
    mapped = Path("/proc/self/maps").read_text(encoding="utf-8").count(SHARED)
    threads = [f"thread {thread.name}" for thread in threading.enumerate()]
    return Counter([*threads, *children(), *files(), *["mapped"] * mapped])


# -- what is done before ---------------------------------------------------------------------------------


def ordinary(manager, _):
    flow = line(toil.Fan(), toil.forward(), toil.forward_async(), toil.count())
    state = manager.execute(flow, "r0", {"width": 8})
    assert len(state.results["r3.output"]) == 24


def failed(manager, _):
    state = manager.execute(line(toil.Fan(), toil.fail()), "r0", {"width": 8})
    assert len(state.errors) == 8


def cancelled(manager, meeting):
    for made in (toil.Obedient, toil.Waiting, toil.Endless, toil.EndlessAsync):
        state = manager.start_job(line(made(meeting.address), toil.forward()), "r0")
        meeting.guest().dismiss()
        manager.cancel(state.job_id)
        assert state.status == "cancelled"


def timed_out(manager, meeting):
    state = manager.execute(line(toil.ObedientInTime(meeting.address)), "r0")
    assert [error.type for error in state.errors] == ["ActivationTimeout"]
    state = manager.execute(line(toil.Waiting(meeting.address)), "r0", timeout=0.05)
    assert [error.type for error in state.errors] == ["JobTimeout"]


def left_running(manager, meeting):
    """It is for the shutdown to cancel it."""
    manager.start_job(line(toil.Fan(), toil.Obedient(meeting.address)), "r0", {"width": 8})
    meeting.guest().dismiss()


def paused(manager, meeting):
    flow = line(toil.Endless(meeting.address), toil.forward())
    state = manager.start_job(flow, "r0")
    meeting.guest().dismiss()
    manager.pause(state.job_id)
    assert state.status == "paused"


def deadly(manager, _):
    state = manager.execute(line(toil.Fan(), toil.die()), "r0", {"width": 2})
    assert [error.type for error in state.errors] == ["PoisonedActivation"] * 2


DEEDS = (ordinary, failed, cancelled, timed_out, left_running, paused)


def what_is_left(deeds, make):
    """Return what managers leave behind that were shut down after each of `deeds`."""
    before = used()
    for deed in deeds:
        with Meeting(PATIENCE) as meeting, make() as manager:
            deed(manager, meeting)
            manager.shutdown(wait=False)
    gc.collect()
    return used() - before


def manager_of(name, plugin, **options):
    return JobManager(
        plugins=[plugin], discover=False, executor=name, settings={"executors": {name: options}}
    )


# -- the tests -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PLUGINS)
def test_nothing_is_left(name):
    options = {"max_workers": 1} if name == "process" else {}  # they take time to start
    assert what_is_left(DEEDS, lambda: manager_of(name, PLUGINS[name], **options)) == {}


def test_nothing_is_left_of_worker_processes_that_die():
    assert what_is_left([deadly], lambda: manager_of("process", process, max_starts=1)) == {}


def test_nothing_is_left_of_workers_that_do_not_start(monkeypatch):
    def not_started(manager, _):
        assert [error.type for error in manager.execute(line(toil.forward()), "r0", {"n": 1}).errors] == [
            "WorkerLost"
        ]

    monkeypatch.setattr(sys, "executable", "/bin/false")
    assert what_is_left([not_started], lambda: manager_of("process", process)) == {}


class Untidy(sequential.Sequential):
    """Leaves one thing of each kind."""

    def __init__(self):
        super().__init__()
        self.let_go = threading.Event()

    def start(self):
        self.thread = threading.Thread(target=self.let_go.wait, name="left over")
        self.thread.start()
        self.process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        self.file = TemporaryFile(dir=SHARED)  # noqa: SIM115 - it is to be left
        self.file.truncate(8)
        self.memory = mmap.mmap(self.file.fileno(), 8)

    def clean(self):
        self.let_go.set()
        self.thread.join()
        self.process.communicate()
        self.memory.close()
        self.file.close()


def test_what_is_left_is_counted():
    """The control."""
    executors = []

    def make():
        executors.append(Untidy())
        return JobManager(executor=executors[0], discover=False)

    try:
        found = what_is_left([ordinary], make)
    finally:
        executors[0].clean()
    kinds = Counter(one.partition(" ")[0] for one in found)
    assert (kinds["thread"], kinds["process"], kinds["pipe"]) == (1, 1, 1)
    assert found["mapped"] == 1
