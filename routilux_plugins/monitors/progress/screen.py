"""Screen: a block of lines at the end of a terminal, painted over in place."""

from __future__ import annotations

import logging
import os
import sys
import threading
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"
"""The cursor."""
TOGETHER, DONE = "\x1b[?2026h", "\x1b[?2026l"
"""What stands between them is shown at once, by terminals that know it."""
REST, BELOW = "\x1b[K", "\x1b[J"
"""Erase the rest of the line; everything below."""


class Screen:
    """Paints lines over the ones before, each as it is written, so that nothing is ever blank in between.

    While it is open, what the program prints goes above them.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.RLock()
        self._lines: list[str] = []
        self._begun = ""
        """The line above them that is not whole yet."""
        self._shown = 0
        """How many lines were painted that are painted over next time."""
        self._replaced: dict[str, Above] = {}

    def open(self) -> None:
        """Hide the cursor, and let what is printed and logged go above."""
        with self._lock:
            self._write(HIDE)
            for name in ("stdout", "stderr"):
                stream = getattr(sys, name)
                if stream is not None and stream.isatty():
                    self._replaced[name] = above = Above(self, stream)
                    setattr(sys, name, above)
                    _log_to(above, instead_of=stream)

    def paint(self, lines: Sequence[str], above: Sequence[str] = ()) -> None:
        """Show `lines` where the ones before stood, and others above them, to stay there."""
        with self._lock:
            up = f"\x1b[{self._shown}A" if self._shown else ""
            begun = [self._begun[1 - _width(self._stream) :]] if self._begun else []
            text = "".join(f"\r{line}{REST}\n" for line in (*above, *begun, *lines))
            self._write(f"{TOGETHER}{up}{text}{BELOW}{DONE}")
            self._lines, self._shown = list(lines), len(begun) + len(lines)

    def print(self, lines: Sequence[str], begun: str = "") -> None:
        """Show lines above, and after them the beginning of one."""
        with self._lock:
            self._begun = begun
            self.paint(self._lines, lines)

    def close(self) -> None:
        """Leave the last lines where they are, and let everything be as before."""
        with self._lock:
            for name, above in self._replaced.items():
                above.end()
                if getattr(sys, name) is above:
                    setattr(sys, name, above.stream)
                _log_to(above.stream, instead_of=above)
            self._replaced.clear()
            self._write(SHOW)
            self._lines, self._shown = [], 0

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


class Above:
    """Stands for a stream of the program while a screen is open: what is written goes above it."""

    def __init__(self, screen: Screen, stream: TextIO) -> None:
        self.stream = stream
        self.buffer = AboveBytes(self)
        self._screen = screen
        self._rest = ""

    def write(self, text: str) -> int:
        """Show the lines that are whole."""
        *lines, self._rest = f"{self._rest}{text}".split("\n")
        if lines:
            self._screen.print(lines)
        return len(text)

    def writelines(self, texts: Iterable[str]) -> None:
        """Write one after the other."""
        for text in texts:
            self.write(text)

    def flush(self) -> None:
        """Show the line that is not whole, as that of a question."""
        if self._rest:
            self._screen.print((), self._rest)

    def end(self) -> None:
        """Show what is left."""
        if self._rest:
            self.write("\n")

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


class AboveBytes:
    """Stands for what is below such a stream."""

    def __init__(self, above: Above) -> None:
        self._above = above

    def write(self, data: bytes) -> int:
        """Write what the bytes say, as the stream would."""
        self._above.write(bytes(data).decode(self._above.stream.encoding, "replace"))
        return len(data)

    def writelines(self, parts: Iterable[bytes]) -> None:
        """Write one after the other."""
        for data in parts:
            self.write(data)

    def flush(self) -> None:
        """Show the line that is not whole."""
        self._above.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._above.stream.buffer, name)


def _width(stream: TextIO) -> int:
    """Return how many characters stand in a line."""
    try:
        return os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        return 80


def _log_to(stream: Any, *, instead_of: Any) -> None:
    """Let those handlers of the program's logging write to a stream that write to another one."""
    known = logging.root.manager.loggerDict.values()
    loggers = [logging.root, *(one for one in known if isinstance(one, logging.Logger))]
    for handler in {handler for logger in loggers for handler in logger.handlers}:
        if isinstance(handler, logging.StreamHandler) and handler.stream is instead_of:
            handler.acquire()
            try:
                handler.stream = stream  # setStream would flush, which is nothing to show
            finally:
                handler.release()
