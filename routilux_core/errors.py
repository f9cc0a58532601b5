"""Every error that Routilux raises; a message says what is wrong, what exists, what to do."""

from __future__ import annotations

from reprlib import Repr
from typing import Any, ClassVar, dataclass_transform

MOST = 160
"""So many characters of a value stand in an error."""
MOST_SAID = 400
"""So many characters of an error that is not ours."""
_SHORT = Repr()
_SHORT.maxstring = 130  # an id with its quotes
_SHORT.maxother = _SHORT.maxlong = 80
_MOST = 20
"""How many names a message lists."""


@dataclass_transform(eq_default=False)
class RoutiluxError(Exception):
    """The root of all our errors. What a subclass annotates are its fields, given in that order."""

    fields: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        own = vars(cls).get("__annotations__", ())
        cls.fields = (*cls.fields, *(name for name in own if name != "fields"))

    def __init__(self, *values: object, **named: object) -> None:
        values = (*values, *(named[name] for name in self.fields[len(values) :]))
        if len(values) != len(self.fields):
            raise TypeError(f"{type(self).__name__} takes {', '.join(self.fields)}")
        super().__init__(*values)
        for name, value in zip(self.fields, values, strict=True):
            setattr(self, name, value)

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel by the fields, whatever a built-in base does with its arguments."""
        return type(self), tuple(getattr(self, name) for name in self.fields)


def shown(value: object) -> str:
    """Write a value as code, but never more than a line of it."""
    try:
        text = _SHORT.repr(value)
    except Exception:  # noqa: BLE001 - a repr may do anything, and nothing here may hide the error itself
        text = f"<{type(value).__name__}>"
    return text if len(text) <= MOST else f"{text[: MOST - 3]}..."


def said(error: BaseException) -> str:
    """Return what an error says, in a few lines at most; those of plugins may say anything, or fail to."""
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - one plugin must not hinder the others
        text = "it cannot say what is wrong"
    text = text if len(text) <= MOST_SAID else f"{text[:MOST_SAID]}..."
    return f"{type(error).__name__}: {text}"


def choices(known: tuple[str, ...]) -> str:
    """Say what there is, as far as a message can hold it."""
    if len(known) > _MOST:
        return f"{', '.join(known[:_MOST])} and {len(known) - _MOST} more"
    return ", ".join(known) if known else "nothing"


def hint(name: str, known: tuple[str, ...]) -> str:
    """Ask whether the nearest of the known names was meant."""
    from difflib import get_close_matches  # noqa: PLC0415 - costly, and needed only when something went wrong

    near = get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


class UnknownName(RoutiluxError, LookupError, ValueError):
    """A name that nothing carries; the message lists what does."""

    name: str
    known: tuple[str, ...]

    def __str__(self) -> str:
        known = choices(self.known)
        return f"nothing is named {shown(self.name)}; there is: {known}{hint(self.name, self.known)}"


class UnknownRoutine(UnknownName):
    """A routine id that the flow does not have."""

    flow_id: str

    def __str__(self) -> str:
        return (
            f"flow {self.flow_id!r} has no routine {shown(self.name)}; "
            f"it has: {choices(self.known)}{hint(self.name, self.known)}"
        )


class UnknownEvent(UnknownName):
    """An event that the routine does not declare."""

    routine: str

    def __str__(self) -> str:
        return (
            f"routine {self.routine!r} has no event {shown(self.name)}; "
            f"it has: {choices(self.known)}{hint(self.name, self.known)}"
        )


class UnknownSlot(UnknownName):
    """A slot that the routine does not have."""

    routine: str

    def __str__(self) -> str:
        return (
            f"routine {self.routine!r} has no slot {shown(self.name)}; "
            f"it has: {choices(self.known)}{hint(self.name, self.known)}"
        )


class UnknownComponent(UnknownName):
    """An executor, store, monitor, routine, flow or policy that no plugin registered."""

    kind: str

    def __str__(self) -> str:
        return (
            f"no {self.kind} named {shown(self.name)}; "
            f"installed: {choices(self.known)}{hint(self.name, self.known)}"
        )


class MissingComponent(UnknownComponent):
    """A component whose plugin is not installed or does not work; the message says what to do."""

    advice: str

    def __str__(self) -> str:
        return f"{super().__str__()}; {self.advice}"


class DuplicateName(RoutiluxError, ValueError):
    """A name that is already taken."""

    kind: str
    name: str
    owner: str

    def __str__(self) -> str:
        return f"{self.owner} already has {self.kind} {self.name!r}; choose another name"


class InvalidName(RoutiluxError, ValueError):
    """An id or name outside the grammar."""

    kind: str
    name: str

    def __str__(self) -> str:
        return (
            f"{shown(self.name)} is not a {self.kind}; use 1 to 128 of A-Z a-z 0-9 . _ - "
            "and no dot at the start (slot and event names: no dot at all)"
        )


class InvalidOption(RoutiluxError, ValueError, TypeError):
    """An option whose value cannot be used."""

    option: str
    value: object
    wanted: str

    def __str__(self) -> str:
        return f"{self.option} cannot be {shown(self.value)}; it takes {self.wanted}"


class UnknownOption(InvalidOption, LookupError):
    """An option that nothing takes; the message lists those there are."""

    owner: str
    known: tuple[str, ...]

    def __str__(self) -> str:
        name = self.option.removeprefix(f"{self.owner}.")
        return f"{self.owner} has no {shown(name)}; it has: {choices(self.known)}{hint(name, self.known)}"


class InvalidSetting(InvalidOption):
    """A setting that cannot be used, with the place where it was given."""

    source: str
    problem: str

    def __str__(self) -> str:
        return f"{self.source}: {self.problem}"


class UnreadableSettings(RoutiluxError, ValueError):
    """A settings file that is not there, or not TOML."""

    path: str
    reason: str

    def __str__(self) -> str:
        return (
            f"settings file {self.path!r} cannot be read: {self.reason}; "
            "mend it, or set ROUTILUX_CONFIG=off to do without"
        )


class InvalidMapping(RoutiluxError, ValueError):
    """A `param_mapping` that puts two fields onto one."""

    connection: str
    field: str
    sources: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"connection {self.connection} maps {' and '.join(map(repr, self.sources))} onto {self.field!r}; "
            "give each field a name of its own"
        )


class InvalidHandler(RoutiluxError, TypeError):
    """A handler that cannot be called with a payload's fields."""

    slot: str
    reason: str

    def __str__(self) -> str:
        return f"slot {self.slot!r} cannot use its handler: {self.reason}"


