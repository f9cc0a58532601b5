"""Know which jobs run here, though some go on elsewhere."""

import threading

from routilux_core import Flow, JobManager, Monitor, hookimpl, routine


@routine
def keep(n):
    """Send on what it gets."""
    return {"n": n}


class Running(Monitor):
    """The plugin, a monitor with hooks: it holds all work."""

    def __init__(self):
        self.jobs = set()
        self.held = threading.Event()

    def on_job_started(self, job, fact):
        self.jobs.add(job.job_id)

    def on_job_completed(self, job, fact):
        self.jobs.discard(job.job_id)

    on_job_failed = on_job_cancelled = on_job_paused = on_job_completed
    on_job_resumed = on_job_started

    @hookimpl
    def hold(self, job):
        self.held.set()
        return True

    @hookimpl
    def job_left(self, job, error):
        print(error)
        self.jobs.discard(job.job_id)


flow, running = Flow("keeping"), Running()
flow.add_routine(keep(), "keep")
with JobManager(plugins=[running], store="memory://") as manager:
    state = flow.start("keep", {"n": 1})
    assert running.held.wait(10)
    assert running.jobs == {state.job_id}
    manager.shutdown(timeout=0)

assert running.jobs == set()
