"""A manager in a process and a folder of its own, which does what it is told, line by line.

`python -m tests.reliability.neighbour URL SETTINGS [elsewhere] [deaf]`: who is `elsewhere` looks like one of
another host, and who is `deaf` does not hear what others ask.
"""

import json
import subprocess
import sys
import time
from pathlib import Path

from routilux_core import JobManager, owner
from routilux_core.renewal import Renewal
from routilux_plugins.executors import pooled, sequential
from routilux_plugins.stores import files, postgres, redis, sqlite
from tests.reliability import witness  # noqa: F401 - so that its jobs can be made again here

ROOT = Path(__file__).parents[2]
PATIENCE = 30.0
PLUGINS = [files, pooled, postgres, redis, sequential, sqlite]


class Neighbour:
    """A process as its parent sees it."""

    def __init__(self, folder, url, *how, **settings):
        folder.mkdir(exist_ok=True)
        command = [
            sys.executable,
            "-W",
            "ignore",
            "-m",
            "tests.reliability.neighbour",
            url,
            json.dumps(settings),
        ]
        self.process = subprocess.Popen(
            [*command, *how],
            cwd=folder,
            env={"PYTHONPATH": str(ROOT), "PATH": ""},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.owner = json.loads(self.process.stdout.readline())

    def ask(self, name, *given):
        """Have it do something, and return what came of it."""
        self.process.stdin.write(json.dumps([name, *given]) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def kill(self):
        """End it at once, as `kill -9` does."""
        self.process.kill()
        self.end()

    def end(self):
        """Let it close its manager and end."""
        self.process.stdin.close()
        self.process.wait(PATIENCE)
        self.process.stdout.close()


def until(holds, limit=PATIENCE):
    """Wait until it holds, and return how long that took."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < limit, f"it took longer than {limit} s"
        time.sleep(0.01)  # what happens in another process can only be looked at
    return time.monotonic() - began


def main(url, settings, *how):
    from tests.reliability import ticking  # noqa: PLC0415 - the parent must not know what jobs are made of

    if "elsewhere" in how:
        owner._place = lambda: "elsewhere"  # noqa: SLF001
    if "deaf" in how:
        Renewal._hear = lambda _: None  # noqa: SLF001
    with JobManager(
        plugins=PLUGINS, discover=False, store=url, executor="pooled", settings=json.loads(settings)
    ) as manager:

        def start(name, entry, params, count=1):
            flow = getattr(ticking, name)()
            return [manager.start_job(flow, entry, params).job_id for _ in range(count)]

        def running():
            return len(manager.running_jobs)

        say(manager.keeping.owner)
        for line in sys.stdin:
            name, *given = json.loads(line)
            say({"start": start, "running": running}.get(name, getattr(manager, name, None))(*given))
        manager.shutdown(wait=False)


def say(what):
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
