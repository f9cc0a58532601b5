"""Durations: many of them in little space, with count, sum, extremes and percentiles."""

from __future__ import annotations

from math import frexp, ldexp

STEPS = 32
"""So many buckets for each doubling: a percentile is right within one part in so many."""

NOTHING = 1e-9
"""What a duration counts as that was too short for the clock."""


class Durations:
    """Durations in seconds, of which only counts in buckets are kept.

    >>> durations = Durations()
    >>> for milliseconds in range(1, 101):
    ...     durations.add(milliseconds / 1000)
    >>> durations.count, durations.least, durations.most, round(durations.average, 4)
    (100, 0.001, 0.1, 0.0505)
    >>> round(durations.percentile(50), 3)
    0.05
    """

    __slots__ = ("buckets", "count", "least", "most", "total")

    def __init__(self) -> None:
        self.count = 0
        self.total = 0.0
        self.least = 0.0
        self.most = 0.0
        self.buckets: dict[int, int] = {}

    def add(self, seconds: float) -> None:
        """Take in one more."""
        if seconds < self.least or not self.count:
            self.least = seconds
        if seconds > self.most:
            self.most = seconds
        self.count += 1
        self.total += seconds
        fraction, exponent = frexp(seconds or NOTHING)
        bucket, buckets = exponent * STEPS + int(fraction * (2 * STEPS)), self.buckets
        buckets[bucket] = buckets.get(bucket, 0) + 1

    def merge(self, other: Durations) -> None:
        """Take in all of another."""
        if not other.count:
            return
        if other.least < self.least or not self.count:
            self.least = other.least
        if other.most > self.most:
            self.most = other.most
        self.count += other.count
        self.total += other.total
        buckets = self.buckets
        for bucket, count in list(other.buckets.items()):
            buckets[bucket] = buckets.get(bucket, 0) + count

    @property
    def average(self) -> float:
        """The mean; 0.0 where there are none."""
        return self.total / self.count if self.count else 0.0

    def percentile(self, percent: float) -> float:
        """Return what so many percent of them do not exceed; 0.0 where there are none."""
        buckets = sorted(self.buckets.items())
        wanted, passed = sum(count for _, count in buckets) * percent / 100, 0
        for bucket, count in buckets:
            passed += count
            if passed >= wanted:
                exponent, step = divmod(bucket - STEPS, STEPS)
                middle = ldexp((step + STEPS + 0.5) / (2 * STEPS), exponent)
                return min(max(middle, self.least), self.most)
        return 0.0
