"""The errors of definitions that cannot be saved, or made again from what was saved."""

from __future__ import annotations

from routilux_core.errors import RoutiluxError, UnknownName, choices, hint, shown

MOST = 10
"""How many classes an error lists."""


class UnknownClass(UnknownName):
    """A Routine class that no module of this process has defined and no plugin has registered."""

    path: str
    advice: str

    def __str__(self) -> str:
        first = self.name.partition(".")[0]
        there = tuple(name for name in self.known if name.partition(".")[0] == first) or self.known
        return (
            f"{self.path}: no routine class {shown(self.name)}; defined are: {choices(there[:MOST])}"
            f"{hint(self.name, self.known)}; {self.advice}"
        )


class AmbiguousClass(RoutiluxError, LookupError, ValueError):
    """A name that several classes have, as local ones may."""

    name: str
    count: int
    path: str

    def __str__(self) -> str:
        return (
            f"{self.path}: {self.count} classes are named {shown(self.name)}; "
            "define it once, at the top of a module"
        )


class NotRebuildable(RoutiluxError, ValueError, TypeError):
    """A routine that could not be made again from what its document would hold."""

    routine: str
    obstacle: str
    advice: str

    def __str__(self) -> str:
        return f"routine {self.routine!r} cannot be saved: {self.obstacle}; {self.advice}"


class InvalidField(RoutiluxError, ValueError, TypeError):
    """A field of a payload that cannot become what the handler's parameter is annotated with."""

    slot: str
    field: str
    value: object
    wanted: str
    reason: str

    def __str__(self) -> str:
        return (
            f"slot {self.slot!r} takes {self.field!r} as {self.wanted}, "
            f"and {shown(self.value)} cannot become that: {self.reason}"
        )


class MissingSecret(RoutiluxError, LookupError):
    """A secret whose reference leads nowhere."""

    reference: str

    def __str__(self) -> str:
        variable = self.reference.partition(":")[2]
        return (
            f"secret {self.reference!r} has no value: there is no environment variable {variable!r}; "
            "set it before the flow runs"
        )
