"""Every error that Routilux raises; a message says what is wrong, what exists, what to do."""

from __future__ import annotations

from typing import ClassVar, dataclass_transform


@dataclass_transform(eq_default=False)
class RoutiluxError(Exception):
    """The root of all our errors. What a subclass annotates are its fields, given in that order."""

    fields: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        own = [name for name in cls.__annotations__ if name != "fields"] if "__annotations__" in vars(cls) else []
        cls.fields = (*cls.fields, *own)

    def __init__(self, *values: object, **named: object) -> None:
        values = (*values, *(named[name] for name in self.fields[len(values) :]))
        if len(values) != len(self.fields):
            raise TypeError(f"{type(self).__name__} takes {', '.join(self.fields)}")
        super().__init__(*values)
        for name, value in zip(self.fields, values, strict=True):
            setattr(self, name, value)


def _choices(known: tuple[str, ...]) -> str:
    return ", ".join(known) if known else "nothing"


def _hint(name: str, known: tuple[str, ...]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - costly, and needed only when something went wrong

    near = get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


class UnknownName(RoutiluxError, LookupError, ValueError):
    """A name that nothing carries; the message lists what does."""

    name: str
    known: tuple[str, ...]

    def __str__(self) -> str:
        return f"nothing is named {self.name!r}; there is: {_choices(self.known)}{_hint(self.name, self.known)}"


class UnknownRoutine(UnknownName):
    """A routine id that the flow does not have."""

    flow_id: str

    def __str__(self) -> str:
        return (
            f"flow {self.flow_id!r} has no routine {self.name!r}; "
            f"it has: {_choices(self.known)}{_hint(self.name, self.known)}"
        )


class UnknownEvent(UnknownName):
    """An event that the routine does not declare."""

    routine: str

    def __str__(self) -> str:
        return (
            f"routine {self.routine!r} has no event {self.name!r}; "
            f"it has: {_choices(self.known)}{_hint(self.name, self.known)}"
        )


class UnknownSlot(UnknownName):
    """A slot that the routine does not have."""

    routine: str

    def __str__(self) -> str:
        return (
            f"routine {self.routine!r} has no slot {self.name!r}; "
            f"it has: {_choices(self.known)}{_hint(self.name, self.known)}"
        )


class UnknownComponent(UnknownName):
    """An executor, store, routine, flow or policy that no plugin registered."""

    kind: str

    def __str__(self) -> str:
        return (
            f"no {self.kind} named {self.name!r}; "
            f"installed: {_choices(self.known)}{_hint(self.name, self.known)}"
        )


class UnknownJob(UnknownName):
    """A job id that this manager is not running."""

    def __str__(self) -> str:
        return f"no job {self.name!r} runs in this manager; running: {_choices(self.known)}"


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
            f"{self.name!r} is not a {self.kind}; use 1 to 128 of A-Z a-z 0-9 . _ - "
            "and no dot at the start (slot and event names: no dot at all)"
        )


class InvalidOption(RoutiluxError, ValueError, TypeError):
    """An option whose value cannot be used."""

    option: str
    value: object
    wanted: str

    def __str__(self) -> str:
        return f"{self.option} cannot be {self.value!r}; it takes {self.wanted}"


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
            f"slot {self.slot!r} needs {self.field!r}, and {self.source} gives: {_choices(self.given)}; "
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


_STATUSES = frozenset({"running", "pausing", "paused", "completed", "failed", "cancelled"})


class InvalidTransition(RoutiluxError, RuntimeError):
    """A move that a job's status forbids; nothing was changed."""

    job_id: str
    status: str
    wanted: str
    allowed: tuple[str, ...]

    def __str__(self) -> str:
        verb = "become" if self.wanted in _STATUSES else "be"
        refusal = f"job {self.job_id!r} is {self.status} and cannot {verb} {self.wanted}"
        if not self.allowed:
            return f"{refusal}; nothing changes it any more; fork it, or start a new job"
        return f"{refusal}; from here it can become: {_choices(self.allowed)}"


class NoActiveJob(RoutiluxError, RuntimeError):
    """Something that needs a running job, or one clear flow, was used without."""

    what: str
    reason: str

    def __str__(self) -> str:
        return f"{self.what} has no job to act on: {self.reason}"


class InsideJob(RoutiluxError, RuntimeError):
    """Something that a handler cannot do to the job that runs it."""

    what: str
    reason: str

    def __str__(self) -> str:
        return f"{self.what} was called by a handler of that same job: {self.reason}"


class FlowMismatch(RoutiluxError, ValueError):
    """A JobState that was made by another flow, or by another shape of this one."""

    flow_id: str
    differences: tuple[str, ...]
    remedy: str

    def __str__(self) -> str:
        return f"the job state does not fit flow {self.flow_id!r}: {'; '.join(self.differences)}; {self.remedy}"


class JobFailed(RoutiluxError, RuntimeError):
    """A job that ended without completing; raised from the original exception where there is one."""

    job_id: str
    flow_id: str
    status: str
    error: str

    def __str__(self) -> str:
        return f"job {self.job_id!r} of flow {self.flow_id!r} is {self.status}: {self.error}"


class JobTimeout(RoutiluxError, TimeoutError):
    """A job that reached its deadline."""

    job_id: str
    seconds: float

    def __str__(self) -> str:
        return f"job {self.job_id!r} reached its time limit of {self.seconds} s; raise it with timeout="


class ActivationTimeout(RoutiluxError, TimeoutError):
    """A handler that ran past its slot's `timeout`."""

    slot: str
    seconds: float

    def __str__(self) -> str:
        return f"slot {self.slot!r} ran past its timeout of {self.seconds} s; raise it, or split the work"


class RunawayLoop(RoutiluxError, RuntimeError):
    """A job that made more activations than `max_activations` allows."""

    limit: int
    cycle: str

    def __str__(self) -> str:
        return f"more than {self.limit} activations, {self.cycle}; end the loop, or raise max_activations"


class TooMuchPending(RoutiluxError, RuntimeError):
    """A job that piled up more than `max_pending` activations."""

    limit: int
    slot: str
    waiting: int

    def __str__(self) -> str:
        return (
            f"more than {self.limit} activations are pending, {self.waiting} of them for slot {self.slot!r}; "
            "emit from a generator so that the engine can pace it, or raise max_pending"
        )


class ManagerClosed(RoutiluxError, RuntimeError):
    """A job manager that was shut down."""

    what: str

    def __str__(self) -> str:
        return f"{self.what} was asked of a job manager that is shut down; make a new JobManager"


class VetoedJob(RoutiluxError, RuntimeError):
    """A job that a plugin refused to let start."""

    plugin: str
    reason: str

    def __str__(self) -> str:
        return f"plugin {self.plugin!r} refused the job: {self.reason}"


class InvalidFlow(RoutiluxError, ValueError):
    """A flow with problems that no job can live with."""

    flow_id: str
    problems: tuple[str, ...]

    def __str__(self) -> str:
        return f"flow {self.flow_id!r} cannot run: {'; '.join(self.problems)}"


class PluginError(RoutiluxError, RuntimeError):
    """A plugin that could not be loaded or used."""

    plugin: str
    reason: str

    def __str__(self) -> str:
        return f"plugin {self.plugin!r} cannot be used: {self.reason}"
