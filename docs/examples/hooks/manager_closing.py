"""Say at the end what was done."""

from routilux_core import Flow, JobManager, Monitor, hookimpl, routine


@routine
def keep(n):
    """Send on what it gets."""
    return {"n": n}


class Summary(Monitor):
    """The plugin, a monitor with a hook."""

    jobs = 0
    said = ""

    def on_job_completed(self, job, fact):
        self.jobs += 1

    @hookimpl
    def manager_closing(self, manager):
        assert manager.running_jobs == []
        self.said = f"{self.jobs} jobs completed"


flow, summary = Flow("keeping"), Summary()
flow.add_routine(keep(), "keep")
with JobManager(plugins=[summary]):
    flow.execute("keep", {"n": 1})
    flow.execute("keep", {"n": 2})
print(summary.said)

assert summary.said == "2 jobs completed"
