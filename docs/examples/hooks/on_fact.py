"""Count what happens to jobs."""

from collections import Counter

from routilux_core import Flow, JobManager, hookimpl, routine


@routine
def keep(n):
    """Send on what it gets."""
    return {"n": n}


class Counting:
    """The plugin."""

    def __init__(self):
        self.facts = Counter()

    @hookimpl
    def on_fact(self, fact):
        self.facts[fact.tag] += 1


flow, counting = Flow("keeping"), Counting()
flow.add_routine(keep(), "keep")
with JobManager(plugins=[counting]):
    flow.execute("keep", {"n": 1})
    print(counting.facts)

assert counting.facts["activation_completed"] == 1
assert counting.facts["job_completed"] == 1
