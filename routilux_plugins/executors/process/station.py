"""Station: what runs in a worker process.

The main thread calls handlers. Another one listens, so that a message is heard while a handler runs.
"""

from __future__ import annotations

import os
import select
import socket
import sys
import threading
from collections import deque
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from time import perf_counter
from typing import TYPE_CHECKING, Any, NoReturn

from routilux_core import Activation, CannotTravel, Outcome, Outpost, Reply, packed, packed_replies, unpacked
from routilux_plugins.executors.process.main_module import import_main
from routilux_plugins.executors.process.mark import Mark
from routilux_plugins.executors.process.wire import PIECE, Reading, written

if TYPE_CHECKING:
    from collections.abc import Callable

    from routilux_core import OutputSent, Parcel

FLUSH = 0.005
"""Seconds after which what is done goes home while there is more to do."""
PATIENCE = 1.0
"""Seconds for what async handlers ran on to end."""


class Station:
    """A worker's side of the wire."""

    def __init__(self, wire: socket.socket, mark: Mark, main: dict[str, str]) -> None:
        self._wire, self._mark, self._main = wire, mark, main
        self._sending = threading.Lock()
        """Guards the wire and what waits to be sent."""
        self._done: list[tuple[tuple[int, float], Reply]] = []
        self._tasks: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._left: deque[Activation] = deque()
        """What has come and was not begun."""
        self._ahead = 0
        """How much of a generator may be run before home has asked for it."""
        self._timed = False
        """Whether home wants to know when a handler begins."""
        self._at = 0
        """The number of the activation of which that is done."""
        self._outpost = Outpost(self._output)

    def work(self) -> None:
        """Run what comes, until told to stop."""
        self._send("ready")
        while (task := self._tasks.get()) is not None:
            task()
            self._mark.set(0)
        self._outpost.stop(PATIENCE)

    def listen(self, parent: int | None) -> None:
        """Take messages as they come; end the process when its home is gone."""
        with suppress(OSError):  # that had not read everything
            self._take_all(parent)
        _leave()

    def _take_all(self, parent: int | None) -> None:
        reading, handlers = Reading(), self._handlers()
        watched: list[Any] = [self._wire] if parent is None else [self._wire, parent]
        while True:
            ready, _, _ = select.select(watched, (), ())
            piece = self._wire.recv(PIECE) if self._wire in ready else b""
            if not piece:
                return
            for kind, values, body in reading.feed(piece):
                handlers[kind](*values, body)

    # -- what comes --------------------------------------------------------------------------------------

    def _handlers(self) -> dict[str, Any]:
        return {
            "run": self._take,
            "void": self._refuse,
            "recall": self._give_back,
            "forget": self._between(self._outpost.forget),
            "discard": self._between(self._outpost.discard),
            "stop": self._stop,
        }

    def _take(self, ahead: int, timed: bool, needs_main: bool, body: bytes) -> None:
        self._ahead, self._timed = ahead, timed
        self._tasks.put(partial(self._run, body, needs_main))

    def _between(self, call: Callable[[str], None]) -> Callable[[str, bytes], None]:
        """Have something done that must not come amid a handler."""
        return lambda name, _: self._tasks.put(partial(call, name))

    def _refuse(self, job_id: str, number: int, attempt: int, _: bytes) -> None:
        self._outpost.void(job_id, number, attempt)

    def _give_back(self, _: bytes) -> None:
        """Let go of what was not begun, and send what is done."""
        numbers = []
        with suppress(IndexError):
            while True:
                numbers.append(self._left.pop().id)
        self._flush()
        self._send("back", numbers, self._mark.get())

    def _stop(self, _: bytes) -> None:
        self._left.clear()
        self._tasks.put(None)

    # -- what is done ------------------------------------------------------------------------------------

    def _opened(self, body: bytes, needs_main: bool) -> Parcel:
        if needs_main:
            self._mark.set(-1)
            import_main(self._main)
        parcel: Parcel = unpacked(body)
        self._outpost.accept(parcel)
        return parcel

    def _run(self, body: bytes, needs_main: bool) -> None:
        left, mark, run = self._left, self._mark, self._outpost.run
        try:
            parcel = self._opened(body, needs_main)
        except BaseException as error:  # noqa: BLE001 - classes of users are made here
            self._send("unreadable", body=_described(error))
            return
        left.extend(parcel.activations)
        flushed = perf_counter()
        while True:
            try:
                activation = left.popleft()
            except IndexError:  # no more, or given back
                break
            mark.set(activation.id)
            if self._timed:
                self._begin(parcel, activation)
            begun = perf_counter()
            outcome = run(parcel, activation)
            ended = perf_counter()
            if outcome.more and self._ahead:
                outcome = self._go_on(parcel, activation, outcome, ended - begun)
                ended = perf_counter()
            else:
                self._note(activation, ended - begun, outcome, 0)
            if outcome.pauses:
                self._give_back(b"")
            elif ended - flushed > FLUSH:
                self._flush()
                flushed = perf_counter()
        self._flush()

    def _begin(self, parcel: Parcel, activation: Activation) -> None:
        """Say that the handler is about to be called: making its routine does not count as its time."""
        with suppress(BaseException):  # it fails again, where that is told
            self._outpost.job(parcel, activation.routine_id)
        self._send("begun", activation.id)

    def _go_on(self, parcel: Parcel, activation: Activation, outcome: Outcome, seconds: float) -> Outcome:
        """Run further items of a generator, as many as may pile up at home and for a few milliseconds."""
        left, until = self._ahead, perf_counter() + FLUSH
        while True:
            left -= max(1, len(outcome.effects))
            begun = perf_counter()
            goes_on = outcome.more and left > 0 and begun < until and not outcome.pauses
            self._note(activation, seconds, outcome, activation.id if goes_on else 0)
            if not goes_on:
                return outcome
            activation = activation.advanced()
            outcome = self._outpost.run(parcel, activation)
            seconds = perf_counter() - begun

    def _note(self, activation: Activation, seconds: float, outcome: Outcome, at: int) -> None:
        reply = Reply.of(outcome)
        with self._sending:  # the other thread may be about to send what is done
            self._done.append(((activation.id, seconds), reply))
            self._at = at

    def _flush(self) -> None:
        with self._sending:
            done, self._done = self._done, []
            if done:
                numbers = [number for (number, _), _ in done]
                self._wire.sendall(written("done", numbers, self._at, body=packed_replies(done)))

    def _output(self, job_id: str, activation: Activation, fact: OutputSent) -> None:
        self._send("output", job_id, activation.id, body=_readable(fact))

    def _send(self, kind: str, *values: Any, body: bytes = b"") -> None:
        message = written(kind, *values, body=body)
        with self._sending:
            self._wire.sendall(message)


