"""Chores: what the engine leaves to the turn beside facts and new work; most jobs have none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import Factory, define

from routilux_core import facts
from routilux_core.activation import Activation

if TYPE_CHECKING:
    Failure = facts.ActivationRetried | facts.ActivationSkipped | facts.ActivationFailed | facts.JobStopped


@define(eq=False, repr=False)
class Chores:
    """Made when the first one comes up; whoever does them empties the lists."""

    continuing: list[Activation] = Factory(list)
    """Generators that have more to give."""
    freed: list[Activation] = Factory(list)
    """What is no longer in flight, where slots have limits of their own."""
    voided: list[Activation] = Factory(list)
    """What is still running and will be refused."""
    later: list[tuple[Activation, float]] = Factory(list)
    """Retries, and when each may start."""
    outputs: list[facts.OutputSent] = Factory(list)
    warnings: list[str] = Factory(list)
    failures: list[tuple[Failure, BaseException]] = Factory(list)
