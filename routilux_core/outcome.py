"""Outcome: what one run of a handler came to, its effects or its error."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import define

from routilux_core.activation import Activation
from routilux_core.effect import PauseAsked


@define(eq=False, repr=False)
class Outcome:
    """What `job.run` returns and `job.finish` takes."""

    effects: Sequence[Any] = ()
    """Facts to be, in the order in which the handler made them."""
    exception: BaseException | None = None
    more: bool = False
    """True when a generator has yielded and may have more to give."""
    advanced: Activation | None = None
    """What a generator's activation becomes by it, where an executor has named that already."""
    interrupted: bool = False
    """True when the handler was stopped from outside and is to be pending again; the exception says why."""
    ended_worker: bool = False
    """True when its worker ended with it, which the job counts."""

    @property
    def pauses(self) -> bool:
        """True when the handler asked for a pause of its job."""
        return any(type(effect) is PauseAsked for effect in self.effects)
