"""Third-party routines and a third-party executor: installed, used by name and by config, removed again."""

import pytest

pytestmark = pytest.mark.slow

ROUTINES = '''
"""Routines of a shop."""

from attrs import define

from routilux_core import Event, Flow, Routine, hookimpl, slot


class Discount(Routine):
    """Take something off a price."""

    output = Event(price=int)

    @define
    class Config:
        percent: int = 10
        """How much."""

    @slot
    def trigger(self, price: int):
        self.emit("output", price=price * (100 - self.get_config("percent")) // 100)


def sale():
    flow = Flow("sale")
    flow.add_routine(Discount(percent=50), "half")
    return flow


@hookimpl
def register_components(registrar):
    registrar.routine("shop.discount", Discount)
    registrar.flow("sale", sale)
'''

EXECUTOR = '''
"""Two threads for all."""

from queue import SimpleQueue
from threading import Thread
from typing import ClassVar

from attrs import frozen

from routilux_core import Executor, Lane, Traits, hookimpl


@frozen(kw_only=True)
class PairSettings:
    prefix: str = "pair"
    """What its threads are named."""


class PairLane(Lane):
    def __init__(self, queue, job):
        self.queue, self.job = queue, job

    def wake(self, count):
        for _ in range(count):
            self.queue.put(self.job)


class Pair(Executor):
    traits: ClassVar[Traits] = Traits(concurrent=True)

    def __init__(self, settings):
        self.queue = SimpleQueue()
        self.threads = [Thread(target=self.work, name=f"{settings.prefix}-{n}", daemon=True) for n in (1, 2)]

    def start(self):
        for thread in self.threads:
            thread.start()

    def open(self, job):
        return PairLane(self.queue, job)

    def work(self):
        while (job := self.queue.get()) is not None:
            activation = job.take()
            while activation is not None:
                activation = job.finish(activation, job.run(activation))

    def stop(self, timeout=None):
        for _ in self.threads:
            self.queue.put(None)
        for thread in self.threads:
            thread.join(timeout)


@hookimpl
def register_components(registrar):
    registrar.executor("pair", Pair, settings=PairSettings)
'''

USE = """
import json, sys, threading
from routilux_core import Flow, JobManager, routine

@routine
def where(price):
    return {"price": price, "thread": threading.current_thread().name}

with JobManager() as manager:
    registry = manager.registry
    flow = Flow("checkout")
    flow.add_routine(registry.create("shop.discount", percent=25), "discount")
    flow.add_routine(where(), "where")
    flow.connect("discount.output", "where.trigger")
    ((paid,),) = flow.execute("discount", {"price": 100}).results.values()
    found = registry.describe("shop.discount")
    flow = Flow("saved")
    flow.add_routine(registry.create("shop.discount", percent=25), "discount")
    flow.save("checkout.json")
    loaded = Flow.load("checkout.json").execute("discount", {"price": 200})
    print(json.dumps({
        "paid": paid,
        "loaded": loaded.results["discount.output"],
        "sale": manager.execute("sale", "half", {"price": 100}).results["half.output"],
        "names": [registry.names(), registry.names("flow"), registry.names("executor")],
        "package": [found.package, found.version, str(found)],
        "executor": str(registry.describe("pair", "executor")),
    }))
"""

MISS = """
import json
from routilux_core import Flow, JobManager, RoutiluxError, routine

@routine
def keep(n):
    return {"n": n}

def said(function, *arguments, **options):
    try:
        return str(function(*arguments, **options))
    except RoutiluxError as error:
        return f"{type(error).__name__}: {error}"

def run():
    flow = Flow()
    flow.add_routine(keep(), "keep")
    JobManager().execute(flow, "keep", {"n": 1})

configured, document = said(run), said(Flow.load, "checkout.json")
with JobManager(executor="sequential", settings={"executors": {}}) as manager:
    print(json.dumps({
        "configured": configured,
        "document": document,
        "routine": said(manager.registry.create, "shop.discount"),
        "flow": said(manager.start_job, "sale", "half"),
        "executor": said(manager.executor, "pair"),
    }))
"""

CONFIG = """
executor = "pair"
requires = ["shop-routines", "pair-executor"]

[executors.pair]
prefix = "till"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("work")
    (made / "routilux.toml").write_text(CONFIG)
    return made


@pytest.fixture(scope="module")
def used(environment, wheel, folder):
    """What a program says while both packages are installed."""
    routines = wheel("shop-routines", {"shop/__init__.py": ROUTINES}, version="2.1", plugins={"shop": "shop"})
    executor = wheel("pair-executor", {"pair.py": EXECUTOR}, plugins={"pair": "pair"})
    environment.install(routines, executor)
    return environment.tell(USE, folder=folder)


@pytest.fixture(scope="module")
def missed(environment, used, folder):
    """What a program says when both are gone again."""
    environment.remove("shop-routines", "pair-executor")
    return environment.tell(MISS, folder=folder)


def test_both_are_used_by_name_and_by_config(used):
    assert used["paid"]["price"] == 75
    assert used["paid"]["thread"] in {"till-1", "till-2"}
    routines, flows, executors = used["names"]
    assert "shop.discount" in routines
    assert flows == ["sale"]
    assert {"pair", "sequential"} <= set(executors)


def test_a_flow_of_theirs_is_started_by_name(used):
    assert used["sale"] == [{"price": 50}]


def test_a_saved_flow_has_theirs_by_name(used):
    assert used["loaded"] == [{"price": 150}]


def test_both_are_described_with_their_package(used):
    package, version, text = used["package"]
    assert (package, version) == ("shop-routines", "2.1")
    assert text.splitlines() == [
        "routine shop.discount (shop-routines 2.1): Take something off a price.",
        "  slots: trigger(price: int)",
        "  events: output(price: int)",
        "  config: percent: int = 10; How much.",
    ]
    assert "config: prefix: str = 'pair'; What its threads are named." in used["executor"]


@pytest.mark.parametrize(
    ("kind", "name"), [("routine", "shop.discount"), ("flow", "sale"), ("executor", "pair")]
)
def test_what_is_gone_is_named_with_what_to_install(missed, kind, name):
    assert missed[kind].startswith(f"MissingComponent: no {kind} named {name!r}; installed: ")
    assert "pip install shop-routines pair-executor" in missed[kind]


def test_a_job_whose_configured_executor_is_gone_says_what_to_install(missed):
    assert missed["configured"].startswith("MissingComponent: no executor named 'pair'; installed: ")
    assert "pip install shop-routines pair-executor" in missed["configured"]


def test_a_saved_flow_whose_routine_is_gone_says_what_to_install(missed):
    assert "shop.discount" in missed["document"]
    assert "pip install 'shop-routines==2.1'" in missed["document"]
