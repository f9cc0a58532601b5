"""Let no job start outside of office hours."""

from routilux_core import Flow, JobManager, VetoedJob, hookimpl, routine


@routine
def keep(n):
    """Send on what it gets."""
    return {"n": n}


class OfficeHours:
    """The plugin."""

    opened = False

    @hookimpl
    def job_starting(self, job):
        if not self.opened:
            raise PermissionError(f"flow {job.flow.flow_id} runs in office hours only")


flow, hours = Flow("keeping"), OfficeHours()
flow.add_routine(keep(), "keep")
with JobManager(plugins=[hours]):
    try:
        flow.execute("keep", {"n": 1})
    except VetoedJob as error:
        print(error)
    else:
        raise AssertionError

    hours.opened = True
    assert flow.execute("keep", {"n": 1}).status == "completed"
