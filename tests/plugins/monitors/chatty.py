"""A program that writes to its terminal in every way there is, while its job is shown."""

import logging
import sys
import time

from routilux_core import Flow, JobManager, routine
from routilux_plugins.executors import sequential
from routilux_plugins.monitors import progress

SHOWN = 0.5
"""Seconds in which a view is there for sure."""


@routine
def chat():
    time.sleep(SHOWN)
    logging.getLogger("program").warning("logged to where it was before")
    sys.stdout.writelines(["one line\n", "and another\n"])
    sys.stdout.buffer.write("in Bytes, grün\n".encode())
    sys.stdout.write("a question? ")
    sys.stdout.flush()
    time.sleep(SHOWN)
    sys.stdout.write("an answer\n")


def main():
    logging.basicConfig(format="LOG %(message)s")
    flow = Flow("chats", execution_strategy="sequential")
    flow.add_routine(chat(), "chat")
    settings = {"monitors": {"progress": {}}}
    with JobManager(plugins=[sequential, progress], discover=False, settings=settings) as manager:
        manager.execute(flow, "chat")
    logging.getLogger("program").warning("logged afterwards")


if __name__ == "__main__":
    main()
