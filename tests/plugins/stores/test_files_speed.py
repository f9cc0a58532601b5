"""What a commit to a folder costs beside the least that a disk can do: one append, waited for or not."""

import os
from contextlib import closing
from time import perf_counter

import pytest

from routilux_core import Commit, Entry
from routilux_plugins.stores.files.settings import FilesSettings
from routilux_plugins.stores.files.store import Files
from tests.benchmarks.measure import Case, measure
from tests.plugins.stores.job import HEAD, open_job

STEPS = {"normal": 200, "full": 20}
CONTENT = b"x" * 300
CEILINGS = {"normal": 50.0, "full": 3.0}
AIMS = {"normal": 16.0, "full": 1.3}


class Bare:
    """Appends to one file."""

    def __init__(self, path, synchronous):
        self.descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self.synchronous = synchronous

    def run(self):
        began = perf_counter()
        for _ in range(STEPS[self.synchronous]):
            os.write(self.descriptor, CONTENT)
            if self.synchronous == "full":
                os.fsync(self.descriptor)
        return perf_counter() - began

    def close(self):
        os.close(self.descriptor)


class Steps:
    """Commits one entry after the other of one job."""

    def __init__(self, store, steps):
        self.store = store
        self.steps = steps
        self.claim = open_job(store, "job", "ann")
        self.last = 0

    def run(self):
        numbers = range(self.last + 1, self.last + self.steps + 1)
        self.last += self.steps
        commits = [
            Commit(claim=self.claim, head=HEAD, entries=(Entry(number, number, CONTENT),))
            for number in numbers
        ]
        began = perf_counter()
        for commit in commits:
            self.store.commit([commit])
        return perf_counter() - began


@pytest.mark.speed
@pytest.mark.slow
@pytest.mark.parametrize("synchronous", STEPS)
def test_a_commit_costs_what_its_append_costs(tmp_path, tell, synchronous):
    with (
        closing(Bare(tmp_path / "bare", synchronous)) as bare,
        closing(Files(tmp_path / "jobs", FilesSettings(synchronous=synchronous))) as store,
    ):
        name = f"a commit of one entry, {synchronous}"
        steps = Steps(store, STEPS[synchronous])
        case = Case(name, steps.run, bare.run, CEILINGS[synchronous], AIMS[synchronous])

        result = measure(case, rounds=5)

    seconds = sorted(result.seconds)[len(result.seconds) // 2] / STEPS[synchronous]
    tell(f"{name}: {seconds * 1e6:.0f} us, {result.ratio:.2f} times a bare append")
    assert result.ratio < CEILINGS[synchronous]
