"""Each rule of the house finds what breaks it: a control for every test in test_house."""

from textwrap import dedent

import pytest

from tests.architecture import rules
from tests.architecture.source import Source

FLOORS = ("errors", "facts", "engine", "job")


def module(name, text="", *, is_package=False):
    return Source(name, dedent(text), is_package)


CORE = module("routilux_core", is_package=True)
LONG_CLASS = "class Long:\n" + "    x = 1\n" * 200
FOR_TYPING = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    "
PLANTED = {
    "a cycle of two": (
        rules.cycles,
        [
            module("routilux_core.job", "from routilux_core.engine import run"),
            module("routilux_core.engine", "import routilux_core.job"),
        ],
    ),
    "a cycle by a late import": (
        rules.cycles,
        [
            module("routilux_core.job", "from routilux_core import engine"),
            module("routilux_core.engine", "def run():\n    from . import job"),
        ],
    ),
    "a late import": (
        rules.late_imports,
        [module("routilux_core.job", "def run():\n    from routilux_core.engine import turn")],
    ),
    "a late import in a method of a nested class": (
        rules.late_imports,
        [
            module(
                "routilux_plugins.x", "class A:\n    class B:\n        def f(self): import routilux_core.job"
            )
        ],
    ),
    "a foreign library": (rules.strangers, [module("routilux_core.job", "import requests")]),
    "pytest beside the fixtures": (
        rules.strangers,
        [module("routilux_core.testing.recorder", "import pytest")],
    ),
    "a foreign library, for typing": (
        rules.strangers,
        [
            module(
                "routilux_core.job",
                "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import numpy as np",
            )
        ],
    ),
    "the plugins' package": (
        rules.strangers,
        [module("routilux_core.job", "from routilux_plugins.executors import sequential")],
    ),
    "a plugin's name": (
        lambda modules: rules.named_plugins(modules, ["pooled"]),
        [module("routilux_core.job", "def pick(name='pooled'): ...")],
    ),
    "the name of the plugins' package": (
        lambda modules: rules.named_plugins(modules, []),
        [module("routilux_core.job", "load('routilux_plugins.executors')")],
    ),
    "a module without a floor": (
        lambda modules: rules.homeless(modules, FLOORS),
        [CORE, module("routilux_core.job"), module("routilux_core.attic")],
    ),
    "an import from above": (
        lambda modules: rules.climbers(modules, FLOORS),
        [module("routilux_core.facts", "from routilux_core.engine import turn")],
    ),
    "an import from above by the package": (
        lambda modules: rules.climbers(modules, FLOORS),
        [module("routilux_core.facts", "from routilux_core import engine")],
    ),
    "a relative import from above": (
        lambda modules: rules.climbers(modules, FLOORS),
        [module("routilux_core.facts", "from .engine import turn")],
    ),
    "the front door": (
        rules.front_door,
        [module("routilux_core.job", "from routilux_core import Flow"), module("routilux_core.flow")],
    ),
    "a plugin of another kind": (
        rules.neighbours,
        [
            module("routilux_plugins.cli.run", "from routilux_plugins.stores.files import FileStore"),
            module("routilux_plugins.stores.files"),
        ],
    ),
    "a plugin of the same kind": (
        rules.neighbours,
        [
            module("routilux_plugins.executors.pooled", "from routilux_plugins.executors import threaded"),
            module("routilux_plugins.executors.threaded"),
        ],
    ),
    "a private name of the core": (
        lambda modules: rules.back_doors(modules, ["Flow"]),
        [module("routilux_plugins.executors.pooled", "from routilux_core import _secret")],
    ),
    "a module of the core": (
        lambda modules: rules.back_doors(modules, ["Flow"]),
        [module("routilux_plugins.executors.pooled", "from routilux_core.flow import Flow")],
    ),
    "a file without a noun": (rules.nameless, [module("routilux_core.utils")]),
    "a folder without a noun": (rules.nameless, [module("routilux_core.common.text")]),
    "a long file": (rules.big_files, [module("routilux_core.job", "x = 1\n" * 301)]),
    "a long class": (rules.big_classes, [module("routilux_core.job", LONG_CLASS)]),
    "long files": (
        rules.big_median,
        [module(f"routilux_core.m{number}", "x = 1\n" * lines) for number, lines in enumerate((9, 131, 200))],
    ),
}
ALLOWED = {
    "an import for annotations alone": (
        lambda modules: rules.climbers(modules, FLOORS) + rules.cycles(modules),
        [
            module("routilux_core.facts", FOR_TYPING + "from routilux_core.job import Job"),
            module("routilux_core.job", "from routilux_core.facts import Fact"),
        ],
    ),
    "a plugin's name in a docstring": (
        lambda modules: rules.named_plugins(modules, ["pooled"]),
        [module("routilux_core.job", "def run():\n    'pooled'")],
    ),
    "files of one command line": (
        rules.neighbours,
        [
            module("routilux_plugins.cli.run", "from routilux_plugins.cli.output import table"),
            module("routilux_plugins.cli.output"),
        ],
    ),
    "the test kit": (
        lambda modules: rules.back_doors(modules, ["Flow"]),
        [
            module(
                "routilux_plugins.x",
                "from routilux_core import Flow, testing\nimport routilux_core.testing.stubs",
            )
        ],
    ),
    "a late import of a heavy library": (
        rules.late_imports,
        [module("routilux_plugins.executors.ray", "def start():\n    import ray")],
    ),
    "a class of 200 lines": (
        rules.big_classes,
        [module("routilux_core.job", LONG_CLASS.rpartition("    x")[0])],
    ),
}


@pytest.mark.parametrize(("rule", "modules"), PLANTED.values(), ids=PLANTED)
def test_a_planted_fault_is_found(rule, modules):
    assert len(rule(modules)) == 1


@pytest.mark.parametrize(("rule", "modules"), ALLOWED.values(), ids=ALLOWED)
def test_what_is_allowed_is_left_alone(rule, modules):
    assert rule(modules) == []