class MissingField(RoutiluxError, TypeError, LookupError):
    """A payload without a field that the handler requires."""

    slot: str
    field: str
    source: str
    given: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"slot {self.slot!r} needs {self.field!r}, and {self.source} gives: {choices(self.given)}; "
            "send that field, rename one with param_mapping, or give the parameter a default"
        )


class InvalidPayload(RoutiluxError, TypeError, ValueError):
    """A payload that is not a dict with text keys."""

    where: str
    reason: str

    def __str__(self) -> str:
        return f"{self.where} gave no payload: {self.reason}; a payload is a dict with text keys"


class DeliveryError(RoutiluxError, RuntimeError):
    """A merge function, policy or key that raised over one delivery."""

    slot: str
    part: str
    reason: str

    def __str__(self) -> str:
        return (
            f"the {self.part} of slot {self.slot!r} failed: {self.reason}; "
            "the other deliveries are not touched; mend it, or let an error handler go on"
        )


class InvalidFlow(RoutiluxError, ValueError):
    """A flow with problems that no job can live with."""

    flow_id: str
    problems: tuple[str, ...]

    def __str__(self) -> str:
        return f"flow {self.flow_id!r} cannot run: {'; '.join(self.problems)}"


class PluginError(RoutiluxError, RuntimeError):
    """A plugin that could not be loaded or used."""

    plugin: str
    source: str
    """The package that it was installed with, and what its entry point names."""
    reason: str

    def __str__(self) -> str:
        source = f" of {self.source}" if self.source else ""
        return f"plugin {self.plugin!r}{source} cannot be used: {self.reason}"
