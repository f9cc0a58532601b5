"""A program whose jobs are shown: run it in a terminal, or with its output going elsewhere."""

import sys
import threading

from routilux_core import ErrorHandler, Flow, JobManager, routine
from routilux_plugins.executors import pooled, sequential
from routilux_plugins.monitors import progress

PACE = threading.Event()
"""Never set: waiting for it takes time."""


@routine
def source(count):
    for n in range(count):
        PACE.wait(0.01)
        yield {"n": n}


@routine(retry=ErrorHandler("continue"))
def fetch(n):
    PACE.wait(0.02)
    if n % 25 == 7:
        raise OSError("no answer")
    if n == 40:
        print("a handler says hello")  # noqa: T201 - a program may
    return {"n": n}


@routine
def store_what_was_fetched_in_the_archive(n):
    return {"n": n}


def flow(width=1):
    made = Flow("orders", execution_strategy="pooled")
    made.add_routine(source(), "source")
    made.add_routine(fetch(), "fetch")
    made.connect("source.output", "fetch.trigger")
    for number in range(width):
        name = "store_what_was_fetched_in_the_archive" if width == 1 else f"store_{number}"
        made.add_routine(store_what_was_fetched_in_the_archive(), name)
        made.connect("fetch.output", f"{name}.trigger")
    return made


def main(count, width=1, *, stream="stderr"):
    settings = {"monitors": {"progress": {"stream": stream, "lines_every": 0.2}}, "max_workers": 6}
    with JobManager(plugins=[sequential, pooled, progress], discover=False, settings=settings) as manager:
        for _ in range(2):
            manager.start_job(flow(width), "source", {"count": count})
        manager.wait_for_all_jobs()
        print("the program goes on")  # noqa: T201 - as above


if __name__ == "__main__":
    import logging

    logging.getLogger("routilux").setLevel(logging.CRITICAL)
    main(int(sys.argv[1]), int(sys.argv[2]), stream=sys.argv[3])
