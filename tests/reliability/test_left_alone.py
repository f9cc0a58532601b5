"""Jobs that a manager cannot go on with stay as they are, with the reason, until somebody can or wants to."""

import logging
import os
import signal

import pytest

from routilux_core import FlowMismatch, JobManager, Routine, resuming
from routilux_core.testing.executor_contract.sample import chain
from routilux_plugins.stores.memory.store import Memory
from tests.reliability.crashed import Count, story, watched
from tests.reliability.crashing import JOB, crash, live, manager_of
from tests.reliability.killing import Nursery
from tests.reliability.laws import check_all
from tests.reliability.mortal import PLUGINS, SETTINGS

WIDTH = 4
LAST_CALL = 4
"""The call to the store after which the process of the job ends: some of it is done, and some is not."""
STRANGE = "tests.reliability.elsewhere:strange"


@pytest.fixture(autouse=True)
def _quiet_log():
    """Stores and jobs fail here on purpose."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


class Changing(Routine):
    """Has other events in a later version."""

    more = ()

    def __init__(self):
        super().__init__()
        self.define_slot("trigger", self.act)
        for name in ("output", *self.more):
            self.define_event(name)

    def act(self, n):
        with watched():
            self.emit("output", n=n)


def changing():
    return chain("changing", source=Count(), changing=Changing())


def noted(manager):
    """Return the one job as the store lists it."""
    [job] = manager.jobs()
    return job


@pytest.fixture
def broken_off():
    """A store with a job that was broken off, whose flow has changed since, and how it would have ended."""
    calm, store = Memory(), Memory()
    with manager_of(calm, executor="sequential") as manager:
        live(manager, changing, WIDTH)
        expected = story(manager.load(JOB))
    assert crash(changing, store, WIDTH, LAST_CALL, after=True, executor="sequential")
    Changing.more = ("failed",)
    yield store, expected
    Changing.more = ()


def test_a_job_of_a_changed_flow_is_left_with_the_differences(broken_off):
    store, expected = broken_off
    with manager_of(store) as manager:
        before = manager.load(JOB)
        assert manager.recover() == 0
        assert noted(manager).status == "running"
        assert "event changing.failed" in noted(manager).note
        assert len(manager.load(JOB).facts) == len(before.facts)
        assert manager.recover() == 0

        flow, state = changing(), manager.load(JOB)
        with pytest.raises(FlowMismatch, match=r"changing\.failed"):
            flow.resume(state)
        flow.resume(state, accept_changes=True)
        assert manager.wait_for_all_jobs()
        assert noted(manager).note == ""
        check_all(flow, manager.load(JOB))
        assert story(manager.load(JOB)) == expected


def test_who_has_the_flow_as_it_was_takes_the_job_up(broken_off):
    store, expected = broken_off
    with manager_of(store) as manager:
        assert manager.recover() == 0
    Changing.more = ()
    with manager_of(store) as manager:
        assert manager.recover() == 1
        assert manager.wait_for_all_jobs()
        assert (noted(manager).note, story(manager.load(JOB))) == ("", expected)


@pytest.mark.slow
def test_who_knows_the_classes_takes_up_what_others_could_not(tmp_path):
    url, note = f"sqlite:///{tmp_path}/jobs", tmp_path / "note"
    what = {"url": url, "options": {}, "entry": {"width": 200}, "flow": STRANGE, "note": str(note)}
    with (
        JobManager(store=url, plugins=PLUGINS, discover=False, settings=SETTINGS) as manager,
        Nursery() as nursery,
    ):
        number = nursery.bear(**what)
        while not manager.jobs():
            assert nursery.hear(0.01) is None
        os.kill(number, signal.SIGKILL)
        nursery.rest([])
        assert manager.recover() == 0
        assert noted(manager).status == "running"
        assert "tests.reliability.elsewhere.Strange" in noted(manager).note

        nursery.bear(**what)
        assert nursery.rest([]) == ["0"]
        assert (noted(manager).status, noted(manager).note) == ("completed", "")
        assert sorted(payload["n"] for payload in manager.load(JOB).results["strange.output"]) == [
            *range(-199, 1)
        ]


def test_a_manager_that_sees_no_differences_is_seen(broken_off, monkeypatch):
    """The control: it runs the changed flow without being asked."""
    store, _ = broken_off
    monkeypatch.setattr(resuming, "differences", lambda *_: ())
    with manager_of(store) as manager:
        assert manager.recover() == 1
