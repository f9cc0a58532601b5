"""The reference pages are what the docstrings say now, and name everything that is public."""

import importlib.util
import re
from types import ModuleType

import pytest

import routilux_core
from routilux_core import Routine
from tests.architecture.source import ROOT

REFERENCE = ROOT / "docs" / "reference"


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_reference", REFERENCE / "make.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def stale(made: dict[str, str]) -> list[str]:
    on_disk = {path.name: path.read_text("utf-8") for path in REFERENCE.glob("*.md")}
    return sorted(name for name in made | on_disk if made.get(name) != on_disk.get(name))


def test_the_pages_are_fresh():
    assert stale(script().pages()) == [], "run: python docs/reference/make.py"


def test_a_changed_docstring_makes_its_page_stale(monkeypatch):
    """The control: pages made of other docstrings are not those that are there."""
    monkeypatch.setattr(Routine, "__doc__", "Something else.")

    assert "definitions.md" in stale(script().pages())


def test_each_public_name_stands_on_one_page():
    headings = [
        name
        for page in REFERENCE.glob("*.md")
        for name in re.findall(r"^## `(\w+)`$", page.read_text("utf-8"), re.MULTILINE)
    ]

    assert sorted(set(headings) & set(routilux_core.__all__)) == sorted(routilux_core.__all__)
    assert len(headings) == len(set(headings))


def test_a_public_name_without_a_page_is_an_error(monkeypatch):
    monkeypatch.setattr(routilux_core, "__all__", [*routilux_core.__all__, "ROOT"])
    monkeypatch.setattr(routilux_core, "ROOT", ROOT, raising=False)

    with pytest.raises(KeyError, match=r"pathlib|_local"):
        script().pages()


@pytest.mark.parametrize("line", ["Called", "Returns", "Raises", "Cost"])
def test_each_hook_says_its_four_lines(line):
    hooks = (REFERENCE / "hooks.md").read_text("utf-8")

    assert hooks.count(f"\n- **{line}**: ") == hooks.count("\n## `") == 9


def test_each_hook_is_followed_by_a_whole_plugin():
    """The blocks of the page run with those of all others, and each by itself as an example."""
    hooks = (REFERENCE / "hooks.md").read_text("utf-8")
    _, *parts = re.split(r"\n## `(\w+)`\n", hooks)

    for name, text in zip(parts[::2], parts[1::2], strict=True):
        (code,) = re.findall(r"(?s)```python\n(.*?)```", text)
        assert f"    @hookimpl\n    def {name}(self" in code
        assert "JobManager(plugins=[" in code


def test_a_how_to_shows_each_hook():
    page = (ROOT / "docs" / "how-to" / "write-a-plugin.md").read_text("utf-8")
    hooks = (REFERENCE / "hooks.md").read_text("utf-8")

    assert [name for name in re.findall(r"\n## `(\w+)`", hooks) if f"    def {name}(" not in page] == []


def test_the_index_leads_to_every_page():
    index = (ROOT / "docs" / "index.md").read_text("utf-8")
    pages = [str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").glob("*/*.md")]

    assert [page for page in pages if not page.startswith("changes/") and f"({page})" not in index] == []
