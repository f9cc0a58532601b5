"""The page about processes shows the example that is run."""

from tests.architecture.source import ROOT


def test_the_page_shows_the_example():
    script = (ROOT / "docs" / "examples" / "use_processes.py").read_text("utf-8")
    assert f"```python\n{script}```" in (ROOT / "docs" / "how-to" / "use-processes.md").read_text("utf-8")
