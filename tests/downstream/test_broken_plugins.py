"""Broken plugins, really installed: each is named with package, version and reason, and the rest works."""

import pytest

pytestmark = pytest.mark.slow

HOOK = "from routilux_core import hookimpl\n\n\n@hookimpl\n"
NAMED_TWICE = HOOK + "def on_fact(fact):\n    pass\n"

BROKEN = {
    "failing_import": ("from attrs import no_such_name\n", "ImportError: cannot import name 'no_such_name'"),
    "wrong_syntax": ("def register_components(:\n", "SyntaxError: invalid syntax"),
    "leaving": ("import sys\nsys.exit('no licence')\n", "SystemExit: it called sys.exit('no licence')"),
    "other_version": (
        "routilux_api = '9.0'\n" + HOOK + "def on_fact(fact):\n    pass\n",
        "it needs plugin API 9.0, and this is 1.0",
    ),
    "second_sequential": (
        HOOK + "def register_components(registrar):\n    registrar.executor('sequential', object)\n",
        "plugin 'sequential' of routilux-core",
    ),
    "lacking": (
        "import tariff_tables\n",
        "it needs the module 'tariff_tables', which is not installed; pip install tariff-tables",
    ),
    "raising": (
        HOOK + "def register_components(registrar):\n    raise OSError('no disk')\n",
        "OSError: no disk",
    ),
    "misspelt": (HOOK + "def on_facts(fact):\n    pass\n", "did you mean 'on_fact'?"),
    "a_class": ("class Plugin:\n    pass\n", "it is the class 'Plugin'; name an object of it"),
    "no_module": (None, "there is no module 'no_module'; install the package again"),
    "no_object": ("plugin = None\n", "module 'no_object' has no 'plugins.first'; mend its entry point"),
    "no_plugin": ("def on_fact(fact):\n    pass\n", "it has no hooks; mark 'on_fact' with @hookimpl"),
}
VALUES = {"a_class": "a_class:Plugin", "no_object": "no_object:plugins.first"}
REQUIRES = {"lacking": ("tariff-tables>=3",)}
SHARED = ("first-of-two", "second-of-two")
SLOW = "import time\ntime.sleep(1.1)\n" + HOOK + "def on_fact(fact):\n    pass\n"
NOISY = HOOK + "def on_fact(fact):\n    raise OSError('no disk')\n"
GOOD = """
from routilux_core import Routine, hookimpl
from routilux_plugins.executors.sequential import Sequential

class Double(Routine):
    def __init__(self):
        super().__init__()
        self.define_slot("trigger", self.double)
        self.define_event("output", ["value"])

    def double(self, value):
        self.emit("output", value=2 * value)

@hookimpl
def register_components(registrar):
    registrar.executor("good", Sequential)
    registrar.routine("good.double", Double)
"""

