"""Returns: what comes back from the workers, and what becomes of the work of one that has died."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from routilux_core import CannotTravel, Outcome, Reply, WorkerLost, unpacked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from routilux_core import Activation
    from routilux_plugins.executors.process.worker import Worker

log = logging.getLogger("routilux.process")
LATE = 0.03
"""Seconds by which a worker may be late before it has to give back what it has not begun."""


class NotBegun(Exception):
    """Why an activation comes back from a worker that has others to run before it."""

    def __str__(self) -> str:
        return "its worker had not begun it"


def hear(worker: Worker, kind: str, values: tuple[Any, ...], body: bytes) -> None:
    """Take a message of a worker."""
    _HEARD[kind](worker, *values, body)
    if not worker.doomed and not worker.dismissed:
        worker.end_at = None
    if not worker.hand:
        worker.lane = worker.recall_at = None


def lose(worker: Worker, lost: WorkerLost) -> None:
    """Let run again what a worker had that has died; count it against what it ran, if that ended it."""
    lane, hand, worker.hand = worker.lane, worker.hand, {}
    if lane is not None:
        for activation in hand.values():
            if worker.end_at is None and worker.was_running in {activation.id, -1}:
                lane.died(activation, lost)
            else:
                lane.give_back(activation, lost)
    for other, activation in worker.reserved:
        other.give_back(activation, lost)


def _ready(worker: Worker, _: bytes) -> None:
    worker.ready = True


def _begun(worker: Worker, number: int, _: bytes) -> None:
    activation, lane = worker.hand.get(number), worker.lane
    if activation is not None and lane is not None:
        lane.begun(activation)


def _done(worker: Worker, numbers: list[int], running: int, body: bytes) -> None:
    try:
        replies: list[tuple[tuple[int, float], Reply]] = unpacked(body)
    except Exception as error:  # noqa: BLE001 - classes of users are made here
        reason = f"reading it here raised {type(error).__name__}: {error}"
        advice = "let handlers emit what can be read again, such as plain values"
        _unread(worker, numbers, CannotTravel("what was made of an activation", reason, advice))
        return
    lane, done = worker.lane, []
    overdue = worker.doomed & {running}  # its next item should stop just as the one that is done
    for (number, seconds), reply in replies:
        activation = _taken(worker, number)
        if activation is None:
            continue
        outcome = reply.outcome(activation)
        if outcome.more:
            outcome.advanced = worker.hand[number] = activation.advanced()
        done.append((activation, outcome, seconds))
    for number in {activation.id for activation, _, _ in done} - {running}:
        worker.hand.pop(number, None)
    worker.doomed |= overdue & worker.hand.keys()
    if lane is not None and done:
        lane.finish_all(done, worker, running)


def _back(worker: Worker, numbers: Iterable[int], running: int, _: bytes) -> None:
    lane = worker.lane
    if lane is None:
        return
    late = worker.hand.get(running)
    if late is not None:
        lane.late(late, LATE)
    for number in numbers:
        activation = _taken(worker, number)
        if activation is not None:
            lane.give_back(activation, NotBegun())


def _output(worker: Worker, job_id: str, number: int, body: bytes) -> None:
    activation, lane = worker.hand.get(number), worker.lane
    if activation is None or lane is None or lane.job.job_id != job_id:
        return
    try:
        fact = unpacked(body)
    except Exception:
        log.exception("job %s: an output of %s cannot be read here", job_id, activation.target)
        return
    lane.job.output(activation, fact)


def _unreadable(worker: Worker, body: bytes) -> None:
    worker.unlearn()
    _unread(worker, list(worker.hand), unpacked(body))


def _unread(worker: Worker, numbers: list[int], error: Exception) -> None:
    """Fail one that cannot be read; let several, or items in a row, go one by one, to see which it is."""
    lane, several = worker.lane, len(numbers) > 1
    for number in numbers:
        activation = _taken(worker, number)
        if activation is None or lane is None:
            continue
        if several:
            lane.give_back(activation, error, alone=True)
        else:
            lane.finish(activation, Outcome(exception=error))


def _taken(worker: Worker, number: int) -> Activation | None:
    worker.doomed.discard(number)
    return worker.hand.pop(number, None)


_HEARD: dict[str, Callable[..., None]] = {
    "ready": _ready,
    "begun": _begun,
    "done": _done,
    "back": _back,
    "output": _output,
    "unreadable": _unreadable,
}
