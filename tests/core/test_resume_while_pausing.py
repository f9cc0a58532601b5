"""A kept job that is resumed when its pause has happened, and is not in the store yet."""

import threading

from routilux_core import Flow, JobCompleted, JobManager, get_execution_context, routine
from routilux_core.testing import Recorder
from routilux_plugins.executors import pooled
from routilux_plugins.stores.memory.store import Memory

PATIENCE = 10.0


class Slow(Memory):
    """A store that takes its time for pauses."""

    def __init__(self):
        super().__init__()
        self.reached, self.go = threading.Event(), threading.Event()

    def commit(self, batch):
        if any(commit.head.status == "paused" for commit in batch):
            self.reached.set()
            assert self.go.wait(PATIENCE)
        return super().commit(batch)


@routine
def halt(n):
    context = get_execution_context()
    if not context.job_state.pause_points:
        context.flow.pause(context.job_state, "halt")
    return {"n": n}


@routine
def take(n):
    return {"n": n}


def test_it_goes_on_when_the_pause_is_kept():
    """Claiming it at once would take it away from the commit that is on its way."""
    flow, store = Flow("halting"), Slow()
    flow.add_routine(halt(), "halt")
    flow.add_routine(take(), "take")
    flow.connect("halt.output", "take.trigger")
    options = {"executor": "pooled", "settings": {"scan_seconds": None}}
    recorder = Recorder()
    with JobManager(plugins=[pooled, recorder], discover=False, store=store, **options) as manager:
        state = manager.start_job(flow, "halt", {"n": 1})
        assert store.reached.wait(PATIENCE)
        assert state.status == "paused"

        manager.resume_state(flow, state)
        store.go.set()

        recorder.wait_for(JobCompleted)
        assert manager.wait_for_all_jobs(PATIENCE)
        kept = manager.load(state.job_id)

    assert kept.status == "completed"
    assert kept.results == {"take.output": [{"n": 1}]}
