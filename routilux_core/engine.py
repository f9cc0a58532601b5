"""Engine: the rules of a job. Messages and times go in, facts and work come out; no thread, lock or clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from routilux_core import facts, quiet
from routilux_core.attempts import ENTRY, Attempts, EventEmitted
from routilux_core.document_errors import NotSerializable
from routilux_core.job_errors import (
    InvalidTransition,
    JobTimeout,
)
from routilux_core.status import MOVES, ExecutionStatus

if TYPE_CHECKING:
    from routilux_core.activation import Activation


class Answer:
    """What became of a message that somebody waits for: an error, or nothing to say."""

    __slots__ = ("error", "number")

    def __init__(self) -> None:
        self.error: BaseException | None = None
        self.number = 0
        """Of the last fact that came of it, or that was there before."""


class Engine(Attempts):
    """Turns messages into facts. Whoever has the job's turn calls it, one message after the other."""

    __slots__ = ()

    # -- beginning and going on ------------------------------------------------------------------------

    def begin(self, started: facts.JobStarted, entry: tuple[Any, dict[str, Any]]) -> None:
        """Start the job with its entry, unless it was cancelled before it could."""
        if self.closed:
            return
        slot, payload = entry
        self.reopen = True
        self.ledger.happen(started)
        self._limit_time()
        self.routing.post(slot, payload, ENTRY)
        self.check_limits()

    def resume(self, fingerprint: tuple[str, ...], recovers: bool) -> None:
        """Go on from where the data stands: everything pending first, then the deferred events.

        These stay where they are when it `recovers`: nobody has asked for them.
        """
        ledger, data = self.ledger, self.data
        if self.closed:
            return
        self.over = self.shut = False
        self.reopen = True
        self.anew = self.unusual = True
        self.waiting.clear()
        if self.undone is not None:
            self.undone.continuing.clear()
        ledger.ready.clear()
        ledger.happen(facts.JobResumed(0, 0.0, fingerprint))
        self._limit_time()
        for activation in list(data.activations.values()):
            if activation.undelivered:
                slot = self.plan.slot(activation.routine_id, activation.slot)
                ledger.happen(facts.DeliveryRetried(0, 0.0, activation))
                self.routing.deliver(slot, activation.data, activation.source, activation.lineage)
            elif activation.due is not None and activation.due > ledger.now:
                self._wait(activation, activation.due - ledger.now)
            else:
                ledger.ready.append(activation)
        if not recovers:
            self._send_deferred()
        self._go_on()

    def _limit_time(self) -> None:
        if self.data.timeout is not None:
            self.time_left = max(0.0, self.data.timeout - self.data.used)
            self.ledger.stirred = True

    def _go_on(self) -> None:
        for slot in self.plan.order:
            for key in self.data.held.get((slot.routine_id, slot.name), ()):
                self.routing.watch(slot, key)
        self.check_limits()

    def _send_deferred(self) -> None:
        while self.data.deferred:
            routine_id, event, payload, lineage = self.data.deferred[0]
            self.ledger.happen(facts.DeferredEventReleased(0, 0.0))
            self.routing.emit(EventEmitted(0, 0.0, None, routine_id, event, payload), lineage)

    # -- from outside ----------------------------------------------------------------------------------

    def post(self, delivery: tuple[Any, dict[str, Any], int], answer: Answer) -> None:
        """Take an event from outside, unless the job is over for good."""
        if self.closed:
            answer.error = InvalidTransition(self.data.job_id, str(self.data.status), "posted to", ())
            return
        try:
            self.routing.post(*delivery)
        except NotSerializable as error:
            answer.error = error
            return
        self.check_limits()

    def pause(self, why: tuple[str, Any], answer: Answer) -> None:
        """Let nothing more start; the job is paused as soon as no handler runs."""
        if self.data.status is ExecutionStatus.RUNNING:
            try:
                self.ledger.happen(facts.PauseRequested(0, 0.0, *why))
            except NotSerializable as error:
                answer.error, self.reopen = error, True
                return
            self.shut = self.unusual = True
        elif self.data.status not in {ExecutionStatus.PAUSING, ExecutionStatus.PAUSED}:
            answer.error = self._refusal(ExecutionStatus.PAUSED)

    def unpause(self, fingerprint: tuple[str, ...], _: Answer) -> None:
        """Take back a pause that has not come about yet."""
        if self.data.status is ExecutionStatus.PAUSING and self.data.stopping is None:
            self.ledger.happen(facts.JobResumed(0, 0.0, fingerprint))
            self.shut = False
            self.reopen = True
            self._send_deferred()
            self._go_on()

    def cancel(self, reason: str, answer: Answer) -> None:
        """End the job here and now; what still runs will be refused."""
        if self.data.status is ExecutionStatus.CANCELLED:
            return
        if self.closed:
            answer.error = self._refusal(ExecutionStatus.CANCELLED)
            return
        try:
            self._end(facts.JobCancelled(0, 0.0, reason))
        except NotSerializable as error:
            answer.error, self.reopen = error, True

    def deadline(self, seconds: float, opening: int) -> None:
        """End a job that has reached its time limit, if it was not paused since that was set."""
        if opening == self.opening and self.data.status in {ExecutionStatus.RUNNING, ExecutionStatus.PAUSING}:
            self._end_by(JobTimeout(self.data.job_id, seconds))

    def change(self, effect: Any, answer: Answer) -> None:
        """Let somebody outside change the data that routines keep."""
        if isinstance(effect, facts.JobCancelled):
            self.cancel(effect.reason, answer)
            return
        try:
            self.ledger.happen(self._resolved([effect])[0])
        except BaseException as error:  # noqa: BLE001 - user code
            answer.error = error

    def output(self, activation: Activation | None, fact: facts.OutputSent) -> None:
        """Send an output on, unless what its handler does is refused."""
        if activation is None or not self.refuses(activation):
            self.ledger.happen(fact)
            self.chores.outputs.append(fact)
            self.ledger.stirred = True

    def output_outside(self, fact: facts.OutputSent, _: Answer) -> None:
        """Send an output on that no handler sent."""
        self.output(None, fact)

    # -- the end ---------------------------------------------------------------------------------------

    def leave(self, _one: object, _two: object) -> None:
        """Let nothing more start; as soon as no handler runs, the job goes on elsewhere."""
        if not self.over:
            self.leaving = self.shut = self.unusual = True

    def abandon(self, error: BaseException, _: object) -> None:
        """Take no outcome any more: the job goes on elsewhere."""
        if not self.closed:
            self.cause = error
            self.chores.voided.extend(
                self.data.activations[number]
                for number in self.data.running
                if number in self.data.activations
            )
            self.over = self.closed = self.shut = self.unusual = self.ledger.stirred = True

    def settle(self, _one: object, _two: object) -> None:
        """No handler runs and none may start: pause, or end by the error that stopped the job."""
        data = self.data
        if data.stopping is not None:
            self._end(facts.JobStopped(0, 0.0, data.stopping))
        elif self.leaving:
            self.over = self.closed = True
        elif data.status is ExecutionStatus.PAUSING:
            reason, checkpoint = data.pause or ("", None)
            self.over = True
            self.ledger.happen(facts.JobPaused(0, 0.0, reason, checkpoint, len(data.activations)))

    def completes(self, now: float) -> bool:
        """Complete the job at once, where nothing is left to do and nothing waits for that."""
        data, ledger = self.data, self.ledger
        if self.plan.order or data.deferred or ledger.news is not None:
            return False
        if data.status is not ExecutionStatus.RUNNING:
            return False
        ledger.now = now
        self.over = self.closed = True
        ledger.happen(facts.JobCompleted(0, 0.0))
        return True

    def quiet(self, _one: object, _two: object) -> None:
        """Nothing is left to do: let go what waits for that, or complete."""
        if self.data.status is not ExecutionStatus.RUNNING or self.data.activations:
            return
        if quiet.release_leftovers(self.ledger, self.routing, self.plan):
            self.check_limits()
            return
        left = len(self.data.deferred)
        if left:
            why = "because the job completed without being resumed"
            self.chores.warnings.append(f"{left} deferred events were never sent, {why}")
            self.ledger.stirred = True
        self.over = True
        quiet.complete(self.ledger)
        self.closed = True

    def _refusal(self, wanted: ExecutionStatus) -> InvalidTransition:
        status = self.data.status
        return InvalidTransition(self.data.job_id, str(status), str(wanted), tuple(sorted(MOVES[status])))
