"""Ctrl-C at random moments of a running program: real signals, to a whole program and all its processes.

A terminal sends the signal to every process in front, so the workers of `process` get it as well.
"""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest

from tests.architecture.source import ROOT
from tests.reliability.interruptible import PLUGINS, SCENES

INTERRUPTS = int(os.environ.get("TEST_INTERRUPTS", "3"))
"""How many there are on each executor."""
AT_ONCE = 3
"""How many programs run at once."""
MOMENT = 0.5
"""Seconds from the beginning in which the signal comes."""
LIMIT = 2.0
"""Seconds in which a program has shut down and tells what became of its job."""
ENDED = 10.0
"""Seconds in which it has ended: to print a traceback takes Python seconds where other threads compute."""
A_MOMENT = 0.5
"""Seconds in which its processes are gone after it has ended."""
PATIENCE = 40
MODULE = ("-m", "tests.reliability.interruptible")
MAY_END = {"short jobs", "short managers", "started"}
"""Scenes whose jobs end by themselves."""
ENDING = "\nKeyboardInterrupt\n"
"""How the one traceback ends that Python prints."""


class Program:
    """A program in a process group of its own."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self.process.stdout.readline() == "begun\n", self.process.stderr.read()

    def interrupt(self):
        """Send the signal; return the seconds in which it told and ended, what it left, and what it said."""
        begun = time.monotonic()
        os.killpg(self.process.pid, signal.SIGINT)
        told = self.process.stdout.readline()
        shut_down = time.monotonic() - begun
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
        ended, left = time.monotonic() - begun, self._left()
        for process in left:
            os.kill(process, signal.SIGKILL)
        _, stderr = self.process.communicate()
        return shut_down, ended, left, told, stderr

    def _left(self):
        """Return the processes that are still there, after giving them a moment to end."""
        until = time.monotonic() + A_MOMENT
        while (found := processes(self.process.pid)) and time.monotonic() < until:
            time.sleep(0.01)
        return found


def processes(group):
    """Return the processes of a group that have not ended."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            _, _, rest = path.read_text(encoding="utf-8", errors="replace").rpartition(")")
        except OSError:  # it has just ended
            continue
        state, _, its_group = rest.split()[:3]
        if int(its_group) == group and state != "Z":
            found.append(int(path.parent.name))
    return found


def faults(program, scene, delay):
    """Interrupt a program, and say what is wrong with how it has ended."""
    time.sleep(delay)
    shut_down, ended, left, stdout, stderr = program.interrupt()
    if shut_down >= LIMIT:
        yield f"shut down in {shut_down:.2f} s"
    if ended >= ENDED:
        yield f"ended in {ended:.2f} s"
    if program.process.returncode != -signal.SIGINT:
        yield f"status {program.process.returncode}"
    others = any(word in stderr for word in ("Exception", "Warning"))
    if others or stderr.count("Traceback") != 1 or not stderr.endswith(ENDING):
        yield stderr
    told = json.loads(stdout) if stdout else {}
    ends = {"cancelled", "pending", *(["completed"] if scene in MAY_END else [])}  # it may not have begun
    if told.get("status") not in ends:
        yield f"said {stdout!r}"
    elif told["errors"] or (told["status"] == "cancelled" and not told["pending"]):
        yield f"lost something: {stdout!r}"
    if left:
        yield f"left {left}"


def interrupted(executor, scene, delay):
    program = Program(*MODULE, executor, scene)
    return [f"{executor}, {scene}, {delay:.3f} s: {fault}" for fault in faults(program, scene, delay)]


def all_interrupted(executor, count, first=0):
    dice = Random(f"{executor} {first}")  # noqa: S311 - moments, not secrets
    scenes = list(SCENES)
    rounds = [
        (executor, scenes[n % len(scenes)], dice.random() * MOMENT) for n in range(first, first + count)
    ]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return [fault for found in pool.map(lambda one: interrupted(*one), rounds) for fault in found]


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("executor", PLUGINS)
def test_a_program_ends_at_an_interrupt(executor):
    first = INTERRUPTS * list(PLUGINS).index(executor)  # so that few are of all scenes between them
    found = all_interrupted(executor, INTERRUPTS, first)
    assert not found, "\n".join(found)


CARELESS = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
signal.signal(signal.SIGINT, signal.default_int_handler)
print("begun", flush=True)
try:
    time.sleep(600)
except KeyboardInterrupt:
    time.sleep(2)
    print('{"status": "running"}', flush=True)
    os._exit(3)
"""


def test_a_program_that_ends_badly_is_found():
    """The control: it is late, with another status, says nothing, and leaves a job and a process."""
    late, status, stderr, job, process = faults(Program("-c", CARELESS), "ring", 0)
    assert late.startswith("shut down in 2")
    assert (status, stderr, job) == ("status 3", "", 'said \'{"status": "running"}\\n\'')
    assert process.startswith("left")
