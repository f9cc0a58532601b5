"""A job goes to another host as two JSON files, and goes on there in a fresh process."""

import json
import shutil
import subprocess
import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from routilux_core import Converter
from tests.reliability.freight import PARCELS, STOP_AT

PACKAGE = Path(__file__).with_name("freight")
FILES = ("flow.json", "job.json")


class Host:
    """A folder with a package of routines in it, or with nothing."""

    def __init__(self, folder, *, package=True):
        self.folder = folder
        folder.mkdir()
        if package:
            shutil.copytree(PACKAGE, folder / "freight", ignore=shutil.ignore_patterns("__pycache__"))

    def run(self, *arguments):
        command = [sys.executable, *arguments]
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)

    def summary(self, what):
        done = self.run("-m", "freight", what)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def receive(self, documents):
        for name, text in documents.items():
            (self.folder / name).write_text(text)


@pytest.fixture(scope="module")
def sent(tmp_path_factory):
    """What the first host knew when it sent the job away, and the two files; the host is gone."""
    host = Host(tmp_path_factory.mktemp("move") / "a")
    summary = host.summary("send")
    documents = {name: (host.folder / name).read_text() for name in FILES}
    shutil.rmtree(host.folder)
    return summary, documents


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """What comes of the job where it stays in one process."""
    return Host(tmp_path_factory.mktemp("move") / "whole").summary("whole")


@pytest.fixture(scope="module")
def finished(sent, tmp_path_factory):
    """What comes of it on the second host."""
    host = Host(tmp_path_factory.mktemp("move") / "b")
    host.receive(sent[1])
    return host.summary("finish")


def changed(documents, change):
    """Plant an error in the job's file."""
    job = json.loads(documents["job.json"])
    change(job["job"])
    return {**documents, "job.json": json.dumps(job)}


def test_it_stood_in_the_midst_of_everything(sent):
    summary, documents = sent
    job = json.loads(documents["job.json"])["job"]
    held = Counter(group["slot"] for group in job["held"])

    assert summary["status"] == "paused"
    assert Counter(summary["pending"]) == {
        "check.trigger 1": PARCELS - STOP_AT - 1,
        "shelf.appended 1": 1,
        "shelf.billed 1": 1,
        "courier.trigger 2": 1,
    }
    assert PARCELS - STOP_AT - 1 == 50
    assert (STOP_AT + 1) % 4 == 2, "a batch of four is half filled"
    assert held == {"billed": 50, "boxed": 1, "summed": 1}
    assert len(job["merged"]) == 1
    assert summary["deferred"].count("'notice'") == 2


def test_it_ends_as_if_it_had_never_moved(finished, whole):
    assert finished == whole


def test_nothing_is_lost_and_nothing_doubled(finished):
    results = Converter().decode(finished["results"])
    numbers = list(range(PARCELS))

    assert finished["status"] == "completed"
    assert finished["pending"] == []
    assert results["shelf.seen"] == [{"numbers": tuple(numbers[: n + 1])} for n in numbers]
    assert results["shelf.box"] == [{"numbers": tuple(numbers[n : n + 4])} for n in numbers[::4]]
    assert results["shelf.bill"] == [{"number": n, "amount": Decimal(n)} for n in numbers]
    assert results["shelf.total"] == [{"number": sum(numbers)}]
    assert results["courier.delivered"] == [{"number": -1, "attempt": 2}]
    assert results["clerk.signed"] == [{"text": text, "by": "Ada"} for text in ("look at it", "and sign")]
    assert finished["shared data"] == repr({"weight": sum(Decimal(n) / 8 for n in numbers)})
    assert finished["routines"]["check"] == ["completed", PARCELS]
    assert finished["stats"]["check"] == {"small": 20, "large": 40}


@pytest.mark.parametrize(
    "change",
    [
        lambda job: job["pending_tasks"].pop(20),
        lambda job: job["deferred_events"].pop(),
        lambda job: job["deferred_events"].append(job["deferred_events"][0]),
        lambda job: job["held"].pop(),
        lambda job: job["merged"].clear(),
        lambda job: job["shared_data"].clear(),
    ],
    ids=["an activation", "a deferred event", "one twice", "a held payload", "a merged one", "shared data"],
)
def test_a_loss_on_the_way_is_seen(change, sent, whole, tmp_path):
    """The control: what a broken save or load would leave out or double is seen by the comparison."""
    host = Host(tmp_path / "b")
    host.receive(changed(sent[1], change))

    assert host.summary("finish") != whole


def test_a_host_without_the_package_says_what_is_missing(sent, tmp_path):
    host = Host(tmp_path / "bare", package=False)
    host.receive(sent[1])

    done = host.run("-c", "from routilux_core import Flow; Flow.load('flow.json')")

    assert done.returncode == 1
    assert "'freight.Depot'" in done.stderr.splitlines()[-1]


def test_a_changed_flow_is_told_apart(sent, tmp_path):
    host = Host(tmp_path / "b")
    flow = json.loads(sent[1]["flow.json"])
    del flow["connections"][-1]
    host.receive({**sent[1], "flow.json": json.dumps(flow)})

    done = host.run("-m", "freight", "finish")

    assert done.returncode == 1
    assert "connection check.notice -> clerk.trigger is gone" in done.stderr.splitlines()[-1]
