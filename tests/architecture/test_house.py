"""The rules of the house hold for every module that stands in it."""

import subprocess
import sys
from importlib import import_module
from inspect import getdoc

import pytest

from tests.architecture import rules
from tests.architecture.source import PACKAGES, ROOT, entry_points, floors, sources

# Plugins to come: the core does not name one before it exists either.
EXECUTORS = {"sequential", "threaded", "pooled", "asyncio", "dask", "ray"}
OTHERS = {"sqlite", "postgres", "redis", "jsonl", "prometheus", "opentelemetry"}


def core():
    return sources("routilux_core")


def plugins():
    return sources("routilux_plugins")


def public_names():
    return tuple(import_module("routilux_core").__all__)


def test_the_core_has_no_import_cycle():
    assert rules.cycles(core()) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_no_module_of_ours_is_imported_inside_a_function(package):
    assert rules.late_imports(sources(package)) == []


def test_the_core_stands_on_its_three_foundations():
    assert rules.strangers(core()) == []


def test_the_core_names_no_plugin():
    assert rules.named_plugins(core(), EXECUTORS | OTHERS | set(entry_points())) == []


def test_every_module_of_the_core_has_a_floor():
    assert rules.homeless(core(), floors()) == []


def test_no_module_stands_on_two_floors():
    assert len(set(floors())) == len(floors())


def test_imports_go_down():
    assert rules.climbers(core(), floors()) == []


def test_the_core_takes_names_from_their_own_module():
    assert rules.front_door(core()) == []


def test_no_plugin_imports_another():
    assert rules.neighbours(plugins()) == []


def test_plugins_use_public_names():
    assert rules.back_doors(plugins(), public_names()) == []


@pytest.mark.parametrize("name", sorted(entry_points()))
def test_an_entry_point_names_a_module_of_ours(name):
    assert entry_points()[name] in {module.name for module in plugins()}


def test_every_plugin_module_has_an_entry_point():
    kinds = {"executors", "monitors", "stores"}
    found = {  # a file of a folder belongs to the plugin that the folder is
        ".".join(module.name.split(".")[:3])
        for module in plugins()
        if module.name.count(".") > 1 and module.name.split(".")[1] in kinds
    }
    assert found <= set(entry_points().values())


@pytest.mark.parametrize("package", [*PACKAGES, "tests"])
def test_files_are_named_for_their_noun(package):
    assert rules.nameless(sources(package)) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_files_are_short(package):
    assert rules.big_files(sources(package)) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_the_median_file_is_short(package):
    assert rules.big_median(sources(package)) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_classes_are_short(package):
    assert rules.big_classes(sources(package)) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_say_that_they_are_typed(package):
    assert (ROOT / package / "py.typed").is_file()


def test_public_names_are_documented():
    package = import_module("routilux_core")
    things = {name: getattr(package, name) for name in package.__all__}
    undocumented = [name for name, thing in things.items() if not _doc(thing)]
    assert undocumented == []


def test_importing_the_core_leaves_asyncio_alone():
    code = "import sys, routilux_core; print(*sorted({'asyncio', 'routilux_plugins'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.split() == []


def _doc(thing):
    """The thing's own words: not what a class has from its base, nor a value from a built-in type."""
    if isinstance(thing, type):
        return thing.__dict__.get("__doc__")
    return getdoc(thing) if type(thing).__module__ != "builtins" or callable(thing) else None
