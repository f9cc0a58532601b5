"""Ctrl-C at safe points: it may break into a handler or a wait, never into the engine's own work.

The signal handler looks at what was interrupted. In a handler, in a wait, or in code that is none of ours, it
raises KeyboardInterrupt as Python does. Amid the engine's work it leaves a note for the driving loop.
"""

from __future__ import annotations

import threading
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, FrameType

_INNER: set[CodeType] = set()
_SHUT: set[CodeType] = set()
_WAIT: set[CodeType] = set()
_SOON = 0.1
"""Seconds after which who waits looks up for the first time."""


def calls_users(function: Callable[..., object]) -> None:
    """Mark a function of ours whose callees may be broken into: handlers."""
    _INNER.add(function.__code__)


def unbreakable(function: Callable[..., object]) -> None:
    """Mark a function of ours that must run to its end."""
    _SHUT.add(function.__code__)


def waits(function: Callable[..., object]) -> None:
    """Mark a function of ours that may be broken into anywhere, because it only waits."""
    _WAIT.add(function.__code__)


class Interrupts:
    """Guards the main thread of the process, from a manager's first job there until all such are closed."""

    __slots__ = ("_guarded", "pending")

    def __init__(self) -> None:
        self.pending = False
        self._guarded = 0
        """How many managers want it."""

    def guard(self) -> bool:
        """Take over SIGINT where Python's own handler has it and this is the main thread; tell whether."""
        if threading.current_thread() is not threading.main_thread():
            return False
        import signal  # noqa: PLC0415 - costly, and needed only where a job is started

        known = signal.getsignal(signal.SIGINT)
        if known is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._interrupted)
        elif known != self._interrupted:
            return False
        self._guarded += 1
        return True

    def release(self) -> None:
        """Take one guard back; with the last one, give SIGINT back."""
        self._guarded -= 1
        if not self._guarded and threading.current_thread() is threading.main_thread():
            import signal  # noqa: PLC0415 - as above

            if signal.getsignal(signal.SIGINT) == self._interrupted:
                signal.signal(signal.SIGINT, signal.default_int_handler)

    def _interrupted(self, _number: int, frame: FrameType | None) -> None:
        inner: FrameType | None = None
        while frame is not None:
            code = frame.f_code
            if code in _WAIT:
                break
            if code in _INNER and inner is not None:
                self.pending = True  # a finalizer that happens to run there would swallow the exception
                break
            if code in _SHUT or code in _INNER:
                self.pending = True
                return
            inner, frame = frame, frame.f_back
        raise KeyboardInterrupt

    def check(self) -> None:
        """Raise the KeyboardInterrupt that came at a bad moment, if one did."""
        if self.pending and threading.current_thread() is threading.main_thread():
            self.pending = False
            raise KeyboardInterrupt


def patient(wait: Callable[[float | None], bool], seconds: float | None) -> bool:
    """Call `wait(seconds)` such that the main thread hears of an interrupt.

    Python does not hear one that comes while the thread is about to wait, which takes milliseconds when
    others want the interpreter. So it looks up soon after that, and ever more rarely later.
    """
    if threading.current_thread() is not threading.main_thread():
        return wait(seconds)
    until, share = None if seconds is None else monotonic() + seconds, _SOON
    while until is None or monotonic() + share < until:
        if wait(share):
            return True
        share *= 2
    return wait(max(0.0, until - monotonic()))


INTERRUPTS = Interrupts()
"""There is one main thread, so this is for all managers: one may not take an interrupt from another."""