PROGRAM = """
import json, logging, sys, warnings
from routilux_core import Flow, JobManager, PluginWarning, RoutiluxError

logs = []
handler = logging.Handler()
handler.emit = lambda record: logs.append(record.getMessage())
logging.getLogger("routilux").addHandler(handler)

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    manager = JobManager()
flow = Flow("flow")
flow.add_routine(manager.registry.create("good.double"), "double")
said = {
    "warnings": [str(one.message) for one in caught if one.category is PluginWarning],
    "others": [str(one.message) for one in caught if one.category is not PluginWarning],
    "plugins": {
        f"{one.distribution}:{one.name}":
            [str(one.status), one.distribution, one.version, one.reason, one.seconds]
        for one in manager.plugins
    },
    "results": [
        manager.execute(flow, "double", {"value": 4}, executor=executor).results["double.output"]
        for executor in ("sequential", "good")
    ],
    "logs": logs,
    "chosen": {},
    "missing": {},
}
for name in sys.argv[1:]:
    try:
        manager.executor(name)
    except RoutiluxError as error:
        said["missing"][name] = str(error)
    try:
        JobManager(plugins=["sequential", name], discover=False)
    except RoutiluxError as error:
        said["chosen"][name] = [type(error).__name__, str(error)]
with JobManager(plugins=["first-of-two:shared"], discover=False) as one:
    said["addressed"] = [plugin.distribution for plugin in one.plugins]
with JobManager(settings={"disabled": ["first-of-two:shared", *sys.argv[1:-1]]}) as other:
    shared = [plugin for plugin in other.plugins if plugin.name == "shared"]
    said["left"] = [plugin.distribution for plugin in shared if plugin.status == "loaded"]
print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def said(environment, wheel):
    """What a program says in an environment where all of them are installed."""
    wheels = [
        wheel(
            f"{name.replace('_', '-')}-plugin",
            {} if code is None else {f"{name}.py": code},
            version="1.5",
            plugins={name: VALUES.get(name, name)},
            requires=REQUIRES.get(name, ()),
        )
        for name, (code, _) in BROKEN.items()
    ]
    for name in SHARED:
        module = name.replace("-", "_")
        wheels.append(wheel(name, {f"{module}.py": NAMED_TWICE}, plugins={"shared": module}))
    for name, code in (("slow", SLOW), ("noisy", NOISY), ("good", GOOD)):
        wheels.append(wheel(name, {f"{name}_plugin.py": code}, plugins={name: f"{name}_plugin"}))
    environment.install(*wheels)
    return environment.tell(PROGRAM, *BROKEN, "shared")


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_plugin_is_left_out_and_named(said, name):
    package = f"{name.replace('_', '-')}-plugin"
    status, distribution, version, reason, _ = said["plugins"][f"{package}:{name}"]
    assert (status, distribution, version) == ("failed", package, "1.5")
    assert BROKEN[name][1] in reason
    head = f"plugin {name!r} of {package} 1.5 ({VALUES.get(name, name)}) was left out: {reason}"
    assert [text for text in said["warnings"] if f"plugin {name!r} of" in text] == [head]


@pytest.mark.parametrize("name", [*BROKEN, "shared"])
def test_a_broken_plugin_that_is_chosen_by_name_is_an_error(said, name):
    kind, text = said["chosen"][name]
    assert kind == "PluginError"
    assert (BROKEN[name][1] if name in BROKEN else "neither is used") in text


@pytest.mark.parametrize("name", BROKEN)
def test_a_component_of_a_broken_plugin_is_missing_for_that_reason(said, name):
    assert BROKEN[name][1] in said["missing"][name]


def test_two_packages_with_one_name_are_both_named_and_neither_is_used(said):
    for name, other in (SHARED, SHARED[::-1]):
        status, _, version, reason, _ = said["plugins"][f"{name}:shared"]
        assert (status, version) == ("failed", "1.0")
        assert f"{other} 1.0 ({other.replace('-', '_')}) has the same name, so neither is used" in reason


def test_one_of_two_with_one_name_can_be_told_from_the_other(said):
    assert said["addressed"] == ["first-of-two"]
    assert said["left"] == ["second-of-two"]


def test_a_plugin_that_takes_seconds_to_import_works_and_is_named_with_its_time(said):
    status, *_, seconds = said["plugins"]["slow:slow"]
    assert status == "loaded"
    assert seconds > 1
    (text,) = [one for one in said["warnings"] if "'slow'" in one]
    assert text.startswith("plugin 'slow' of slow 1.0 (slow_plugin) took 1.")


def test_a_hook_that_raises_in_a_job_is_logged_with_the_plugin(said):
    assert any("'noisy'" in line for line in said["logs"])


def test_the_rest_works(said):
    assert said["results"] == [[{"value": 8}]] * 2
    loaded = [name for name, (status, *_) in said["plugins"].items() if status == "loaded"]
    assert {"routilux-core:sequential", "good:good", "slow:slow", "noisy:noisy"} <= set(loaded)


def test_there_is_no_other_warning(said):
    """The control: each warning is one of those that are wanted."""
    assert said["others"] == []
    assert len(said["warnings"]) == len(BROKEN) + len(SHARED) + len(["slow"])
