"""What is measured, against what, and how fast it must be.

All with the full history, on `sequential` where the name says nothing else.
"""

import os
import subprocess
import sys
from time import perf_counter

from routilux_core import Flow, JobManager
from routilux_plugins.executors import aio, pooled, sequential
from tests.benchmarks import floor, flows
from tests.benchmarks.measure import Case, Run

PLUGINS = [sequential, pooled, aio]
WORKERS = 4


def timed(flow: Flow, n: int, units: int, times: int = 1, executor: str = "sequential") -> Run:
    """Return a run: the seconds for each of so many units in one execution of the flow, already compiled."""
    settings = {"max_workers": WORKERS}

    def run() -> float:
        with JobManager(plugins=PLUGINS, discover=False, executor=executor, settings=settings) as manager:
            manager.execute(flow, "first", {"n": 0})
            begin = perf_counter()
            for _ in range(times):
                state = manager.execute(flow, "first", {"n": n})
            seconds = perf_counter() - begin
        state.raise_for_status()
        return seconds / units / times

    return run


def imported(modules: str) -> Run:
    """Return a run: the processor seconds that a fresh interpreter spends on an import."""
    code = f"from time import process_time as now; begin = now(); import {modules}; print(now() - begin)"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}

    def run() -> float:
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
        return float(done.stdout)

    return run


def cases() -> list[Case]:
    """Every case, with its flows built."""
    chain, fan, gather = flows.chain(1_000), flows.fan(flows.Sink()), flows.fan(flows.Gatherer())
    ring, single = flows.ring(10), flows.single()
    steps, spread = timed(chain, 1, 1_000, 10), timed(fan, 10_000, 10_000)
    short, long = timed(ring, 1_000, 1_000, 10), timed(ring, 100_000, 100_000)
    plain, append = timed(fan, 4_000, 4_000), timed(gather, 4_000, 4_000)
    spread_on_pool = timed(fan, 10_000, 10_000, executor="pooled")
    steps_on_pool = timed(chain, 1, 1_000, 10, executor="pooled")
    cascade = flows.cascade(5)
    falls, falls_on_pool = timed(cascade, 10_000, 50_000), timed(cascade, 10_000, 50_000, executor="pooled")
    naps = timed(flows.naps(floor.WIDE), 1_000, 1_000, executor="asyncio")
    ours, theirs = imported("routilux_core"), imported("attrs, cattrs, pluggy")
    return [
        Case("chain of 1,000: a step", steps, floor.step, 2.5, 1.5, ceiling=3),
        Case("fan-out 1 to 10,000: an event", spread, floor.step, 3, 2, ceiling=3),
        Case("execute of one step", timed(single, 1, 1, 1_000), floor.step, 10, 6, ceiling=20),
        Case("loop of 10: 100,000 events to 1,000", long, short, 1.7, 1.2, ceiling=4),
        Case("slot: 4,000 appended to 4,000 plain", append, plain, 3, ceiling=3.5),
        Case("pooled: fan-out to the sequential one", spread_on_pool, spread, 3, 1.5, ceiling=3),
        Case("pooled: chain to the sequential one", steps_on_pool, steps, 3, 1.5, ceiling=3),
        Case("pooled: five steps of 10,000, the same", falls_on_pool, falls, 3, 1.5, ceiling=3),
        Case("asyncio: 1,000 naps of 10 ms, 100 wide", naps, floor.nap, 1.25, 1.1, ceiling=1.25),
        Case("import: ours to attrs, cattrs and pluggy", ours, theirs, 2, ceiling=2),
    ]
