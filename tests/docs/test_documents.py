"""Every Python block in the README and the docs runs, and so does every example in a docstring."""

from pathlib import Path

import pytest
from sybil import Document, Sybil
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser
from sybil.parsers.rest import DocTestParser

from tests.architecture.source import PACKAGES, ROOT

PAGES = Sybil(parsers=[PythonCodeBlockParser(), SkipParser()])
DOCSTRINGS = Sybil(parsers=[DocTestParser()])


def read(path: Path) -> Document:
    document = (DOCSTRINGS if path.suffix == ".py" else PAGES).parse(path)
    # Classes of an example are known by their module's name, as they would be in a file of the user's.
    document.namespace["__name__"] = f"example_{path.stem}".replace("-", "_")
    return document


def documents() -> list[Path]:
    """Every page and module with something to run."""
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    modules = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    return [path for path in sorted(pages + modules) if any(read(path))]


def run(path: Path) -> None:
    for example in read(path):
        example.evaluate()


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_examples_of_a_document_run(path):
    run(path)


def test_the_readme_is_among_them():
    assert ROOT / "README.md" in documents()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("page.md", "```python\nassert 1 + 1 == 3\n```\n"),
        ("page.md", "```python\nx = 1\n```\n\nand then\n\n```python\nassert x == 2\n```\n"),
        ("with_wrong_example.py", '"""Adds.\n\n>>> 1 + 1\n3\n"""\n'),
    ],
)
def test_an_example_that_is_wrong_fails(name, text, tmp_path, monkeypatch):
    """The control: a page whose code is wrong does not pass."""
    path = tmp_path / name
    path.write_text(text)
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(AssertionError):
        run(path)
