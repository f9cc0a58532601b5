"""The picture that the architecture page draws of the house is the house."""

import re

from tests.architecture.source import ROOT, floors, sources

PAGE = (ROOT / "docs" / "explanation" / "architecture.md").read_text("utf-8")


def listed(page: str) -> list[tuple[int, str]]:
    return [(int(floor), name) for floor, name in re.findall(r"^\| (\d) \| `(\w+)` \|", page, re.MULTILINE)]


def modules() -> set[str]:
    names = {source.name.split(".")[1] for source in sources("routilux_core") if "." in source.name}
    return names - {"__init__"}


def test_every_module_is_named_once():
    names = [name for _, name in listed(PAGE)]

    assert sorted(names) == sorted(modules())


def test_the_order_is_that_of_the_import_contract():
    present = [name for name in reversed(floors()) if name in modules()]

    assert [name for _, name in listed(PAGE)] == present


def test_floors_go_down():
    numbers = [floor for floor, _ in listed(PAGE)]

    assert numbers == sorted(numbers, reverse=True)


def test_a_module_that_is_not_named_is_found():
    """The control: a page without one line differs from the house."""
    page = PAGE.replace("| `turn` |", "| turn |")

    assert {name for _, name in listed(PAGE)} - {name for _, name in listed(page)} == {"turn"}
    assert "turn" in modules()
