"""The project's modules as source: their trees, and what each one imports and where."""

import ast
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from attrs import field, frozen

ROOT = Path(__file__).parents[2]
PACKAGES = ("routilux_core", "routilux_plugins")


@frozen
class Import:
    """One name that a module imports: `from a import b` is `a` with name `b`."""

    module: str
    name: str | None
    line: int
    deferred: bool
    for_typing: bool

    @property
    def top(self) -> str:
        return self.module.partition(".")[0]


@frozen
class Source:
    """A module by its dotted name and its text."""

    name: str
    text: str = field(repr=False)
    is_package: bool = False

    @property
    def tree(self) -> ast.Module:
        return parse(self.text)

    @property
    def imports(self) -> tuple[Import, ...]:
        package = self.name if self.is_package else self.name.rpartition(".")[0]
        return tuple(_imports(self.tree, package, deferred=False, for_typing=False))

    @property
    def lines(self) -> int:
        return len(self.text.splitlines())


@cache
def parse(text: str) -> ast.Module:
    return ast.parse(text)


@cache
def sources(package: str) -> tuple[Source, ...]:
    """All modules of a package that stands in the project."""
    return tuple(_read(path) for path in sorted((ROOT / package).rglob("*.py")))


def _read(path: Path) -> Source:
    parts = path.relative_to(ROOT).with_suffix("").parts
    is_package = parts[-1] == "__init__"
    return Source(".".join(parts[:-1] if is_package else parts), path.read_text("utf-8"), is_package)


@cache
def settings() -> dict[str, dict]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def floors() -> tuple[str, ...]:
    """The core's modules from the ground up, as the import contract in pyproject.toml lists them."""
    contracts = settings()["tool"]["importlinter"]["contracts"]
    [house] = [contract for contract in contracts if contract["type"] == "layers"]
    return tuple(layer.strip("()") for layer in reversed(house["layers"]))


def entry_points() -> dict[str, str]:
    """Our own plugins: name to module."""
    return settings()["project"]["entry-points"]["routilux"]


def _imports(node: ast.AST, package: str, *, deferred: bool, for_typing: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        inside = deferred or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        match child:
            case ast.Import(names=names):
                for alias in names:
                    yield Import(alias.name, None, child.lineno, deferred, for_typing)
            case ast.ImportFrom(module=module, names=names, level=level):
                whole = _absolute(module or "", level, package)
                for alias in names:
                    yield Import(whole, alias.name, child.lineno, deferred, for_typing)
            case ast.If(test=test, body=body, orelse=rest) if _is_type_checking(test):
                yield from _imports(ast.Module(body, []), package, deferred=inside, for_typing=True)
                yield from _imports(ast.Module(rest, []), package, deferred=inside, for_typing=for_typing)
            case _:
                yield from _imports(child, package, deferred=inside, for_typing=for_typing)


def _absolute(module: str, level: int, package: str) -> str:
    if not level:
        return module
    parts = package.split(".")
    base = parts[: len(parts) - level + 1]
    return ".".join([*base, *([module] if module else [])])


def _is_type_checking(test: ast.expr) -> bool:
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )
