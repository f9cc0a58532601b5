"""Each rule of the house as a function: from sources to what breaks it, in words."""

import ast
import sys
from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter
from statistics import median

from tests.architecture.source import Import, Source

CORE = "routilux_core"
PLUGINS = "routilux_plugins"
OWN = (CORE, PLUGINS)
FOUNDATIONS = {"attr", "attrs", "cattr", "cattrs", "pluggy"}
GUESTS = {("pytest", f"{CORE}.testing.fixtures"), ("orjson", f"{CORE}.plain_bytes")}
"""What pytest alone imports, and what is used where it is installed."""
NAMELESS = {"base", "common", "helper", "helpers", "misc", "util", "utils"}
# Kinds whose every file is a plugin of its own; of the other kinds (cli, web, pictures) the folder is one.
ONE_PLUGIN_A_FILE = {"executors", "monitors", "routines", "stores"}
MEDIAN_LINES = 130
MOST_LINES = 300
VOCABULARIES = {"routilux_core", "routilux_core.facts", "routilux_core.apply"}
"""One short entry for each public name or kind of fact, and nothing else: they grow with the vocabulary."""
MOST_CLASS_LINES = 200


def cycles(modules: Iterable[Source]) -> list[str]:
    """No module imports itself by way of others, late imports included."""
    known = {module.name: module for module in modules}
    graph = {name: set(_targets(module, known)) for name, module in known.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return [" imports ".join(reversed(error.args[1]))]
    return []


COSTLY = {
    f"{CORE}.{name}"
    for name in (
        *("description", "job_document", "snapshot"),
        *("job_summary", "keeping", "obeying", "recovery", "register", "stores"),
    )
}
"""What few programs need, and all would pay for at the start. Its floor holds all the same."""


def late_imports(modules: Iterable[Source]) -> list[str]:
    """No module of ours is imported inside a function, but costly ones, and a plugin's own by its entry."""
    return [
        f"{module.name}:{found.line} imports {found.module} inside a function"
        for module in modules
        for found in module.imports
        if found.deferred and found.top in OWN and found.module not in COSTLY
        if not (module.name.startswith(PLUGINS) and found.module.startswith(f"{module.name}."))
    ]


def strangers(modules: Iterable[Source]) -> list[str]:
    """The core imports its three foundations, the standard library and itself, nothing else."""
    allowed = FOUNDATIONS | sys.stdlib_module_names | {CORE}
    return [
        f"{module.name}:{found.line} imports {found.module}"
        for module in modules
        for found in module.imports
        if found.top not in allowed and (found.top, module.name) not in GUESTS
    ]


def named_plugins(modules: Iterable[Source], names: Iterable[str]) -> list[str]:
    """The core's code has no string that is the name of a plugin or of the plugins' package."""
    taken = {*names, PLUGINS}
    return [
        f"{module.name}:{node.lineno} names {node.value!r}"
        for module in modules
        for node in _strings(module.tree)
        if node.value in taken or node.value.startswith(f"{PLUGINS}.")
    ]


def homeless(modules: Iterable[Source], floors: tuple[str, ...]) -> list[str]:
    """Each module of the core has its place in the list of floors."""
    rooms = {room for module in modules if (room := _room(module.name))}
    return sorted(f"{CORE}.{room} stands on no floor" for room in rooms - set(floors))


def climbers(modules: Iterable[Source], floors: tuple[str, ...]) -> list[str]:
    """A module of the core imports only what stands below it."""
    height = {room: number for number, room in enumerate(floors)}
    found_above = {
        f"{module.name}:{found.line} imports {CORE}.{room}, which stands above it"
        for module in modules
        if (own := _room(module.name)) in height
        for found in module.imports
        if not found.for_typing and found.top == CORE
        for room in _rooms(found, height)
        if height[room] > height[own]
    }
    return sorted(found_above)


def front_door(modules: Iterable[Source]) -> list[str]:
    """Inside the core, names come from their own module; the package itself is for users and for testing/."""
    return [
        f"{module.name}:{found.line} imports {found.name or CORE} from the package itself"
        for module in modules
        if _room(module.name) not in {"", "testing"}
        for found in module.imports
        if found.module == CORE and found.name not in {_room(other.name) for other in modules}
    ]


def neighbours(modules: Iterable[Source]) -> list[str]:
    """No plugin imports another plugin."""
    return [
        f"{module.name}:{found.line} imports {found.module}"
        for module in modules
        for found in module.imports
        if found.top == PLUGINS and _plugin(_whole(found, modules)) != _plugin(module.name)
    ]


def back_doors(modules: Iterable[Source], public: Iterable[str]) -> list[str]:
    """Plugins import the public names of the core and its test kit, nothing behind them."""
    kit = f"{CORE}.testing"
    return [
        f"{module.name}:{found.line} imports {found.name or 'all'} from {found.module}"
        for module in modules
        for found in module.imports
        if found.top == CORE and not found.for_typing
        if not f"{found.module}.".startswith(f"{kit}.")
        if found.module != CORE or found.name not in {*public, "testing"}
    ]


def nameless(modules: Iterable[Source]) -> list[str]:
    """A file or folder is named for its noun."""
    return [module.name for module in modules if NAMELESS & set(module.name.split("."))]


def big_files(modules: Iterable[Source]) -> list[str]:
    """No file has more lines than one noun needs."""
    return [
        f"{module.name} has {module.lines} lines"
        for module in modules
        if module.lines > MOST_LINES and module.name not in VOCABULARIES
    ]


def big_classes(modules: Iterable[Source]) -> list[str]:
    """No class has more lines than can be read in one go."""
    return [
        f"{module.name}.{node.name} has {lines} lines"
        for module in modules
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef)
        and (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > MOST_CLASS_LINES
    ]


def big_median(modules: Iterable[Source]) -> list[str]:
    """Half of the files are short."""
    middle = median(module.lines for module in modules)
    return [f"the median file has {middle:.0f} lines"] if middle > MEDIAN_LINES else []


def _targets(module: Source, known: dict[str, Source]) -> Iterator[str]:
    for found in module.imports:
        if found.for_typing:
            continue
        whole = f"{found.module}.{found.name}"
        if whole in known:
            yield whole
        elif found.module in known:
            yield found.module


def _whole(found: Import, modules: Iterable[Source]) -> str:
    whole = f"{found.module}.{found.name}"
    return whole if any(module.name == whole for module in modules) else found.module


def _room(name: str) -> str:
    parts = name.split(".")
    return parts[1] if parts[0] == CORE and len(parts) > 1 else ""


def _rooms(found: Import, height: dict[str, int]) -> list[str]:
    candidates = [_room(found.module)] if found.module != CORE else [found.name or ""]
    return [room for room in candidates if room in height]


def _plugin(name: str) -> str:
    parts = name.split(".")
    return ".".join(parts[: 3 if parts[1:2] and parts[1] in ONE_PLUGIN_A_FILE else 2])


def _strings(tree: ast.Module) -> Iterator[ast.Constant]:
    prose = {id(statement.value) for statement in ast.walk(tree) if isinstance(statement, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield node
