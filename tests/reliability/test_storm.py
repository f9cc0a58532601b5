"""Random flows on every executor, paused, resumed and saved at random meanwhile, do what they do in peace."""

import contextlib
import os
from collections import Counter
from random import Random
from time import sleep

import pytest

from routilux_core import Flow, InvalidTransition, JobManager, JobState
from routilux_plugins.executors import aio, pooled, process, sequential, threaded
from routilux_plugins.stores import memory
from tests.reliability.keeping import check_kept
from tests.reliability.weather import STYLES, Weathered

EXECUTORS = ("sequential", "threaded", "pooled", "asyncio", "process")
STORMS = int(os.environ.get("TEST_STORMS", "7"))
"""How many random flows each executor has to run."""
PATIENCE = 20.0


def rolled(seed):
    return Random(seed)  # noqa: S311 - storms, not secrets


def random_routine(dice):
    options = {"style": dice.choice(STYLES), "fans": dice.randint(1, 2)}
    if dice.random() < 0.4:
        options |= {"fails": dice.randint(1, 4), "attempts": dice.randint(1, 4)}
        options |= {"strategy": dice.choice(["continue", "skip", "retry", "retry"])}
    if dice.random() < 0.2:
        options |= {"timeout": PATIENCE}
    if dice.random() < 0.3:
        options |= {"concurrency": dice.choice([1, 2]), "priority": dice.choice([-1, 0, 1])}
    return Weathered(**options, deed=dice.choice(["", "count", "record", "log", "tell", "pause"]))


def random_flow(seed):
    dice = rolled(seed)
    flow = Flow(f"storm-{seed}", max_workers=dice.choice([None, None, 1, 2, 3]))
    names = [f"r{number}" for number in range(dice.randint(1, 5))]
    for name in names:
        flow.add_routine(random_routine(dice), name)
    for name in names:
        for _ in range(dice.randint(1, 2)):
            flow.connect(name, "output", dice.choice(names), "trigger")
    return flow


def upset(flow, state, dice):
    """Do to a job what may be done to one that shall go on."""
    acts = (
        lambda: flow.pause(state, timeout=PATIENCE),
        lambda: flow.pause(state, timeout=0.001),
        lambda: flow.resume(state),
        lambda: JobState().deserialize(state.serialize()),
    )
    for _ in range(dice.randint(0, 10)):
        with contextlib.suppress(InvalidTransition):  # it is over
            dice.choice(acts)()
        sleep(dice.random() * 0.01)  # so that it is upset at other moments


def calm_down(manager, flow, state):
    while not state.status.final:
        job = manager.get_job(state.job_id)
        assert job is None or job.wait(PATIENCE), job.explain()
        if state.status == "paused":
            with contextlib.suppress(InvalidTransition):  # resumed while pausing, it may have ended by itself
                flow.resume(state)


def story(state):
    lines = Counter(
        (line.routine_id, line.event_name, line.data.get("n")) for line in state.execution_history
    )
    for key in [key for key in lines if key[1] not in {"output", "completed", "failed", "skipped", "retry"}]:
        del lines[key]
    return state.status, lines, state.get_shared_data("count"), len(state.shared_log), len(state.output_log)


KEPT = {"": {}, "in a store": {"store": "memory://"}, "behind": {"store": "memory://", "durability": "batch"}}


@pytest.fixture(
    scope="module", params=[(executor, kept) for executor in EXECUTORS for kept in KEPT], ids=" ".join
)
def manager(request):
    plugins = [aio, memory, pooled, process, sequential, threaded]
    settings = {"max_workers": 2, "scan_seconds": None}
    executor, kept = request.param
    with JobManager(
        plugins=plugins, discover=False, executor=executor, settings=settings, **KEPT[kept]
    ) as made:
        yield made


@pytest.mark.parametrize("seed", range(STORMS))
def test_a_storm_changes_nothing(manager, seed):
    """When a resume forgets that all ready work comes anew, some of these do their work twice."""
    flow = random_flow(seed)
    entry = {"n": 1, "hops": rolled(seed).randint(2, 4)}
    calm = manager.start_job(flow, "r0", entry, executor="sequential")
    calm_down(manager, flow, calm)
    state = manager.start_job(flow, "r0", entry)
    upset(flow, state, rolled(seed))
    calm_down(manager, flow, state)
    assert story(state) == story(calm)
    if manager.keeping is not None:
        check_kept(manager, state)
