"""The errors of jobs that run, or will not."""

from __future__ import annotations

from routilux_core.errors import RoutiluxError, UnknownName, choices

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
        return f"{refusal}; from here it can become: {choices(self.allowed)}"


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
        differences = "; ".join(self.differences)
        return f"the job state does not fit flow {self.flow_id!r}: {differences}; {self.remedy}"


class JobLeft(RoutiluxError, RuntimeError):
    """A job that its manager left to the store when it shut down."""

    job_id: str

    def __str__(self) -> str:
        return (
            f"job {self.job_id!r} was left to its store, as its manager shut down; "
            "resume it there, or let another manager recover it"
        )


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


class NoStore(RoutiluxError, RuntimeError):
    """Something that needs a store was asked of a manager without one."""

    what: str

    def __str__(self) -> str:
        return (
            f"{self.what} was asked of a job manager without a store; "
            "name one: JobManager(store='sqlite:///jobs.db')"
        )


class VetoedJob(RoutiluxError, RuntimeError):
    """A job that a plugin refused to let start."""

    plugin: str
    reason: str

    def __str__(self) -> str:
        return f"plugin {self.plugin!r} refused the job: {self.reason}"


class UnknownJob(UnknownName):
    """A job id that this manager knows no running or paused job of, nor its store any."""

    def __str__(self) -> str:
        known = f"; it has: {choices(self.known)}" if self.known else ", nor has its store"
        return f"this manager has no job {self.name!r}, running or paused{known}"


class CannotTravel(RoutiluxError, TypeError):
    """Something that would have to go to another process, and has no form in which it could."""

    what: str
    reason: str
    advice: str

    def __str__(self) -> str:
        return f"{self.what} cannot go to another process: {self.reason}; {self.advice}"


class WorkerLost(RoutiluxError, RuntimeError):
    """A worker process that ended while it had work, or before it could take any."""

    worker: str
    reason: str

    def __str__(self) -> str:
        return f"{self.worker} is gone: {self.reason}"


class PoisonedActivation(RoutiluxError, RuntimeError):
    """An activation that has ended its worker process each time it was started."""

    slot: str
    starts: int
    reason: str

    def __str__(self) -> str:
        return (
            f"slot {self.slot!r} was started {self.starts} times with one payload, and always its worker was "
            f"gone ({self.reason}); look for what ends a process there: memory, compiled code, os._exit; "
            "or raise max_starts"
        )


class OutsideProcess(RoutiluxError, RuntimeError):
    """Something that a handler can only do in the process of its job manager."""

    what: str

    def __str__(self) -> str:
        return (
            f"{self.what!r} needs the job manager, and this handler runs in a process that has none; "
            "it can read its configuration, payload and shared data, emit events and send outputs; "
            "let a routine that runs at home do the rest"
        )


class RemoteError(RoutiluxError, RuntimeError):
    """What a handler raised in another process, where the exception itself could not be brought back."""

    kind: str
    message: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.message}"


class RemoteTraceback(RoutiluxError, RuntimeError):
    """Where in the other process an exception was raised; the cause of the exception."""

    text: str

    def __str__(self) -> str:
        return f"in another process:\n{self.text}"
