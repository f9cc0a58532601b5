"""What can happen to a job. JobState is what these add up to; history, stores and monitors see the same.

Facts are made once, numbered within their job, and treated as frozen from then on. What a handler does is
collected as facts whose number is still 0; they get number and time when the activation takes effect.
"""

from __future__ import annotations

from typing import Any, ClassVar

from attrs import define

from routilux_core.activation import Activation
from routilux_core.error_record import ErrorRecord
from routilux_core.fact import Fact


@define(eq=False, repr=False)
class JobStarted(Fact):
    """A job began to run its flow."""

    job_id: str
    flow_id: str
    root: str
    """What idempotency keys start with; a fork keeps its origin's."""
    created_at: float
    fingerprint: tuple[str, ...]
    timeout: float | None
    metadata: dict[str, Any]


@define(eq=False, repr=False)
class JobForked(JobStarted):
    """A job took over what another one had: its data and what was still to do."""

    legacy: dict[str, Any]
    """Containers by name, as they were in the origin."""


@define(eq=False, repr=False)
class JobSubmitted(JobStarted):
    """A job was handed in, to be run by whoever takes it up."""


@define(eq=False, repr=False)
class JobMoved(Fact):
    """A job came to its store from elsewhere, with all that it had but the history."""

    whole: dict[str, Any]
    """Its data, field by field."""


@define(eq=False, repr=False)
class PauseRequested(Fact):
    """A pause was accepted: nothing starts any more."""

    reason: str
    checkpoint: Any


@define(eq=False, repr=False)
class JobPaused(Fact):
    """No handler runs any more and the job stands still."""

    reason: str
    checkpoint: Any
    pending: int


@define(eq=False, repr=False)
class JobResumed(Fact):
    """A paused job went on."""

    fingerprint: tuple[str, ...]


@define(eq=False, repr=False)
class JobCompleted(Fact):
    """A job had nothing left to do."""


@define(eq=False, repr=False)
class JobStopped(Fact):
    """A job ended by an error; its status is `failed`."""

    tag: ClassVar[str] = "job_failed"

    error: ErrorRecord


@define(eq=False, repr=False)
class JobCancelled(Fact):
    """A job was told to end."""

    reason: str


@define(eq=False, repr=False)
class EventPosted(Fact):
    """Something from outside reached a slot: the entry, or a post."""

    routine_id: str
    slot: str
    data: dict[str, Any]
    activations: tuple[Activation, ...] = ()


@define(eq=False, repr=False)
class EventEmitted(Fact):
    """A routine sent an event."""

    activation: Activation | None
    """The activation whose handler sent it; None for a deferred event."""
    routine_id: str
    event: str
    data: dict[str, Any]
    follows: Activation | tuple[Activation, ...] = ()
    """The new work that follows at once; one alone stands without a tuple, being what most events make."""
    connected: bool = True

    @property
    def activations(self) -> tuple[Activation, ...]:
        """The new work that follows at once."""
        return self.follows if isinstance(self.follows, tuple) else (self.follows,)


@define(eq=False, repr=False)
class DeferredEventAdded(Fact):
    """An event was set aside until the job is resumed."""

    routine_id: str
    event: str
    data: dict[str, Any]
    lineage: int


@define(eq=False, repr=False)
class DeferredEventReleased(Fact):
    """The oldest deferred event was taken up; its emission follows."""


@define(eq=False, repr=False)
class PayloadMerged(Fact):
    """A payload was merged into what a slot has gathered."""

    routine_id: str
    slot: str
    strategy: str
    payload: dict[str, Any]
    """With `append` the new values alone, with a merge function the whole."""


@define(eq=False, repr=False)
class PayloadHeld(Fact):
    """A payload waits in a slot until its policy lets it go."""

    routine_id: str
    slot: str
    key: Any
    lane: Any
    payload: dict[str, Any]
    lineage: int