def _readable(fact: OutputSent) -> bytes:
    """Return an output as bytes that can be read again; otherwise its handler is told."""
    content = packed(fact, "the output")
    try:
        unpacked(content)
    except Exception as error:
        reason = f"reading it again raised {type(error).__name__}: {error}"
        raise CannotTravel(f"output {fact.output_type!r}", reason, "send plain values instead") from error
    return content


def _described(error: BaseException) -> bytes:
    if not isinstance(error, CannotTravel):
        reason = f"reading it in a worker process raised {type(error).__name__}: {error}"
        advice = "let its classes be found in modules that the worker can import"
        error = CannotTravel("the activation", reason, advice)
    return packed(error, "the error")


def _leave() -> NoReturn:
    """End the process at once, whatever its handler does: nobody is there to hear of it."""
    os._exit(1)


def _home(process: int) -> int | None:
    """Return what can be waited on for the end of the home process, where there is such a thing."""
    if not hasattr(os, "pidfd_open"):
        return None
    try:
        return os.pidfd_open(process)
    except ProcessLookupError:
        _leave()
    except OSError:  # an old kernel
        return None


def main(given: dict[str, Any]) -> None:
    """Be a worker process until told to stop."""
    sys.argv = given["argv"]
    wire = socket.socket(fileno=given["wire"])
    wire.set_inheritable(False)
    mark = Mark(given["mark"])
    os.close(given["mark"])
    station = Station(wire, mark, given["main"])
    listener = threading.Thread(
        target=station.listen, args=(_home(given["home"]),), name="routilux-process-listener", daemon=True
    )
    listener.start()
    try:
        station.work()
    except OSError:  # the wire is cut
        _leave()
