"""Dice: where random flows and schedules get their choices from, a seed or hypothesis."""

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from hypothesis import strategies


class Dice:
    """Choices that a seed gives."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def number(self, low: int, high: int) -> int:
        return self._random.randint(low, high)

    def pick(self, options: Sequence[Any]) -> Any:
        return options[int(self._random.random() * len(options))]

    def chance(self, percent: float) -> bool:
        return self._random.random() * 100 < percent


class DrawnDice(Dice):
    """Choices that hypothesis gives, so that it can make a failing case smaller."""

    def __init__(self, draw: Callable[[Any], Any]) -> None:
        self._draw = draw

    def number(self, low: int, high: int) -> int:
        return self._draw(strategies.integers(low, high))

    def pick(self, options: Sequence[Any]) -> Any:
        return self._draw(strategies.sampled_from(options))

    def chance(self, percent: float) -> bool:
        return self._draw(strategies.integers(0, 99)) >= 100 - percent