@define(eq=False, repr=False)
class PayloadsReleased(Fact):
    """A policy let payloads go, as one activation."""

    routine_id: str
    slot: str
    key: Any
    took: tuple[tuple[Any, int], ...]
    """How many from the head of each lane."""
    activations: tuple[Activation, ...]
    ends: bool = False
    """True for the one call at the end of the job."""


@define(eq=False, repr=False)
class PayloadsUnmatched(Fact):
    """Payloads that a policy could not match until the job was over."""

    routine_id: str
    slot: str
    key: Any
    took: tuple[tuple[Any, int], ...]

    def count(self) -> int:
        """Tell how many they were."""
        return sum(count for _, count in self.took)


@define(eq=False, repr=False)
class DeferredEventsLeft(Fact):
    """A job completed without ever being resumed to send its deferred events."""

    count: int


@define(eq=False, repr=False)
class DeliveryFailed(Fact):
    """Merging or the policy raised over one delivery; its activation fails before it could start."""

    activations: tuple[Activation, ...]


@define(eq=False, repr=False)
class DeliveryRetried(Fact):
    """A delivery that had failed is about to be made again."""

    activation: Activation


@define(eq=False, repr=False)
class ActivationStarted(Fact):
    """A handler is about to be called."""

    activation: Activation


@define(eq=False, repr=False)
class ActivationYielded(Fact):
    """A generator handler gave an item, and what it did until then took effect."""

    activation: Activation
    """As it goes on, with one item more."""


@define(eq=False, repr=False)
class ActivationCompleted(Fact):
    """A handler returned, and its effects took effect."""

    activation: Activation
    seconds: float


@define(eq=False, repr=False)
class ActivationRetried(Fact):
    """An attempt failed and another will follow."""

    activation: Activation
    """The next attempt."""
    error: ErrorRecord


@define(eq=False, repr=False)
class ActivationFailed(Fact):
    """The last attempt failed."""

    activation: Activation
    error: ErrorRecord
    stops: bool
    """True when the job ends by it."""


@define(eq=False, repr=False)
class ActivationSkipped(Fact):
    """The last attempt failed and the routine was marked skipped."""

    activation: Activation
    error: ErrorRecord


@define(eq=False, repr=False)
class ActivationReturned(Fact):
    """A started activation was stopped from outside and is pending again."""

    activation: Activation
    reason: str
    deaths: int = 0
    """How many workers it has ended by now, where it has just ended one."""


@define(eq=False, repr=False)
class SharedDataSet(Fact):
    """A key of the shared data got a value."""

    key: str
    value: Any


@define(eq=False, repr=False)
class SharedLogAppended(Fact):
    """The shared log got an entry."""

    entry: Any


@define(eq=False, repr=False)
class StatSet(Fact):
    """A routine recorded a value."""

    routine_id: str
    key: str
    value: Any


@define(eq=False, repr=False)
class StatIncremented(Fact):
    """A routine counted something."""

    routine_id: str
    key: str
    by: float


@define(eq=False, repr=False)
class RoutineStateUpdated(Fact):
    """A routine's state got further keys."""

    routine_id: str
    update: dict[str, Any]


@define(eq=False, repr=False)
class ExecutionRecorded(Fact):
    """Somebody added a record to the history."""

    routine_id: str
    event_name: str
    data: dict[str, Any]


@define(eq=False, repr=False)
class OutputSent(Fact):
    """A handler sent an output; it went out at once."""

    routine_id: str | None
    output_type: str
    data: dict[str, Any]
    attempt: int

    def entry(self) -> dict[str, Any]:
        """Return it as the output log and output handlers see it."""
        from datetime import UTC, datetime  # noqa: PLC0415 - costly, and needed only when somebody looks

        return {
            "output_type": self.output_type,
            "routine_id": self.routine_id,
            "data": self.data,
            "timestamp": datetime.fromtimestamp(self.at, UTC),
            "attempt": self.attempt,
        }
