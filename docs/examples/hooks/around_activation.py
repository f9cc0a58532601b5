"""Let each handler run in a context of its own, here and in worker processes."""

from contextvars import ContextVar

from routilux_core import Flow, JobManager, hookimpl, routine

TENANT = ContextVar("TENANT", default="nobody")


class Within:
    """Sets the tenant while a handler runs. Its class can be imported, so it goes to other processes too."""

    def __init__(self, tenant):
        self.tenant = tenant

    def __enter__(self):
        self.token = TENANT.set(self.tenant)

    def __exit__(self, *error):
        TENANT.reset(self.token)


class Tenants:
    """The plugin."""

    @hookimpl
    def around_activation(self, job, activation):
        return Within(job.job_state.metadata.get("tenant", "nobody"))


@routine
def ask():
    """Say for whom it runs."""
    return {"tenant": TENANT.get()}


flow = Flow("asking")
flow.add_routine(ask(), "ask")
with JobManager(plugins=[Tenants()]):
    state = flow.execute("ask", metadata={"tenant": "ann"})
    print(state.results)

assert state.results["ask.output"] == [{"tenant": "ann"}]
assert TENANT.get() == "nobody"
