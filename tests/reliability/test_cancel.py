"""A handler that looks sees within a tenth of a second that its job was cancelled, on every executor."""

import time

import pytest

from routilux_core import Flow, JobManager
from routilux_core.testing.executor_contract.meeting import Meeting
from tests.reliability import toil
from tests.reliability.test_left_over import PLUGINS

LIMIT = 0.1
"""Seconds within which it is seen."""
ROUNDS = 5


@pytest.mark.parametrize("made", [toil.Obedient, toil.Waiting])
@pytest.mark.parametrize("name", PLUGINS)
def test_a_handler_sees_soon_that_it_is_cancelled(name, made):
    """Whether it asks again and again or awaits something."""
    took = []
    with (
        Meeting(toil.PATIENCE) as meeting,
        JobManager(plugins=[PLUGINS[name]], discover=False, executor=name) as manager,
    ):
        flow = Flow("cancelled")
        flow.add_routine(made(meeting.address), "a")
        for _ in range(ROUNDS):
            state = manager.start_job(flow, "a")
            meeting.guest().dismiss()
            begun = time.monotonic()
            manager.cancel(state.job_id)
            guest = meeting.guest()
            took.append(float(guest.word) - begun)  # the clock is that of the whole machine
            guest.dismiss()
    assert 0 < sorted(took)[ROUNDS // 2] < LIMIT, took


def test_a_handler_that_is_slow_to_see_it_is_found():
    """The control: it looks four times a second."""

    class Slow(toil.Placed):
        def __init__(self, address):
            super().__init__(address)
            self.define_slot("trigger", self.act)

        def act(self):
            toil.come(self.address)
            while not self.get_execution_context().cancelled:
                time.sleep(0.25)
            toil.come(self.address)

    with pytest.raises(AssertionError):
        test_a_handler_sees_soon_that_it_is_cancelled("threaded", Slow)
