"""Look flows over: ids in small letters only."""

from routilux_core import Flow, InvalidFlow, JobManager, Problem, hookimpl, routine


@routine
def keep(n):
    """Send on what it gets."""
    return {"n": n}


class SmallLetters:
    """The plugin."""

    @hookimpl
    def check_flow(self, flow):
        if not flow.flow_id.islower():
            yield Problem(f"flow {flow.flow_id}", "its id has capital letters", fatal=True)


flow = Flow("Keeping")
flow.add_routine(keep(), "keep")
with JobManager(plugins=[SmallLetters()]) as manager:
    assert "flow Keeping: its id has capital letters" in [str(problem) for problem in flow.validate()]
    try:
        manager.execute(flow, "keep", {"n": 1})
    except InvalidFlow as error:
        print(error)
    else:
        raise AssertionError
