"""Hold a routine until somebody lets it go."""

import threading

from routilux_core import Flow, JobManager, hookimpl, routine


@routine
def keep(n):
    """Send on what it gets."""
    return {"n": n}


class Gate:
    """The plugin."""

    def __init__(self, routine_id):
        self.routine_id = routine_id
        self.held = threading.Event()

    @hookimpl
    def hold(self, activation):
        if activation.routine_id != self.routine_id:
            return False
        self.held.set()
        return True


flow, gate = Flow("keeping"), Gate("second")
flow.add_routine(keep(), "first")
flow.add_routine(keep(), "second")
flow.connect("first.output", "second.trigger")
with JobManager(plugins=[gate]) as manager:
    state = flow.start("first", {"n": 1})
    job = manager.get_job(state.job_id)
    assert gate.held.wait(10)
    assert state.pending_tasks[0].data == {"n": 1}
    print(job.explain())
    job.release()
    job.wait()

assert state.results["second.output"] == [{"n": 1}]
