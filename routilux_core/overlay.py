"""Overlay: what a running handler has written itself, laid over what its job had before."""

from __future__ import annotations

from typing import Any

from attrs import Factory, define

from routilux_core import facts
from routilux_core.effect import SharedDataModified
from routilux_core.job_data import JobData

MISSING = object()


@define(eq=False, repr=False)
class Overlay:
    """The writes of one handler that have not taken effect yet."""

    data: JobData
    shared_data: dict[str, Any] = Factory(dict)
    shared_log: list[Any] = Factory(list)
    routines: dict[str, dict[str, Any]] = Factory(dict)
    stats: dict[str, dict[str, Any]] = Factory(dict)

    def add(self, effect: Any) -> None:
        """Note an effect, if it is one that its handler can read back."""
        kind = type(effect)
        if kind is facts.SharedDataSet:
            self.shared_data[effect.key] = effect.value
        elif kind is SharedDataModified:
            self.shared_data[effect.key] = effect.function(self.shared(effect.key, effect.default))
        elif kind is facts.SharedLogAppended:
            self.shared_log.append(effect.entry)
        elif kind is facts.RoutineStateUpdated:
            self.routines.setdefault(effect.routine_id, {}).update(effect.update)
        elif kind is facts.StatSet:
            self.stats.setdefault(effect.routine_id, {})[effect.key] = effect.value
        elif kind is facts.StatIncremented:
            own = self.stats.setdefault(effect.routine_id, {})
            own[effect.key] = self.recorded(effect.routine_id).get(effect.key, 0) + effect.by

    def shared(self, key: str, default: Any) -> Any:
        """Return a value of the shared data."""
        value = self.shared_data.get(key, MISSING)
        return self.data.shared_data.get(key, default) if value is MISSING else value

    def recorded(self, routine_id: str) -> dict[str, Any]:
        """Return the stats of a routine."""
        return {**self.data.stats.get(routine_id, {}), **self.stats.get(routine_id, {})}
