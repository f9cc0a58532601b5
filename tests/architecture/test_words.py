"""The project's files say nothing of the machine that they were written on."""

import re
from collections.abc import Iterator

import pytest

from tests.architecture.source import ROOT

# Bracketed letters keep the patterns from finding themselves.
FORBIDDEN = {
    "a path of one machine": r"(?<![\w.:/-])/(?:w[o]rk|h[o]me|r[o]ot|U[s]ers|o[p]t|m[n]t)/\w",
    "an issue's number": r"(?i)\b(?:issues?|tickets?|PR)\s+#?\d+|(?<![\w&/#])#\d+\b",
    "a registry's host": r"(?i)p[y]pi\.org|p[y]thonhosted\.org|p[r]oxy\.golang|i[n]dex-url",
}
LEFT_OUT = {"__pycache__", "build", "dist", "htmlcov", "venv"}


def files() -> Iterator[tuple[str, str]]:
    """Path and text of every file that belongs to the project."""
    for path in sorted(ROOT.rglob("*")):
        parts = path.relative_to(ROOT).parts
        hidden = any(part.startswith(".") and part != ".ci" for part in parts[:-1])
        if hidden or LEFT_OUT & set(parts) or parts[-1].startswith(".coverage") or not path.is_file():
            continue
        try:
            yield "/".join(parts), path.read_text("utf-8")
        except UnicodeDecodeError:
            continue


def hits(pattern: str, text: str) -> list[str]:
    return [f"{text.count(chr(10), 0, hit.start()) + 1}: {hit[0]}" for hit in re.finditer(pattern, text)]


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_names(what):
    assert [f"{path}:{hit}" for path, text in files() for hit in hits(FORBIDDEN[what], text)] == []


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("a path of one machine", "cd /{}/someone/project"),
        ("an issue's number", "fixes #{}"),
        ("an issue's number", "see issue {}"),
        ("a registry's host", "pip install --{}-url=x"),
    ],
)
def test_what_is_forbidden_is_found(what, text):
    filled = text.format({"cd": "home", "pip": "index"}.get(text.partition(" ")[0], 12))

    assert hits(FORBIDDEN[what], filled)


def test_the_walk_sees_the_project():
    seen = {path for path, _ in files()}

    assert {"README.md", "pyproject.toml", ".ci/run", "docs/examples/first_flow.py"} <= seen
