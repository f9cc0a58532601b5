"""What plugins put around handlers goes where the handlers run, and is entered there."""

import asyncio
from contextlib import contextmanager
from contextvars import ContextVar

import pytest

from routilux_core import Event, Flow, JobManager, Monitor, Routine, hookimpl, slot
from tests.core.test_parcel import Away

INSIDE = ContextVar("INSIDE", default="nothing")


class Inside:
    """Says, while it is entered, what it was made for."""

    def __init__(self, text, fault=""):
        self.text = text
        self.fault = fault

    def __enter__(self):
        if self.fault == "enter":
            raise OSError("no disk")
        self.token = INSIDE.set(self.text)

    def __exit__(self, *error):
        INSIDE.reset(self.token)
        if self.fault == "leave":
            raise OSError("no disk")


class Unreadable(Inside):
    def __reduce__(self):
        return explode, ()


def explode():
    raise OSError("it cannot be made here")


class Surround(Monitor):
    """Puts something around every handler."""

    def __init__(self, make=Inside):
        self.make = make

    @hookimpl
    def around_activation(self, job, activation):
        return self.make(f"{activation.target} {activation.id}")


class Inner(Routine):
    """Says what it is in."""

    output = Event("inside")

    @slot
    def plain(self):
        self.emit("output", inside=INSIDE.get())

    @slot
    def items(self):
        for _ in range(3):
            self.emit("output", inside=INSIDE.get())
            yield

    @slot
    async def awaits(self):
        await asyncio.sleep(0)
        self.emit("output", inside=INSIDE.get())

    @slot
    def raises(self):
        raise LookupError(INSIDE.get())


def run(slot_name, *plugins, monitors=()):
    flow = Flow("away")
    flow.add_routine(Inner(), "inner")
    with JobManager(plugins=plugins, discover=False, executor=Away()) as manager:
        return manager.execute(flow, "inner", entry_slot=slot_name, monitors=monitors)


def inside(state):
    state.raise_for_status()
    return [payload["inside"] for payload in state.results["inner.output"]]


@pytest.mark.parametrize(("slot_name", "times"), [("plain", 1), ("items", 3), ("awaits", 1)])
def test_it_is_entered_where_the_handler_runs(slot_name, times):
    assert inside(run(slot_name, Surround())) == [f"inner.{slot_name} 1"] * times


def test_without_a_plugin_there_is_nothing_around():
    """The control."""
    assert inside(run("plain")) == ["nothing"]


def test_that_of_a_monitor_of_one_job_goes_along_too():
    assert inside(run("plain", monitors=[Surround()])) == ["inner.plain 1"]


def test_it_is_left_when_the_handler_raises():
    (error,) = run("raises", Surround()).errors
    assert error.message == "inner.raises 1"
    assert INSIDE.get() == "nothing"


def test_a_plugin_may_have_nothing_to_put_around():
    assert inside(run("plain", Surround(lambda _: None))) == ["nothing"]


@pytest.mark.parametrize("fault", ["enter", "leave"])
def test_one_that_raises_there_is_named_and_harms_no_handler(fault, caplog):
    state = run("plain", Surround(lambda text: Inside(text, fault)))
    assert inside(state) == ["nothing" if fault == "enter" else "inner.plain 1"]
    (record,) = caplog.records
    assert "'Surround'" in record.getMessage()
    assert "no disk" in record.exc_text


def test_one_that_raises_there_is_named_once_for_a_job(caplog):
    """The control: it is entered and left for each item."""
    assert inside(run("items", Surround(lambda text: Inside(text, "leave")))) == ["inner.items 1"] * 3
    assert len(caplog.records) == 1


def test_one_that_raises_at_home_is_named_and_harms_no_handler(caplog):
    assert inside(run("plain", Surround(lambda _: explode()))) == ["nothing"]
    (record,) = caplog.records
    assert "'Surround' raised in around_activation" in record.getMessage()


def test_one_that_cannot_travel_stays_at_home_and_is_named_once(caplog):
    @contextmanager
    def surround(_):
        yield

    state = run("items", Surround(surround), Surround())
    assert inside(state) == ["inner.items 1"] * 3
    (record,) = caplog.records
    text = record.getMessage()
    assert f"plugin 'Surround' cannot follow the handlers of job {state.job_id} to other processes" in text
    assert "it is a generator" in text


def test_one_that_cannot_be_read_there_is_named(caplog):
    assert inside(run("plain", Surround(Unreadable))) == ["nothing"]
    (record,) = caplog.records
    assert record.getMessage().startswith("what plugin 'Surround' sent along with an activation of job")
