"""Run one flow on any executor, with equal results: count primes by ranges, and name each range meanwhile.

Which executor runs it is said from outside: `ROUTILUX_EXECUTOR=process python swap_executor.py`, or a line in
`routilux.toml`. The options choose it in code: `--executor` for one run, `--strategy` for the flow.
"""

import argparse
import asyncio
from collections.abc import Iterator
from typing import Any

from routilux_core import Event, Flow, Job, Routine, all_sources, at_end, routine, slot


@routine
def ranges(end: int, width: int) -> Iterator[dict[str, int]]:
    """Fan out: one event for each range of numbers."""
    for start in range(0, end, width):
        yield {"start": start, "stop": start + width}


@routine
def count_primes(start: int, stop: int) -> dict[str, int]:
    """Keep a processor busy."""
    primes = sum(n > 1 and all(n % d for d in range(2, int(n**0.5) + 1)) for n in range(start, stop))
    return {"start": start, "primes": primes}


@routine
async def name(start: int, stop: int) -> dict[str, Any]:
    """Wait for something, as for an answer from a network."""
    await asyncio.sleep(0.01)
    return {"start": start, "name": f"{start} to {stop - 1}"}


class Join(Routine):
    """Puts together what belongs to the same range."""

    output = Event("row")

    @slot(when=all_sources(by="start"))
    def trigger(self, start: int, primes: int, name: str) -> None:
        """Take both parts of one range."""
        self.emit("output", row=(start, name, primes))


class Report(Routine):
    """Puts the rows in order, once all have come."""

    output = Event("lines")

    @slot(when=at_end)
    def trigger(self, row: list[tuple[int, str, int]]) -> None:
        """Take all rows together; on most executors they come in any order."""
        lines = [f"{primes:>5} primes from {name}" for _, name, primes in sorted(row)]
        self.emit("output", lines=[*lines, f"{sum(primes for *_, primes in row):>5} primes in all"])


def build(strategy: str | None = None) -> Flow:
    """Make the flow: ranges, then primes and names side by side, then their join, then the report."""
    flow = Flow("primes", execution_strategy=strategy)
    flow.add_routine(ranges(), "ranges")
    flow.add_routine(count_primes(), "count")
    flow.add_routine(name(), "name")
    flow.add_routine(Join(), "join")
    flow.add_routine(Report(), "report")
    flow.connect("ranges.output", "count.trigger")
    flow.connect("ranges.output", "name.trigger")
    flow.connect("count.output", "join.trigger")
    flow.connect("name.output", "join.trigger")
    flow.connect("join.output", "report.trigger")
    return flow


def run(flow: Flow, executor: str | None = None) -> None:
    """Run the flow once, and print what came out of it and what it ran on."""
    used: set[str] = set()

    def note(job: Job, _: object) -> None:
        used.add(type(job.executor).__name__.lower())

    state = flow.execute("ranges", {"end": 4000, "width": 500}, executor=executor, monitors=[note])
    state.raise_for_status()
    [report] = state.results["report.output"]
    print("\n".join(report["lines"]))
    print("on", *used)


def main() -> None:
    """Run it on the executors that are named, or on the one that the environment or a file names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--executor", nargs="*", default=[], help="run it on each of these")
    parser.add_argument("--strategy", nargs="*", default=[], help="run flows that name these")
    given = parser.parse_args()
    for executor in given.executor:
        run(build(), executor)
    for strategy in given.strategy:
        run(build(strategy))
    if not (given.executor or given.strategy):
        run(build())


# Worker processes import this file. Without the guard each of them would run the flow again.
if __name__ == "__main__":
    main()
