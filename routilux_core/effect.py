"""What a handler does that is not yet a fact, because the engine has to finish it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import define

from routilux_core.facts import SharedDataSet


@define(eq=False, repr=False)
class SharedDataModified:
    """A change of a shared value by a function, applied when the effects are."""

    key: str
    function: Callable[[Any], Any]
    default: Any

    def resolved(self, shared: Mapping[str, Any]) -> SharedDataSet:
        """Return the fact that it becomes over `shared`."""
        return SharedDataSet(0, 0.0, self.key, self.function(shared.get(self.key, self.default)))


@define(eq=False, repr=False)
class PauseAsked:
    """A handler asks for a pause of its own job."""

    reason: str
    checkpoint: Any
