"""The ratios that a change must not leave behind; `python -m tests.benchmarks` shows goals and aims.

Coverage and other work on the machine distort them, hence the marker.
"""

from time import perf_counter

import pytest

from tests.benchmarks import floor
from tests.benchmarks.cases import cases
from tests.benchmarks.measure import Case, measure


@pytest.mark.speed
@pytest.mark.slow
@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_a_case_keeps_below_its_ceiling(case, tell):
    """In its best round, which other work disturbs least; the goals are judged by the command."""
    found = measure(case, rounds=3)
    best = found.ratios[0]
    tell(f"{case.name}: {best:.2f}, median {found.ratio:.2f}, ceiling {case.ceiling}")

    assert best <= case.ceiling


@pytest.mark.speed
def test_a_case_that_is_too_slow_is_found():
    """The control: the floor with as much again done at each step does not pass for the floor."""

    def twice() -> float:
        begin = perf_counter()
        floor.step(10_000)
        floor.step(10_000)
        return (perf_counter() - begin) / 10_000

    ratio = measure(Case("twice", twice, lambda: floor.step(10_000), 1.5), rounds=5).ratio

    assert ratio > 1.5
