"""What every executor refuses: wrong or misspelt options, wherever they come from; jobs after its stop."""

import json

import pytest

from routilux_core import Flow, InvalidOption, JobManager, JobState, ManagerClosed, UnknownComponent
from routilux_plugins.executors import aio, pooled, process, sequential, threaded
from routilux_plugins.executors.aio.executor import Asyncio
from routilux_plugins.executors.process.executor import Process
from tests.reliability import toil

PLUGINS = [aio, pooled, process, sequential, threaded]
NAMES = ["threaded", "pooled", "concurrent", "process", "asyncio"]


def give_by_argument(folder, environment, name, option, value):
    JobManager(plugins=PLUGINS, settings={"executors": {name: {option: value}}})


def give_by_environment(folder, environment, name, option, value):
    environment.setenv(f"ROUTILUX_EXECUTORS__{name.upper()}__{option.upper()}", str(value))
    JobManager(plugins=PLUGINS)


def give_by_file(folder, environment, name, option, value):
    text = f"[executors.{name}]\n{option} = {json.dumps(value)}\n"
    (folder / "routilux.toml").write_text(text, encoding="utf-8")
    JobManager(plugins=PLUGINS)


WAYS = {
    "executors.": give_by_argument,
    "ROUTILUX_EXECUTORS__": give_by_environment,
    "routilux.toml": give_by_file,
}


@pytest.fixture
def said(tmp_path, monkeypatch):
    """Return what is said against an option that was given in one of the ways."""
    monkeypatch.chdir(tmp_path)

    def say(way, name, option, value):
        with pytest.raises((InvalidOption, UnknownComponent)) as caught:
            WAYS[way](tmp_path, monkeypatch, name, option, value)
        assert way in str(caught.value) or isinstance(caught.value, UnknownComponent)
        return str(caught.value)

    return say


@pytest.mark.parametrize(
    ("way", "value"),
    [
        ("executors.", -1),
        ("ROUTILUX_EXECUTORS__", 0),
        ("ROUTILUX_EXECUTORS__", "many"),
        ("routilux.toml", True),
        ("routilux.toml", "5"),
        ("routilux.toml", 0),
    ],
)
@pytest.mark.parametrize("name", NAMES)
def test_numbers_that_make_no_sense(said, way, name, value):
    text = said(way, name, "max_workers", value)
    assert "it takes a whole number" in text


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", NAMES)
def test_misspelt_options(said, way, name):
    assert said(way, name, "max_worker", 2).endswith("; did you mean 'max_workers'?")


@pytest.mark.parametrize("way", WAYS)
def test_an_executor_without_options(said, way):
    assert said(way, "sequential", "max_workers", 2).endswith("has no 'max_workers'; it has: nothing")


@pytest.mark.parametrize("way", WAYS)
def test_a_misspelt_executor(said, way):
    assert said(way, "poold", "max_workers", 2).endswith("did you mean 'pooled'?")


def test_zero_workers_for_all_pools(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "routilux.toml").write_text("max_workers = 0\n", encoding="utf-8")
    with pytest.raises(InvalidOption, match="max_workers cannot be 0"):
        JobManager(plugins=PLUGINS)


@pytest.mark.parametrize(
    "plugin", [Asyncio, pooled.Pooled, Process, sequential.Sequential, threaded.Threaded]
)
def test_an_executor_takes_no_jobs_after_its_stop(plugin):
    executor = plugin()
    flow = Flow("late")
    flow.add_routine(toil.forward(), "a")
    with JobManager(executor=executor, discover=False) as manager:
        assert manager.execute(flow, "a", {"n": 1}).status == "completed"
        executor.stop()
        executor.stop()
        state = JobState()
        with pytest.raises(ManagerClosed, match="executor"):
            manager.execute(flow, "a", {"n": 1}, job_state=state)
        assert (manager.running_jobs, state.status) == ([], "pending")
