"""What it costs to find and load plugins, beyond what the standard library needs to list entry points."""

import compileall
import os
import subprocess
import sys
from importlib.metadata import entry_points

import pytest

from tests.architecture.source import ROOT

CEILING = 1.5
"""Milliseconds of CPU for each plugin."""

PROGRAM = """
from importlib.metadata import entry_points
from time import process_time
from routilux_core import JobManager

def spent(function):
    begin = process_time()
    made = function()
    return made, 1000 * (process_time() - begin)

def bare():
    JobManager(discover=False).shutdown()

bare()
entry_points(group="routilux")
_, listing = spent(lambda: entry_points(group="routilux"))
_, empty = spent(bare)
manager, whole = spent(JobManager)
manager.shutdown()
print(sum(plugin.status == "loaded" for plugin in manager.plugins), whole - listing - empty)
"""

PLUGIN = '''
"""A plugin as they are: an executor, a monitor, and what else a module has."""

from attrs import frozen

from routilux_core import Executor, Job, Lane, Routine, hookimpl


@frozen(kw_only=True)
class SomeSettings:
    size: int | None = None


class Some(Executor):
    def open(self, job: Job) -> Lane:
        raise NotImplementedError


class Double(Routine):
    pass


@hookimpl
def register_components(registrar):
    registrar.executor("some_{number}", Some, settings=SomeSettings)
    registrar.routine("some_{number}.double", Double)
'''


def cost(folder):
    """Return how many plugins a fresh process loads, and what each costs it in its best run.

    Other work on the machine only ever adds, so the first run below the ceiling is enough.
    """
    environment = os.environ | {"PYTHONPATH": str(folder)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # what is installed is compiled, and so is ours then
    command = [sys.executable, "-c", PROGRAM]
    found = []
    for _ in range(10):
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, check=True)
        count, spent = done.stdout.split()
        found.append(float(spent) / int(count))
        if found[-1] <= CEILING:
            break
    return int(count), min(found)


def install(folder, count, code=PLUGIN):
    """Put as many distributions of one plugin into a folder, compiled as an installer does it."""
    for number in range(count):
        name = f"some_{number}"
        (folder / f"{name}.py").write_text(code.replace("{number}", str(number)))
        info = folder / f"{name}-1.0.dist-info"
        info.mkdir()
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n\n{'Some words about it.' * 500}\n"
        (info / "METADATA").write_text(metadata)
        (info / "entry_points.txt").write_text(f"[routilux]\n{name} = {name}\n")
    compileall.compile_dir(folder, quiet=1)


@pytest.mark.speed
@pytest.mark.slow
def test_our_own_plugins_cost_little(tmp_path):
    count, each = cost(tmp_path)
    assert count == len(entry_points(group="routilux"))
    assert each <= CEILING


@pytest.mark.speed
@pytest.mark.slow
def test_fifty_installed_plugins_cost_little_each(tmp_path):
    install(tmp_path, 50)
    count, each = cost(tmp_path)
    assert count == 50 + len(entry_points(group="routilux"))
    assert each <= CEILING


@pytest.mark.speed
@pytest.mark.slow
def test_plugins_that_work_while_they_are_imported_are_found(tmp_path):
    """The control: four milliseconds of work in each module do not pass, though ours are counted too."""
    busy = "from time import process_time\nend = process_time() + 0.004\nwhile process_time() < end: pass\n"
    install(tmp_path, 10, busy + PLUGIN)
    _, each = cost(tmp_path)
    assert each > CEILING
