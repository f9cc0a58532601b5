"""Processes that are killed at random moments, and what their store and a witness outside say of it."""

import json
import os
import select
import signal
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from functools import cache
from pathlib import Path

from routilux_core import JobManager, JobState, UnknownJob
from routilux_core.facts import ActivationCompleted, ActivationFailed, ActivationRetried, ActivationSkipped
from routilux_core.identity import key
from tests.architecture.source import ROOT
from tests.reliability import crashed
from tests.reliability.laws import Book, Violation, check_all, data_of
from tests.reliability.mortal import INTERRUPTED, JOB, PLUGINS, SETTINGS

PATIENCE = 10.0
STORES = ("sqlite", "file", "postgresql", "redis")
"""The schemes of the stores that outlive a process."""
ENDS = (ActivationCompleted, ActivationFailed, ActivationSkipped)


@cache
def calm(width):
    """Return what comes of the job if nothing happens to its process."""
    with JobManager(plugins=PLUGINS, discover=False, settings=SETTINGS) as manager:
        flow = crashed.mixed()
        state = manager.execute(flow, "source", {"width": width}, job_state=JobState(flow.flow_id, JOB))
    return crashed.story(state)


class Nursery:
    """Gives life to one process after the other."""

    def __init__(self):
        command = [sys.executable, "-m", "tests.reliability.mortal"]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        self._read = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(PATIENCE)
        self.process.stdout.close()

    def live(self, moment, by=signal.SIGKILL, **what):
        """Let a process live for `moment` seconds from when it is there, and tell if the signal ended it.

        Those that it has started end with it.
        """
        number = self.bear(**what)
        said = self.hear(moment)
        if said is None:
            ends = [os.pidfd_open(child) for child in children_of(number)]
            os.kill(number, by)
            said = self.hear()
            wait_for_all(ends)
        if said not in {"0", str(INTERRUPTED if by == signal.SIGINT else -by)}:
            raise Violation(f"the process ended with {said}")
        return said != "0"

    def bear(self, **what):
        """Let a process begin, and return its number when it is there."""
        self.process.stdin.write(json.dumps(what).encode() + b"\n")
        number, said = int(self.hear()), self.hear()
        if said != "begun":
            raise Violation(f"the process ended with {said}")
        return number

    def hear(self, seconds=PATIENCE):
        """Return what it says next, or None if it does not say anything in time."""
        while b"\n" not in self._read:
            ready, _, _ = select.select([self.process.stdout], (), (), seconds)
            if not ready:
                return None
            piece = os.read(self.process.stdout.fileno(), 4096)
            assert piece, "the program is gone"
            self._read += piece
        line, _, self._read = self._read.partition(b"\n")
        return line.decode()

    def rest(self, said):
        """Return what it has said and what it still says, its exit status last."""
        said = [word for word in said if word is not None]
        while not said or not said[-1].lstrip("-").isdigit():
            said.append(self.hear() or f"{-signal.SIGALRM}")
        return said


def children_of(process):
    """Return the processes that this one has started."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has just ended
            state, parent, *_ = path.read_text(errors="replace").rpartition(") ")[2].split()
            if parent == str(process) and state != "Z":
                found.append(int(path.parent.name))
    return found


def wait_for_all(ends):
    """Wait for processes to be over."""
    for end in ends:
        ready, _, _ = select.select([end], (), (), PATIENCE)
        os.close(end)
        if not ready:
            raise Violation("a process outlives the one that started it")


class Account:
    """What is known of one job that is run by processes which are killed."""

    def __init__(self, manager, flow, note, *, sync):
        self._manager, self._flow, self._note, self._sync = manager, flow, note, sync
        self._place = 0
        self._entries = []
        self._done = set()
        """The keys of what the store had as completed or given up when it was last looked at."""
        self._attempts = {}
        """For other work the attempt that it was at."""
        self._seen = Counter()
        """How many processes have started it, by key, attempt and item."""
        self.done = self.again = self.lost = 0

    def look(self):
        """Compare what the last process did with what the store had before and has now."""
        started = self._lines()
        for name, attempt, _ in started:
            if name in self._done:
                raise Violation(f"{name} was started again, and the store had it as done")
            if attempt < self._attempts.get(name, 1):
                raise Violation(f"attempt {attempt} of {name} was started again")
        self._read_store()
        if self._sync:
            unknown = {name for name, _, _ in started} - self._done - self._attempts.keys()
            if unknown:
                raise Violation(f"{unknown} ran before what they follow from was in the store")
        self.again += sum(self._seen[one] > 0 for one in started)
        self.lost += sum(name not in self._done for name, _, _ in started)
        self._seen.update(started)

    def _lines(self):
        """Return what has started since the last look."""
        with self._note.open("rb") as file:
            file.seek(self._place)
            lines = file.read().splitlines()
            self._place = file.tell()
        started = set()
        for line in lines:
            match line.decode().split():
                case ["start", name, attempt, item, "."]:
                    started.add((name, int(attempt), int(item)))
        return started

    def _read_store(self):
        try:
            state = self._manager.load(JOB)
        except UnknownJob:  # it has not come so far
            return
        entries = self._manager.keeping.store.history(JOB, limit=1_000_000)
        if entries[: len(self._entries)] != self._entries:
            raise Violation("what was in the store is not there any more")
        self._entries, facts = entries, list(state.facts)
        Book(self._flow).read(facts)
        root = data_of(state).root
        self._done = {key(root, fact.activation.lineage) for fact in facts if isinstance(fact, ENDS)}
        made = (one for fact in facts for one in getattr(fact, "activations", ()))
        self._attempts = {key(root, one.lineage): 1 for one in made}
        for fact in facts:
            if isinstance(fact, ActivationRetried):
                self._attempts[key(root, fact.activation.lineage)] = fact.activation.attempt

    def close(self, expected):
        """Look at the job that is over: it has come out as it would have without a kill."""
        self.look()
        state = self._manager.load(JOB)
        check_all(self._flow, state)
        story = crashed.story(state)
        for part, value in expected.items():
            if story[part] != value:
                raise Violation(f"{part}: {story[part]} instead of {value}")
        if self.again > self.lost:
            raise Violation(f"{self.again} ran again, and {self.lost} were running or not kept")
        self.done = len(self._done)
        self._manager.delete(JOB)
