"""Worker: a worker process as the home process sees it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections import deque
from typing import TYPE_CHECKING, Any

from routilux_core import Activation, Blueprint, Parcel, WorkerLost
from routilux_plugins.executors.process.main_module import location
from routilux_plugins.executors.process.mark import Mark, shared_memory
from routilux_plugins.executors.process.wire import PIECE, Reading, written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from routilux_plugins.executors.process.lane import ProcessLane
    from routilux_plugins.executors.process.wire import Message

_STATION = "routilux_plugins.executors.process.station"
_START = f"""\
import json, signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
given = json.loads(sys.argv[1])
sys.path[:] = given["path"]
from {_STATION} import main
main(given)
"""
KNOWN = 256
"""How many blueprints a worker keeps."""


class Worker:
    """One worker process: what it is doing, and the wire to it."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.ready = False
        self.lane: ProcessLane | None = None
        self.hand: dict[int, Activation] = {}
        """What it was given and has not given back."""
        self.reserved: deque[tuple[ProcessLane, Activation]] = deque()
        """What it alone can go on with: it holds their generators."""
        self.held: set[tuple[ProcessLane, int]] = set()
        """Whose generators they are."""
        self.jobs: set[str] = set()
        """The jobs that it has seen."""
        self.recall_at: float | None = None
        """When it should have been done with what it has in hand."""
        self.end_at: float | None = None
        """When it is ended, unless what it should stop is done."""
        self.doomed: set[int] = set()
        """What it should stop."""
        self.dismissed = False
        """Whether it was told to end."""
        self.gone = False
        self._known: dict[str, None] = {}
        self._reading = Reading()
        self._out: deque[memoryview] = deque()
        self._launch()

    # -- its process -------------------------------------------------------------------------------------

    def _launch(self) -> None:
        ours, theirs = socket.socketpair()
        memory = shared_memory()
        given = {
            "wire": theirs.fileno(),
            "mark": memory,
            "home": os.getpid(),
            "path": [str(place) for place in sys.path],
            "argv": [str(argument) for argument in sys.argv],
            "main": location(),
        }
        options = [f"-W{option}" for option in sys.warnoptions]
        if sys.flags.optimize:
            options.append("-" + "O" * sys.flags.optimize)
        try:
            self._mark = Mark(memory)
            self.process = subprocess.Popen(  # noqa: S603 - this interpreter, with arguments of our own
                [sys.executable, *options, "-c", _START, json.dumps(given)],
                stdin=subprocess.DEVNULL,
                env={**os.environ, "ROUTILUX_MONITORS": "none"},  # no job runs there that could be watched
                pass_fds=(theirs.fileno(), memory),
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
            os.close(memory)
        ours.setblocking(False)
        self.wire = ours
        self.exit = _exit_of(self.process.pid)

    @property
    def files(self) -> list[Any]:
        """What shows that there is a message, or that it has ended."""
        return [self.wire] if self.exit is None else [self.wire, self.exit]

    def bury(self) -> WorkerLost:
        """End it for good, and say how it has ended."""
        self.gone = True
        known = self.process.poll() is not None
        self.process.kill()
        status = self.process.wait()
        self.wire.close()
        self._mark_read = self._mark.get()
        self._mark.close()
        if self.exit is not None:
            os.close(self.exit)
        if not known and self.end_at is not None:
            reason = "it was ended because its work was to stop"
        elif status < 0:
            reason = f"it was ended by {_signal(-status)}"
        else:
            reason = f"it ended with status {status}"
        if not self.ready:
            reason += " before it was ready"
        return WorkerLost(f"worker process {self.process.pid}", reason)

    @property
    def was_running(self) -> int:
        """The number of what it ran when it died; 0 for nothing, -1 for the import of the main module."""
        return self._mark_read

    # -- messages ----------------------------------------------------------------------------------------

    @property
    def free(self) -> bool:
        """Whether it waits for work."""
        return self.ready and not self.hand and self.end_at is None

    def send(self, kind: str, *values: Any, body: bytes = b"") -> None:
        """Send a message as far as the wire takes it now; `flush` sends the rest."""
        self._out.append(memoryview(written(kind, *values, body=body)))
        self.flush()

    def flush(self) -> None:
        """Send what the wire takes."""
        try:
            while self._out:
                piece = self._out[0]
                sent = self.wire.send(piece)
                if sent < len(piece):
                    self._out[0] = piece[sent:]
                else:
                    self._out.popleft()
        except BlockingIOError:
            pass
        except OSError:  # it is dead; its end of the wire says so
            self._out.clear()

    @property
    def choked(self) -> bool:
        """Whether something is still to be sent."""
        return bool(self._out)

    def receive(self) -> Iterator[Message]:
        """Give the messages that have come; EOFError when there will be no more."""
        while True:
            try:
                piece = self.wire.recv(PIECE)
            except BlockingIOError:
                return
            except OSError as error:
                raise EOFError from error
            if not piece:
                raise EOFError
            yield from self._reading.feed(piece)

    def lighten(self, parcel: Parcel) -> list[str]:
        """Leave out of a parcel the blueprints that the worker has; return the keys of all."""
        keys = [one.key for one in parcel.blueprints.values()]
        for routine_id, one in parcel.blueprints.items():
            if one.key in self._known:
                parcel.blueprints[routine_id] = Blueprint(one.key, None)
        return keys

    def learn(self, keys: list[str]) -> None:
        """Note which blueprints it has now, and let it discard those that were not used for long."""
        for key in keys:
            self._known.pop(key, None)
            self._known[key] = None
        for key in list(self._known)[: max(0, len(self._known) - max(KNOWN, len(keys)))]:
            del self._known[key]
            self.send("discard", key)

    def unlearn(self) -> None:
        """Trust no longer that it has any: it could not read what it got."""
        self._known.clear()


def _exit_of(process: int) -> int | None:
    """Return what shows the end of a process even if something it started has its end of the wire."""
    try:
        return os.pidfd_open(process)
    except (AttributeError, OSError):
        return None


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
