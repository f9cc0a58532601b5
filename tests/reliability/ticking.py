"""Jobs that go on until they are told to stop; only some processes know what they are made of."""

import threading

from routilux_core import Event, Flow, Routine, get_execution_context, slot

NAP = 0.02


class Ticking(Routine):
    """Notes a number after the other, and stops when it is told to, or at a number."""

    output = Event("n", "last")

    @slot
    def trigger(self, n=0, last=None):
        state = get_execution_context().job_state
        if state.get_shared_data("stopped") or n == last:
            return
        threading.Event().wait(NAP)
        state.append_to_shared_log(n)
        self.emit("output", n=n + 1, last=last)

    @slot
    def mark(self, word):
        state = get_execution_context().job_state
        state.update_shared_data(word, value=True)


def ticking():
    flow = Flow("ticking")
    flow.add_routine(Ticking(), "tick")
    flow.connect("tick.output", "tick.trigger")
    return flow
