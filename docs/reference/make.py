"""Make the reference pages from the docstrings: `python docs/reference/make.py`."""  # noqa: INP001 - a script

import ast
import inspect
import re
import textwrap
import tomllib
from collections.abc import Iterator
from enum import Enum
from pathlib import Path

from attrs import has

import routilux_core
from routilux_core import Fact, hookspecs, testing

NOTE = "Made from the docstrings by `python docs/reference/make.py`. Import names from `{}`."
HERE = Path(__file__).parent
TABLES = tomllib.loads((HERE / "pages.toml").read_text("utf-8"))
NOTES, SHOWN, INNER, HOOKS = TABLES["notes"], TABLES["shown"], TABLES["hidden"], TABLES["hooks"]["opening"]


class Raw(str):
    """Text that shows itself without quotes."""

    __slots__ = ()
    __repr__ = str.__str__


def signature(name: str, function: object) -> str:
    """Return how `function` is called, one parameter a line where it is long."""
    found = inspect.signature(function)  # type: ignore[arg-type]
    parameters = [one for one in found.parameters.values() if one.name != "self"]
    shown = [one.replace(annotation=_raw(one.annotation)) for one in parameters]
    text = name + str(found.replace(parameters=shown, return_annotation=_raw(found.return_annotation)))
    text = re.sub(r"<class '(\w+)'>|<[\w.]+: ('\w+')>", r"\1\2", text).removesuffix(" -> None")
    if len(text) > 100:  # noqa: PLR2004 - what fits into a line
        text = re.sub(r", (?![^\[]*\])", ",\n    ", re.sub(r"\((.*)\)", r"(\n    \1,\n)", text))
    return f"```text\n{text}\n```"


def _raw(annotation: object) -> object:
    return Raw(annotation) if isinstance(annotation, str) else annotation


def prose(text: str | None) -> str:
    """Return a docstring as Markdown: its examples as blocks, the four lines of a hook as a list."""
    doc = re.sub(r"(?m)^(Called|Returns|Raises|Cost): ", r"- **\1**: ", inspect.cleandoc(text or ""))
    return re.sub(r"(?ms)^>>> .*?(?=\n\n|\Z)", _example, doc)


def _example(found: re.Match[str]) -> str:
    opening = ""
    for package in (routilux_core, testing):
        used = [name for name in package.__all__ if re.search(rf"(?<![\w.\"]){name}\b(?!=)", found[0])]
        new = [name for name in used if not re.search(rf"import .*\b{name}\b|(def|class) {name}\b", found[0])]
        opening += f">>> from {package.__name__} import {', '.join(new)}\n" if new else ""
    return f"```python\n{opening}{found[0]}\n```"


def fields(kind: type) -> Iterator[str]:
    """Give the annotated fields of a class, each with the text under it, or the members of an enum."""
    if issubclass(kind, Enum):
        yield from (f"- `{one.name}`: `{one.value!r}`" for one in kind)
    own = [one for one in reversed(kind.__mro__) if one.__module__.startswith("routilux_core.")]
    texts = [textwrap.dedent(inspect.getsource(one)) for one in own if one is kind or one is not Fact]
    body = [line for text in texts for line in (ast.Pass(), *ast.parse(text).body[0].body)]  # type: ignore[attr-defined]
    for one, following in zip(body, [*body[1:], None], strict=True):
        line = ast.unparse(one).partition(" = ")[0]
        inner = (
            kind.__name__ in SHOWN and not has(kind) and line.partition(":")[0] not in SHOWN[kind.__name__]
        )
        if isinstance(one, ast.AnnAssign) and not (inner or line.startswith("_") or "ClassVar" in line):
            yield f"- `{line}`" + (f". {following.value.value}" if isinstance(following, ast.Expr) else "")


def members(kind: type) -> Iterator[str]:
    """Give the section of each method and property."""
    own = [one for one in kind.__mro__ if one.__module__.startswith("routilux_core.")]
    found = {name: value for one in reversed(own) for name, value in vars(one).items()}
    for name in SHOWN.get(kind.__name__, found):
        value = found.get(name)
        if isinstance(value, property):
            yield f"### `{name}: {value.fget.__annotations__['return']}`\n\n{prose(value.__doc__)}"
        elif inspect.isfunction(value) and not name.startswith("_") and name not in INNER["methods"]:
            yield f"### `{name}`\n\n{signature(name, value)}\n\n{prose(value.__doc__)}"


def entry(name: str, thing: object) -> str:
    """Return the section of one public name."""
    parts = [NOTES.get(name) or prose(thing.__doc__)]
    if inspect.isfunction(thing):
        parts.insert(0, signature(name, thing))
    elif isinstance(thing, type):
        parts += ["\n".join(fields(thing)), *members(thing)]
        if issubclass(thing, Exception):
            parts.insert(1, f"A kind of {' and '.join(f'`{one.__name__}`' for one in thing.__bases__)}.")
        elif issubclass(thing, Fact):
            parts.insert(1, f"Monitors: `on_{thing.tag}`." if thing is not Fact else "")
        elif not (inspect.isabstract(thing) or issubclass(thing, Enum) or name in INNER["constructors"]):
            parts.insert(0, signature(name, thing))
    return "\n\n".join([f"## `{name}`", *filter(None, parts)])


def plugin(name: str) -> str:
    """Return the whole plugin that shows a hook."""
    text = (HERE.parent / "examples" / "hooks" / f"{name}.py").read_text("utf-8")
    return f"A whole plugin, and how it is used:\n\n```python\n{text}```"


def pages() -> dict[str, str]:
    """Return the text of each page, by its name; a public name that belongs to none is an error."""
    homes = {module: page for page, (_, *modules) in TABLES["pages"].items() for module in modules}
    found = {page: [f"# {title}"] for page, (title, *_) in TABLES["pages"].items()}
    for page, parts in found.items():
        parts.append(NOTE.format("routilux_core.testing" if page == "testing" else "routilux_core"))
    for package in (routilux_core, testing):
        for name in package.__all__:
            thing = getattr(package, name)
            module = "markers" if name in NOTES else thing.__module__.removeprefix("routilux_core.")
            found[homes[module]].append(entry(name, thing))
    hooks = [(name, hook) for name, hook in vars(hookspecs).items() if hasattr(hook, "routilux_spec")]
    found["hooks"] += [prose(HOOKS), *(f"{entry(name, hook)}\n\n{plugin(name)}" for name, hook in hooks)]
    return {f"{page}.md": "\n\n".join(parts) + "\n" for page, parts in found.items()}


if __name__ == "__main__":
    for path, text in pages().items():
        (HERE / path).write_text(text, "utf-8")
