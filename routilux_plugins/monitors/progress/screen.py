"""Screen: a block of lines at the end of a terminal, painted over in place."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from collections.abc import Sequence

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
        self._replaced: dict[str, Above] = {}

    def open(self) -> None:
        """Hide the cursor, and let what is printed go above."""
        with self._lock:
            self._write(HIDE)
            for name in ("stdout", "stderr"):
                stream = getattr(sys, name)
                if stream is not None and stream.isatty():
                    self._replaced[name] = above = Above(self, stream)
                    setattr(sys, name, above)

    def paint(self, lines: Sequence[str], above: Sequence[str] = ()) -> None:
        """Show `lines` where the ones before stood, and others above them, to stay there."""
        with self._lock:
            up = f"\x1b[{len(self._lines)}A" if self._lines else ""
            text = "".join(f"\r{line}{REST}\n" for line in (*above, *lines))
            self._write(f"{TOGETHER}{up}{text}{BELOW}{DONE}")
            self._lines = list(lines)

    def print(self, lines: Sequence[str]) -> None:
        """Show lines above."""
        with self._lock:
            self.paint(self._lines, lines)

    def close(self) -> None:
        """Leave the last lines where they are, and let everything be as before."""
        with self._lock:
            for name, above in self._replaced.items():
                above.end()
                if getattr(sys, name) is above:
                    setattr(sys, name, above.stream)
            self._replaced.clear()
            self._write(SHOW)
            self._lines = []

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


class Above:
    """Stands for a stream of the program while a screen is open: whole lines go above it."""

    def __init__(self, screen: Screen, stream: TextIO) -> None:
        self.stream = stream
        self._screen = screen
        self._rest = ""

    def write(self, text: str) -> int:
        """Show the lines that are whole."""
        *lines, self._rest = f"{self._rest}{text}".split("\n")
        if lines:
            self._screen.print(lines)
        return len(text)

    def end(self) -> None:
        """Show what is left."""
        if self._rest:
            self.write("\n")

    def flush(self) -> None:
        """Lines are shown as soon as they are whole."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)
