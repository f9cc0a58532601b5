"""What one pays for hooks that nobody implements: nothing. And one monitor's failure is its own.

What importing the core costs is measured with the other speeds, in tests/benchmarks.
"""

import logging
import sys
from collections import Counter
from pathlib import Path

from routilux_core import Flow, Routine, slot
from tests.benchmarks.flows import ring

WATCHED = ("hooks.py", "observers.py", "hookspecs.py")


def calls_for_hooks(manager, steps, monitors=()):
    """Count the Python calls into hooks, observers and pluggy while a job of so many steps runs."""
    calls: Counter[str] = Counter()

    def note(frame, event, argument):
        if event == "call":
            path = Path(frame.f_code.co_filename)
            if path.name in WATCHED or "pluggy" in path.parts:
                calls[f"{path.name}:{frame.f_code.co_name}"] += 1

    flow = ring(2)
    manager.execute(flow, "first", {"n": 1})
    sys.setprofile(note)
    try:
        manager.execute(flow, "first", {"n": steps}, monitors=monitors)
    finally:
        sys.setprofile(None)
    return calls.total()


def test_an_activation_without_monitors_makes_no_call_for_the_hooks(manager):
    assert calls_for_hooks(manager, 210) == calls_for_hooks(manager, 10)


def test_calls_for_a_monitor_are_counted(manager):
    """The control: with a monitor, each activation makes calls."""
    monitors = [lambda job, fact: None]
    assert calls_for_hooks(manager, 210, monitors) - calls_for_hooks(manager, 10, monitors) >= 200


class Step(Routine):
    @slot
    def trigger(self):
        self.set_stat("seen", True)


def one_step():
    flow = Flow("one")
    flow.add_routine(Step(), "step")
    return flow


def test_a_monitor_that_raises_is_dropped_and_named_and_the_others_miss_nothing(manager, caplog):
    before, after, heard = [], [], []

    def clumsy(job, fact):
        heard.append(fact.number)
        if fact.number == 2:
            raise RuntimeError("tripped")

    monitors = [lambda job, fact: before.append(fact), clumsy, lambda job, fact: after.append(fact)]
    with caplog.at_level(logging.ERROR, "routilux"):
        state = manager.execute(one_step(), "step", monitors=monitors)

    assert state.status == "completed"
    assert before == after == list(state.facts)
    assert heard == [1, 2]
    assert [record for record in caplog.records if "clumsy" in record.getMessage()]


def test_a_monitor_that_was_dropped_watches_the_next_job(manager, caplog):
    heard = []

    def clumsy(job, fact):
        heard.append(fact.number)
        raise RuntimeError("tripped")

    with caplog.at_level(logging.CRITICAL, "routilux"):
        for _ in range(2):
            manager.execute(one_step(), "step", monitors=[clumsy])

    assert heard == [1, 1]
