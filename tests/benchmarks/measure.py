"""Measuring two things in turns, so that what slows the machine down slows both."""

import gc
from collections.abc import Callable
from statistics import median

from attrs import frozen

ROUNDS = 15

Run = Callable[[], float]


@frozen
class Case:
    """Something to measure, what to compare it with, the ratio that is the goal and the one to aim at."""

    name: str
    run: Run
    against: Run
    limit: float
    aim: float | None = None
    ceiling: float | None = None
    """What the tests hold; a step back reaches it, a busy machine does not."""


@frozen
class Result:
    """Seconds of each round: the case's and those of what it is compared with."""

    seconds: tuple[float, ...]
    against: tuple[float, ...]

    @property
    def ratios(self) -> list[float]:
        return sorted(own / other for own, other in zip(self.seconds, self.against, strict=True))

    @property
    def ratio(self) -> float:
        return median(self.ratios)


def measure(case: Case, rounds: int = ROUNDS) -> Result:
    """Run both sides once to warm up, then in turns; which goes first alternates."""
    case.against()
    case.run()
    pairs = [_round(case, number) for number in range(rounds)]
    return Result(tuple(own for own, _ in pairs), tuple(other for _, other in pairs))


def _round(case: Case, number: int) -> tuple[float, float]:
    if number % 2:
        own = clean(case.run)
        return own, clean(case.against)
    other = clean(case.against)
    return clean(case.run), other


def clean(run: Run) -> float:
    """Run without the garbage of the run before."""
    gc.collect()
    return run()
