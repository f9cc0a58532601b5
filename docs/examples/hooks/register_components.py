"""Offer a routine and a flow by name."""

from routilux_core import Flow, JobManager, hookimpl, routine


@routine
def double(n: int) -> dict[str, int]:
    """Twice the number."""
    return {"n": 2 * n}


def doubling() -> Flow:
    """Make the flow."""
    flow = Flow("shop.doubling")
    flow.add_routine(double(), "double")
    return flow


class Shop:
    """The plugin."""

    @hookimpl
    def register_components(self, registrar):
        registrar.routine("shop.double", double)
        registrar.flow("shop.doubling", doubling)


with JobManager(plugins=[Shop()]) as manager:
    state = manager.execute("shop.doubling", "double", {"n": 4})
    print(manager.registry.describe("shop.double"))

assert state.results["double.output"] == [{"n": 8}]
