"""What our monitors cost. `python -m tests.benchmarks.monitors [--rounds N]` prints microseconds.

All are measured in turns, in one run, on a chain whose handlers send on what they get: an activation is three
facts. The cost of each is what it takes beyond a monitor that does nothing.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from attrs import frozen

from routilux_core import JobManager, MonitorQueue
from routilux_plugins.executors import sequential
from routilux_plugins.monitors.breakpoints.monitor import Breakpoints
from routilux_plugins.monitors.jsonl.monitor import Jsonl
from routilux_plugins.monitors.jsonl.settings import JsonlSettings
from routilux_plugins.monitors.log.monitor import Logging
from routilux_plugins.monitors.log.settings import LoggingSettings
from routilux_plugins.monitors.opentelemetry.monitor import Tracing
from routilux_plugins.monitors.progress.monitor import Progress
from routilux_plugins.monitors.prometheus.monitor import Prometheus
from routilux_plugins.monitors.tracker.tracker import Tracker
from tests.benchmarks.flows import chain
from tests.benchmarks.measure import ROUNDS, clean

MICRO = 1e6
STEPS, TIMES = 1_000, 3


@frozen
class Watched:
    """A monitor, or several, to measure."""

    name: str
    monitors: Sequence[Any]
    goal: float | None = None
    """The microseconds that it may cost per activation."""


def nothing(job: object, fact: object) -> None:
    """Watch, and do nothing."""


@contextmanager
def without_orjson() -> Iterator[None]:
    """Let what is made meanwhile find no orjson."""
    there = sys.modules.get("orjson")
    sys.modules["orjson"] = None  # type: ignore[assignment]  # that is how an import is made to fail
    try:
        yield
    finally:
        if there is None:
            del sys.modules["orjson"]
        else:
            sys.modules["orjson"] = there


def cases(folder: Path) -> list[Watched]:
    """Return what is measured; the first two are what the others are compared with."""
    fast = Jsonl(JsonlSettings(path=folder / "fast.jsonl"))
    with without_orjson():
        plain = Jsonl(JsonlSettings(path=folder / "plain.jsonl"))
    return [
        Watched("a monitor that does nothing", [nothing]),
        Watched("no monitor", []),
        Watched("logging, at level warning", [Logging(LoggingSettings(level="warning"))]),
        Watched("tracker", [Tracker()], 3),
        Watched("prometheus", [Prometheus()], 8),
        Watched("jsonl, with orjson", [fast], 8),
        Watched("jsonl, with the standard library", [plain], 15),
        Watched("breakpoints, none set", [Breakpoints()]),
        Watched("progress, not on a terminal", [Progress(None, StringIO())]),
        Watched("opentelemetry, without a provider", [Tracing()]),
        Watched("one that does nothing, with a queue", [MonitorQueue(nothing)]),
    ]


def measured(found: Sequence[Watched], rounds: int) -> dict[str, list[float]]:
    """Return the microseconds of an activation with each, by name, one for each round."""
    flow, times = chain(STEPS), {one.name: list[float]() for one in found}
    with JobManager(plugins=[sequential], discover=False) as manager:

        def run(monitors: Sequence[Any]) -> Callable[[], float]:
            def jobs() -> float:
                begin = perf_counter()
                for _ in range(TIMES):
                    manager.execute(flow, "first", {"n": 1}, monitors=monitors)
                return (perf_counter() - begin) / STEPS / TIMES * MICRO

            return jobs

        for number in range(rounds + 1):
            for one in found:
                seconds = clean(run(one.monitors))
                if number:  # the first round is to warm up
                    times[one.name].append(seconds)
    return times


def main() -> None:
    parser = ArgumentParser(prog="python -m tests.benchmarks.monitors", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    rounds = parser.parse_args().rounds
    with TemporaryDirectory() as folder:
        found = cases(Path(folder))
        times = measured(found, rounds)
    base = times[found[0].name]
    print(f"{'median of ' + str(rounds) + ' rounds, microseconds':<44}{'whole':>8}{'beyond':>8}{'goal':>6}")
    for one in found:
        own = times[one.name]
        beyond = median(mine - other for mine, other in zip(own, base, strict=True))
        print(f"{one.name:<44}{median(own):>8.2f}{beyond:>8.2f}{one.goal or '-':>6}")


if __name__ == "__main__":
    main()
