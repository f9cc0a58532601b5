"""The README opens with its two commands, which `.ci/run` runs as they stand; its links lead somewhere."""

import re

import pytest

from tests.architecture.source import ROOT

README = (ROOT / "README.md").read_text("utf-8")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def commands():
    return re.findall(r"^```bash\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def test_the_commands_come_before_everything_else():
    opening = README.partition("\n## ")[0]

    assert re.findall(r"^```(\w+)$", opening, re.MULTILINE) == ["bash", "bash"]


def test_the_first_command_runs_the_first_flow():
    assert commands()[0].strip().endswith(".venv/bin/python docs/examples/first_flow.py")


def test_the_second_command_runs_the_tests():
    assert commands()[1].strip().endswith(".venv/bin/pytest")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text("utf-8"))

    assert [target for target in targets if not (page.parent / target).exists()] == []
