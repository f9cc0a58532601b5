"""Connection: one event of one routine to one slot of another."""

from __future__ import annotations

from typing import Any

from attrs import field, frozen

from routilux_core.errors import InvalidMapping, InvalidOption


def _mapping(value: object) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(one, str) for pair in value.items() for one in pair):
        raise InvalidOption("param_mapping", value, "a dict {event field: slot field}")
    return dict(value)


@frozen
class Connection:
    """What `connect` makes. Fields that `param_mapping` does not list pass under their own names."""

    source_id: str
    event: str
    target_id: str
    slot: str
    param_mapping: dict[str, str] = field(default=None, converter=_mapping)

    @property
    def source(self) -> str:
        """Where it begins, as `routine.event`."""
        return f"{self.source_id}.{self.event}"

    @property
    def target(self) -> str:
        """Where it ends, as `routine.slot`."""
        return f"{self.target_id}.{self.slot}"

    def check(self, fields: tuple[str, ...]) -> None:
        """Raise `InvalidMapping` if two of the event's `fields` arrive under one name."""
        names: dict[str, list[str]] = {}
        for name in dict.fromkeys((*self.param_mapping, *fields)):
            names.setdefault(self.param_mapping.get(name, name), []).append(name)
        for name, sources in names.items():
            if len(sources) > 1:
                raise InvalidMapping(str(self), name, tuple(sources))

    def rename(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return `data` under the names that the slot knows."""
        mapping = self.param_mapping
        renamed = {mapping.get(name, name): value for name, value in data.items()}
        if len(renamed) != len(data):
            self.check(tuple(data))
        return renamed

    def __str__(self) -> str:
        return f"{self.source} -> {self.target}"
